package grant

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// maxText is how many characters of a server's text are shown.
const maxText = 300

// named is a name that a server has chosen, as a message may show it. Where a
// short word should stand, a longer text may be what the server was sent.
func named(s string) string {
	if s == "" || len(s) > 24 || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "" {
		return "(a text that is no name)"
	}
	return strconv.Quote(s)
}

// Clean makes text of a server fit for a terminal: line breaks and tabs become
// spaces, control characters (C0, C1, DEL), bidirectional overrides and
// invisible characters become visible escapes, and at most 300 characters stay.
func Clean(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if n >= maxText {
			b.WriteString("…")
			break
		}
		if r == '\n' || r == '\r' || r == '\t' || r == ' ' {
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
			n++
		}
		space = false
		switch {
		case r == unicode.ReplacementChar:
			b.WriteRune(r)
		case r < 0x100 && unicode.IsControl(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		n++
	}
	return b.String()
}

// hidden reports characters that change how their neighbours look, or that
// cannot be seen: format characters (bidirectional controls, zero width, soft
// hyphen, tags), line and paragraph separators, private use, blank letters, and
// what is reserved for more of the kind.
func hidden(r rune) bool {
	switch r {
	case 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F, 0x17B4, 0x17B5:
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) ||
		unicode.Is(unicode.Zs, r)
}

// isPlain reports whether s can be shown exactly as it is.
func isPlain(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) || hidden(r) && r != ' ' || r == unicode.ReplacementChar {
			return false
		}
	}
	return true
}

package view

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe returns s as one line that a terminal shows and does not obey: control
// characters (C0, DEL, C1), line breaks, bidirectional overrides, zero-width and
// other invisible characters, and bytes that are not UTF-8 become visible
// escapes (\n, \x1b, \u202e). Everything that came from a server or a file goes
// through it.
func Safe(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unsafeRune(r):
			b.WriteString(escape(r))
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// SafeText is [Safe] for text of several lines: it keeps line feeds and turns
// tabs into spaces. Use it where line breaks are ours or harmless.
func SafeText(s string) string {
	if plain(s) {
		return s
	}
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = Safe(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// plain is the quick way out: printable ASCII only.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// unsafeRune reports whether a terminal could obey r, or a reader not see it.
// Cf holds the bidirectional controls and the zero-width characters; Zl and Zp
// break lines.
func unsafeRune(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

func escape(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// safeJSON escapes, in the text of a JSON document, what encoding/json leaves
// raw and a terminal would obey. The values stay the same.
func safeJSON(doc []byte) []byte {
	s := string(doc)
	i := strings.IndexFunc(s, func(r rune) bool { return r > '~' && unsafeRune(r) })
	if i < 0 {
		return doc
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r <= '~' || !unsafeRune(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := surrogates(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}

// surrogates splits a rune above U+FFFF for JSON (RFC 8259 §7).
func surrogates(r rune) (hi, lo rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

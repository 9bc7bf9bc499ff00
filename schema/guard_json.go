package schema

import (
	"bytes"
	"encoding/json"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// jsonScan measures JSON before hcl's recursive parser sees it.
type jsonScan struct {
	name string
	text []byte
	i    int
	open []byte
}

// checkJSON reports JSON that is nested too deep, and strings in it that are: a
// string is a template.
func checkJSON(name string, text []byte) *hcl.Diagnostic {
	s := &jsonScan{name: name, text: text}
	for ; s.i < len(text); s.i++ {
		switch c := text[s.i]; {
		case c == '{', c == '[':
			if s.open = append(s.open, c+2); len(s.open) > maxDepth { // in ASCII the closer is two after the opener
				return errorAt(s.at(), "Nested too deep", "JSON may be nested up to %d levels deep.", maxDepth)
			}
		case c == '}', c == ']':
			// A closer that does not fit closes nothing: the parser may go on inside.
			if n := len(s.open); n > 0 && s.open[n-1] == c {
				s.open = s.open[:n-1]
			}
		case c >= '0' && c <= '9':
			if d := s.number(); d != nil {
				return d
			}
		case c == '"':
			if d := s.string(); d != nil {
				return d
			}
		}
	}
	return nil
}

// at is the present position.
func (s *jsonScan) at() hcl.Range {
	before := s.text[:s.i]
	p := hcl.Pos{Byte: s.i, Line: 1 + bytes.Count(before, []byte("\n"))}
	p.Column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return hcl.Range{Filename: s.name, Start: p, End: hcl.Pos{Byte: p.Byte + 1, Line: p.Line, Column: p.Column + 1}}
}

func (s *jsonScan) number() *hcl.Diagnostic {
	end := s.i
	for end < len(s.text) && bytes.IndexByte([]byte("0123456789.eE+-"), s.text[end]) >= 0 {
		end++
	}
	if hugeExponent(s.text[s.i:end]) {
		return errorAt(s.at(), "Number out of range", "The exponent of this number is too large.")
	}
	s.i = end - 1
	return nil
}

func (s *jsonScan) string() *hcl.Diagnostic {
	end := jsonStringEnd(s.text, s.i)
	quoted := s.text[s.i:end]
	at := s.at
	if r, _ := utf8.DecodeLastRune(bytes.TrimSuffix(quoted, []byte(`"`))); joinsNext(r) {
		return errorAt(at(), "Unsupported character in a string",
			"A string must not end with the character %U, which joins what follows it. Write it as an escape: \\u%04x.", r, r)
	}
	if bytes.ContainsAny(quoted, `{\`) {
		var text string
		if json.Unmarshal(quoted, &text) == nil { // otherwise the parser refuses it
			tokens, _ := hclsyntax.LexTemplate([]byte(text), s.name, hcl.InitialPos)
			if d := checkTokens(tokens); d != nil {
				d.Subject = at().Ptr()
				return d
			}
		}
	}
	s.i = end - 1
	return nil
}

// jsonStringEnd is the index after the string that starts at i. Like hcl's
// scanner it ends a string at a control character too.
func jsonStringEnd(text []byte, i int) int {
	escaped := false
	for j := i + 1; j < len(text); j++ {
		switch c := text[j]; {
		case c < ' ':
			return j
		case c == '\\':
			escaped = !escaped
		case c == '"' && !escaped:
			return j + 1
		default:
			escaped = false
		}
	}
	return len(text)
}

// joinsNext reports characters that form one grapheme cluster with what follows
// (Grapheme_Cluster_Break=Prepend). hcl's scanner steps by clusters and would
// not see a quote after one.
func joinsNext(r rune) bool { return r > 0x7f && (unicode.Is(unicode.Cf, r) || unicode.Is(prepend, r)) }

// prepend are the letters among them (Unicode 17, GraphemeBreakProperty.txt).
var prepend = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0d4e, Hi: 0x0d4e, Stride: 1}},
	R32: []unicode.Range32{
		{Lo: 0x111c2, Hi: 0x111c3, Stride: 1},
		{Lo: 0x113d1, Hi: 0x113d1, Stride: 1},
		{Lo: 0x1193f, Hi: 0x1193f, Stride: 1},
		{Lo: 0x11941, Hi: 0x11941, Stride: 1},
		{Lo: 0x11a3a, Hi: 0x11a3a, Stride: 1},
		{Lo: 0x11a84, Hi: 0x11a89, Stride: 1},
		{Lo: 0x11d46, Hi: 0x11d46, Stride: 1},
		{Lo: 0x11f02, Hi: 0x11f02, Stride: 1},
	},
}

// jsonTooDeep reports whether valid JSON is nested too deep to be decoded.
func jsonTooDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			i = jsonStringEnd(text, i) - 1
		}
	}
	return false
}

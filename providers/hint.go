package providers

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/oauthctl/oauthctl/schema"
)

//go:embed errors.hcl
var errorsText []byte

// generic are the hints for the errors that the standards name. They are a
// table, parsed when the first error is explained.
var generic = sync.OnceValue(func() []Hint {
	blocks, diags := schema.ParseBlocks("errors.hcl", errorsText, "hint")
	if diags.HasErrors() {
		return nil // cannot be: a test reads every entry
	}
	var out []Hint
	for _, b := range blocks {
		o, diags := b.Decode(hintSpec(), nil)
		if !diags.HasErrors() {
			out = append(out, hintsOf(schema.NestedObject{Object: o, Labels: b.Labels, Block: b})...)
		}
	}
	return out
})

// Explain finds cause and remedy for an error of a server: a hint of the preset
// (which may be nil), else one of the standards' errors. code is the error code
// (RFC 6749 §5.2), description its error_description; both are as the server
// sent them, and nothing of them is in the Hint.
func Explain(p *Preset, code, description string) (Hint, bool) {
	if p != nil {
		if h, ok := best(p.Hints, code, description); ok {
			return h, true
		}
	}
	return best(generic(), code, description)
}

// best is the most telling hint: one that matches code and words, then words
// alone, then the code alone; among equals the first.
func best(hints []Hint, code, description string) (Hint, bool) {
	var found Hint
	top := 0
	for _, h := range hints {
		rank := 0
		exact, words := h.Error == code, h.Match != "" && holds(description, h.Match)
		switch {
		case exact && words:
			rank = 3
		case h.Error == "*" && words:
			rank = 2
		case exact && h.Match == "":
			rank = 1
		}
		if rank > top {
			found, top = h, rank
		}
	}
	return found, top > 0
}

// holds reports whether text holds words as whole words, so that AADSTS50011 is
// not found in AADSTS500113. Case does not matter.
func holds(text, words string) bool {
	text, words = strings.ToLower(text), strings.ToLower(words)
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(words)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !inWord(before) && !inWord(after) {
			return true
		}
		from = start + 1
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

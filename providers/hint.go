package providers

import (
	"embed"
	"io/fs"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/oauthctl/oauthctl/schema"
)

//go:embed errors/*.hcl
var errorFiles embed.FS

// shared are the hints for errors that more than one server sends: what the
// standards name, and the numbers of Microsoft. They are a table, parsed when the
// first error is explained.
var shared = sync.OnceValue(func() []Hint {
	names, err := fs.Glob(errorFiles, "errors/*.hcl")
	if err != nil { // only for a malformed pattern
		return nil
	}
	var out []Hint
	for _, name := range names {
		text, err := errorFiles.ReadFile(name)
		if err != nil {
			continue
		}
		blocks, diags := schema.ParseBlocks(name, text, "hint")
		if diags.HasErrors() {
			continue // cannot be: a test reads every entry
		}
		for _, b := range blocks {
			o, diags := b.Decode(hintSpec(), nil)
			if !diags.HasErrors() {
				out = append(out, hintsOf(schema.NestedObject{Object: o, Labels: b.Labels, Block: b})...)
			}
		}
	}
	return out
})

// Explain finds cause and remedy for an error of a server: a hint of the preset
// (which may be nil), else one of errors/*.hcl. code is the error code
// (RFC 6749 §5.2), description its error_description; both are as the server
// sent them, and nothing of them is in the Hint.
func Explain(p *Preset, code, description string) (Hint, bool) {
	if p != nil {
		if h, ok := best(p.Hints, code, description); ok {
			return h, true
		}
	}
	return best(shared(), code, description)
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

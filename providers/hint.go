package providers

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Explain finds cause and remedy for an error of a server. code is the error
// code (RFC 6749 §5.2), description its error_description; both are as the
// server sent them, and nothing of them is in the Hint. The first of these that
// fits: a hint of the preset (which may be nil) for these words; the catalogue's
// entry for a number, a vendor's code or these words; a hint of the preset for
// the code; the standards' entry for the code.
func Explain(p *Preset, code, description string) (Hint, bool) {
	var own Hint
	rank := 0
	if p != nil {
		own, rank = best(p.Hints, code, description)
	}
	if rank > byCode {
		return own, true
	}
	c := catalogue()
	fits := func(e KnownError) bool { return e.fits(code, description) }
	if i := slices.IndexFunc(c.vendor, fits); i >= 0 {
		e := c.vendor[i]
		return e.hint(e.Code != code || e.numbered()), true
	}
	if rank == byCode {
		return own, true
	}
	// The more telling words first: a redirect URI may be an invalid_request.
	words := func(e KnownError) bool {
		return e.Code != code && slices.ContainsFunc(e.also, func(w string) bool { return holds(description, w) })
	}
	if i := slices.IndexFunc(c.standard, words); i >= 0 {
		return c.standard[i].hint(true), true
	}
	if i := slices.IndexFunc(c.standard, func(e KnownError) bool { return e.Code == code }); i >= 0 {
		return c.standard[i].hint(false), true
	}
	return Hint{}, false
}

// How well a hint fits.
const (
	byCode  = 1 + iota // the code alone
	byWords            // words, whatever the code
	byBoth
)

// best is the most telling hint: one that matches code and words, then words
// alone, then the code alone; among equals the first. 0: none fits.
func best(hints []Hint, code, description string) (Hint, int) {
	var found Hint
	top := 0
	for _, h := range hints {
		rank := 0
		exact, words := h.Error == code, h.Match != "" && holds(description, h.Match)
		switch {
		case exact && words:
			rank = byBoth
		case h.Error == "*" && words:
			rank = byWords
		case exact && h.Match == "":
			rank = byCode
		}
		if rank > top {
			found, top = h, rank
		}
	}
	return found, top
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

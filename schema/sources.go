package schema

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Sources holds the text of the files read, for snippets. It may be used from
// several goroutines.
type Sources struct {
	mu    sync.Mutex
	files map[string]*sourceFile
}

type sourceFile struct {
	text   []byte
	values bool // a file with values of variables: all of them are kept out of snippets
	json   bool
	broken bool        // it did not parse, so its structure is guessed
	ranges []hcl.Range // to keep out of snippets, found by evaluation
	lines  []int       // offsets where lines start
	mask   []bool      // by byte; nil until it is needed
}

func newSources() *Sources { return &Sources{files: map[string]*sourceFile{}} }

// SourceOf holds the text that [Format] was given, for the snippets of what it said.
func SourceOf(text []byte, filename string, diags hcl.Diagnostics) *Sources {
	s := newSources()
	s.add(filename, text).broken = diags.HasErrors()
	return s
}

func (s *Sources) add(name string, text []byte) *sourceFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &sourceFile{text: text, json: isJSON(name), lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	s.files[name] = f
	return f
}

// slice is the text of a range, as it is; false if it is not there.
func (s *Sources) slice(r hcl.Range) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[r.Filename]
	if !ok || !r.CanSliceBytes(f.text) {
		return "", false
	}
	return string(r.SliceBytes(f.text)), true
}

// hide keeps a range out of snippets.
func (s *Sources) hide(r hcl.Range) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.files[r.Filename]; ok {
		f.ranges = append(f.ranges, r)
		f.mask = nil
	}
}

// Files names the files read, sorted.
func (s *Sources) Files() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedKeys(s.files)
}

// Line returns line n (from 1) of a file, without its newline, as it may be
// shown: literal values of sensitive attributes are replaced. False if the file
// or line does not exist.
func (s *Sources) Line(filename string, n int) (string, bool) {
	line, _, ok := s.line(filename, n, nil)
	return line, ok
}

// Snippet is one line of a file as it may be shown. Subject is the part that a
// diagnostic is about, as byte offsets into Text.
type Snippet struct {
	Text     string
	From, To int
}

// Snippet returns the first line of a range. Use it to underline the range:
// where values have been replaced, the columns of the file do not fit.
func (s *Sources) Snippet(r hcl.Range) (Snippet, bool) {
	text, at, ok := s.line(r.Filename, r.Start.Line, &r)
	return Snippet{Text: text, From: at[0], To: at[1]}, ok
}

func (s *Sources) line(filename string, n int, r *hcl.Range) (string, [2]int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[filename]
	if !ok || n < 1 || n > len(f.lines) {
		return "", [2]int{}, false
	}
	if f.mask == nil {
		f.mask = f.redact()
	}
	start, end := f.lines[n-1], len(f.text)
	if n < len(f.lines) {
		end = f.lines[n] - 1
	}
	end = start + len(bytes.TrimSuffix(f.text[start:end], []byte("\r")))
	var out []byte
	at := [2]int{-1, -1}
	for i := start; ; {
		if r != nil && at[0] < 0 && i >= r.Start.Byte {
			at[0] = len(out)
		}
		if r != nil && at[1] < 0 && i >= min(r.End.Byte, end) {
			at[1] = len(out)
		}
		if i >= end {
			break
		}
		if f.mask[i] {
			if i == start || !f.mask[i-1] {
				out = append(out, secret.Placeholder...)
			}
			i++
			continue
		}
		c, size := utf8.DecodeRune(f.text[i:end])
		out = appendVisible(out, c, f.text[i:i+size])
		i += size
	}
	at[0] = max(at[0], 0)
	at[1] = max(at[1], at[0])
	return string(out), at, true
}

// appendVisible writes a character so that it cannot act on a terminal, nor
// hide or turn around what stands beside it.
func appendVisible(out []byte, c rune, raw []byte) []byte {
	switch {
	case c == utf8.RuneError && len(raw) == 1:
		return fmt.Appendf(out, `\x%02x`, raw[0])
	case c != '\t' && unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point):
		return fmt.Appendf(out, `\u%04x`, c)
	}
	return append(out, raw...)
}

// redact finds what must not be shown: by what evaluation has found, by the
// tokens, and, since neither is sure in a file that does not parse, line by line.
func (f *sourceFile) redact() []bool {
	m := &masker{text: f.text, mask: make([]bool, len(f.text)), values: f.values, broken: f.broken}
	var toks hclsyntax.Tokens
	if f.json && !f.broken {
		toks = jsonTokens(f.text)
	} else {
		toks, _ = hclsyntax.LexConfig(f.text, "", hcl.InitialPos)
	}
	m.tokens(toks)
	if f.broken {
		m.linewise(f.text, 0)
	} else {
		for _, t := range toks {
			if t.Type == hclsyntax.TokenComment {
				m.linewise(t.Bytes, t.Range.Start.Byte)
			}
		}
	}
	for _, r := range f.ranges {
		m.literals(r.Start.Byte, min(r.End.Byte, len(f.text)))
	}
	if !slices.Contains(m.mask, true) {
		return m.mask
	}
	for i, c := range f.text {
		if c == '\n' || c == '\r' {
			m.mask[i] = false
		}
	}
	return m.mask
}

package schema

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
)

// Sources holds the text of the files read, for snippets.
type Sources struct {
	files  map[string][]byte
	hidden []hcl.Range
}

func newSources() *Sources { return &Sources{files: map[string][]byte{}} }

func (s *Sources) add(name string, text []byte) { s.files[name] = text }

// hide keeps a range out of snippets.
func (s *Sources) hide(r hcl.Range) { s.hidden = append(s.hidden, r) }

// Line returns line n (from 1) of a file, without its newline, as it may be
// shown: literal values of sensitive attributes are replaced. False if the file
// or line does not exist.
func (s *Sources) Line(filename string, n int) (string, bool) {
	text, ok := s.files[filename]
	lines := bytes.Split(text, []byte("\n"))
	if !ok || n < 1 || n > len(lines) {
		return "", false
	}
	return string(bytes.TrimSuffix(lines[n-1], []byte("\r"))), true
}

// addValues adds a file with values of variables: all of them are kept out of snippets.
func (s *Sources) addValues(name string, text []byte) { s.add(name, text) }

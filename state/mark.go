package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// A mark is the latest generation of a record that this machine has written, and
// the serial of its settings; of one that it has removed or moved away, generation 0 of
// the serial that this raised: whatever comes there is of that serial, or later. The marks of a lineage are lines of one file
// beside its pin, the last line of a record counts: a write costs one small append,
// and reading a token touches none of them. They are looked at before a refresh token is
// spent. A mark that is lost protects less, and harms nothing.
type mark struct{ serial, generation uint64 }

func (p pins) markFile(lineage string) string { return filepath.Join(p.dir, lineage+".marks") }

// markKey stands for an address, so that names are not in one more file.
func markKey(a addr.Addr) string {
	sum := sha256.Sum256([]byte(a.String()))
	return hex.EncodeToString(sum[:8])
}

func (m mark) line(key string) string { return fmt.Sprintf("%s %d %d\n", key, m.serial, m.generation) }

// newer: a record with this serial and generation is not from before the mark.
// A record that was made anew, or moved here, may count from 1 again, under a later serial:
// a high generation under an earlier one is of a former life of the address.
func (m mark) newer(serial, generation uint64) bool {
	return serial > m.serial || serial == m.serial && generation >= m.generation
}

// words names a mark beside another.
func (m mark) words(other mark) string {
	switch {
	case m.generation == 0:
		return fmt.Sprintf("that it has gone, at serial %d", m.serial)
	case m.serial == other.serial:
		return fmt.Sprintf("generation %d", m.generation)
	}
	return fmt.Sprintf("generation %d of serial %d", m.generation, m.serial)
}

// mark remembers that a record was written.
func (p pins) mark(lineage string, a addr.Addr, m mark) {
	p.append(lineage, m.line(markKey(a)))
}

// append is best effort, as a pin is to a reader.
func (p pins) append(lineage, lines string) {
	if p.dir == "" || lines == "" {
		return
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(p.markFile(lineage), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(lines) // one write: lines of several processes do not mix
	_ = f.Close()
}

// marked is the mark of a record, if there is one.
func (p pins) marked(lineage string, a addr.Addr) (mark, bool, error) {
	text, err := p.marks(lineage)
	m, ok := lastMark(text, markKey(a))
	return m, ok, err
}

// marks are the lines of a lineage.
func (p pins) marks(lineage string) ([]byte, error) {
	if p.dir == "" {
		return nil, nil
	}
	file := p.markFile(lineage)
	text, err := os.ReadFile(file) // the directory is the caller's, the name ours
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, WithAdvice(fmt.Errorf("%w: the marks %s cannot be read (%w)", ErrTampered, file, err), "remove it if you trust the state")
	}
	return p.compact(file, text), nil
}

// lastMark finds the last whole line of a key. What is no mark is passed over: a
// line can be cut by a full disk.
func lastMark(text []byte, key string) (mark, bool) {
	for {
		i := bytes.LastIndex(text, []byte(key+" "))
		if i < 0 {
			return mark{}, false
		}
		line, _, whole := bytes.Cut(text[i:], []byte("\n"))
		if f := bytes.Fields(line); whole && len(f) == 3 && (i == 0 || text[i-1] == '\n') {
			serial, err := strconv.ParseUint(string(f[1]), 10, 64)
			generation, gerr := strconv.ParseUint(string(f[2]), 10, 64)
			if err == nil && gerr == nil {
				return mark{serial, generation}, true
			}
		}
		text = text[:i]
	}
}

// compactAt is the size from which a file of marks is rewritten, if most of it is old.
const compactAt = 256 << 10

// compact keeps the last line of each key, if there is much to leave out.
func (p pins) compact(file string, text []byte) []byte {
	if len(text) < compactAt {
		return text
	}
	var kept [][]byte
	seen := map[string]bool{}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		key, _, ok := bytes.Cut(lines[i], []byte(" "))
		if ok && bytes.HasSuffix(lines[i], []byte("\n")) && !seen[string(key)] {
			seen[string(key)] = true
			kept = append(kept, lines[i])
		}
	}
	if len(kept)*4 > len(lines) {
		return text
	}
	text = bytes.Join(kept, nil)
	_ = replacePrivate(file, text)
	return text
}

// wrote marks what was written; the write itself is done, whatever comes of this.
func (s *Store) wrote(lineage string, sum Summary, info *Info) {
	s.pins.mark(lineage, sum.Addr, mark{info.ConfigSerial, sum.Generation})
}

// MaySpend tells whether the refresh token of a record may be sent. Not if the record
// is older than what this machine has written of it (ErrRollback): the token is spent
// then, and sending it may end the grant. And not if the server takes it once only, and
// what it answers would be lost (Options.Lost). It is asked before a refresh token is sent, and not to
// read a token.
func (s *Store) MaySpend(ctx context.Context, r *Record, once bool) error {
	if once && s.o.Lost != nil {
		return s.o.Lost
	}
	o, err := s.open(ctx, nil)
	if err != nil {
		return err
	}
	m, ok, err := s.pins.marked(o.header.Lineage, r.Addr)
	if err != nil || !ok || m.newer(r.Info.ConfigSerial, r.Generation) {
		return err
	}
	if s.pins.accept {
		s.wrote(o.header.Lineage, r.Summary, r.Info)
		return nil
	}
	here := mark{r.Info.ConfigSerial, r.Generation}
	return WithAdvice(fmt.Errorf("%w: %s has %s at %s, and this machine has written %s", ErrRollback, s.Location(), r.Addr, here.words(m), m.words(here)),
		"bring back the newer state; if you restored an old one on purpose, add -accept-rollback (the refresh token may be spent, and sending it may end the grant)")
}

package state_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/state"
)

// markFile is the file of marks that a machine has.
func markFile(t *testing.T, x pinned) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(x.pins, "*.marks"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("files of marks: %v", files)
	}
	return files[0]
}

// older makes a state, and puts one from before a refresh in its place.
func older(t *testing.T, p person) pinned {
	t.Helper()
	x := newPinned(t)
	x.make(t, p)
	backup := filepath.Join(t.TempDir(), "backup")
	copyFile(t, x.path, backup)
	must(t, x.with(t, p, func(s *state.Store) error { rotate(t, s, record("graph").Addr, "rotated"); return nil }))
	copyFile(t, backup, x.path)
	return x
}

func behind(t *testing.T, x pinned, p person, accept bool) error {
	t.Helper()
	s := openStore(t, openFile(t, x.path), p, func(o *state.Options) { o.PinDir, o.AcceptRollback = x.pins, accept })
	r, err := s.Get(t.Context(), record("graph").Addr, state.PartInfo)
	must(t, err)
	return s.MaySpend(t.Context(), r, true)
}

func TestAnAcceptedRollbackIsAskedAboutOnce(t *testing.T) {
	alice := newPerson(t)
	x := older(t, alice)
	if err := behind(t, x, alice, false); !errors.Is(err, state.ErrRollback) || !strings.Contains(err.Error(), "-accept-rollback") {
		t.Errorf("error %v", err)
	}
	must(t, behind(t, x, alice, true))
	must(t, behind(t, x, alice, false))
}

func TestAnAcceptedRollbackOfTheSerialLowersThePin(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	backup := filepath.Join(t.TempDir(), "backup")
	copyFile(t, x.path, backup)
	must(t, x.with(t, alice, bump(t)))
	copyFile(t, backup, x.path)
	if err := x.read(t, alice); !errors.Is(err, state.ErrRollback) {
		t.Errorf("error %v", err)
	}
	must(t, behind(t, x, alice, true))
	must(t, x.read(t, alice))
}

// Reading touches no mark, and neither does a machine that only reads.
func TestReadingTouchesNoMark(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	file := markFile(t, x)
	must(t, os.Remove(file))
	must(t, x.read(t, alice))
	if _, err := os.Stat(file); err == nil {
		t.Error("reading wrote marks")
	}
}

func TestMarksAreSmallAndSurviveWhatIsNotOne(t *testing.T) {
	alice := newPerson(t)
	x := older(t, alice)
	file := markFile(t, x)
	text, err := os.ReadFile(file)
	must(t, err)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || strings.Contains(string(text), "graph") {
		t.Errorf("%v, %v:\n%s", info.Mode(), err, text)
	}
	key := string(text[:16])
	for range 20_000 {
		text = fmt.Appendf(text, "%016x 0 1\n", 7)
	}
	must(t, os.WriteFile(file, append(text, key+" 0 1"...), 0o600)) // the last line was cut
	if err := behind(t, x, alice, false); !errors.Is(err, state.ErrRollback) {
		t.Errorf("error %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() > 200 {
		t.Errorf("it was not made small: %d bytes, %v", info.Size(), err)
	}
	if err := behind(t, x, alice, false); !errors.Is(err, state.ErrRollback) {
		t.Errorf("made small, it has lost a mark: %v", err)
	}
}

// A record that was made anew counts from 1 under a later serial.
func TestARecordThatWasMadeAnewIsNotBehind(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	must(t, x.with(t, alice, func(s *state.Store) error {
		a := record("graph").Addr
		rotate(t, s, a, "second")
		rotate(t, s, a, "third")
		must(t, s.Delete(t.Context(), a, 3))
		r := record("graph")
		must(t, s.PutNext(t.Context(), r))
		r.Generation, r.Info.ConfigSerial = 1, 2 // by a machine that had nothing of it
		return s.MaySpend(t.Context(), r, true)
	}))
}

func BenchmarkMark(b *testing.B) {
	p := newPerson(b)
	s := create(b, openStore(b, openFile(b, filepath.Join(b.TempDir(), "x.state")), p, func(o *state.Options) { o.PinDir = b.TempDir() }))
	r := record("graph")
	must(b, s.Put(b.Context(), r))
	for b.Loop() {
		must(b, s.MaySpend(b.Context(), r, true))
	}
}

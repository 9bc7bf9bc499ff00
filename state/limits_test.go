package state_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// The tests below say where the promises of a state end: docs/threat-model.md
// names them. Whoever makes one of them fail has made the state better, and
// should correct that page.

func TestAnOldCopyIsBelievedWhereNoNewerOneWasSeen(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	elsewhere := pinned{filepath.Join(t.TempDir(), "copy.state"), filepath.Join(t.TempDir(), "pins")}
	copyFile(t, x.path, elsewhere.path)
	must(t, x.with(t, alice, bump(t)))
	if err := elsewhere.read(t, alice); err != nil {
		t.Errorf("an old copy on a machine that never saw a newer one: %v", err)
	}
}

func TestAnOldCopyFromBeforeRefreshesIsReadAndNotRefreshed(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	backup := filepath.Join(t.TempDir(), "backup")
	copyFile(t, x.path, backup)
	must(t, x.with(t, alice, func(s *state.Store) error { // as a refresh writes
		r, err := s.Get(t.Context(), record("graph").Addr, state.PartAll)
		must(t, err)
		r.Tokens.RefreshToken = "rotated"
		return s.Put(t.Context(), r)
	}))
	copyFile(t, backup, x.path)
	if err := x.read(t, alice); err != nil {
		t.Errorf("only an apply raises the serial that pins remember: %v", err)
	}
	must(t, x.with(t, alice, func(s *state.Store) error {
		r, err := s.Get(t.Context(), record("graph").Addr, state.PartInfo)
		must(t, err)
		if err := s.MaySpend(t.Context(), r, true); !errors.Is(err, state.ErrRollback) {
			t.Errorf("its refresh token may be sent: %v", err)
		}
		return nil
	}))
}

func TestAnOldRowInItsOwnPlaceIsReadAndNotRefreshed(t *testing.T) {
	alice, b := newPerson(t), backendtest.NewMemory()
	pins := func(dir string) func(*state.Options) { return func(o *state.Options) { o.PinDir = dir } }
	s := openStore(t, b, alice, pins(t.TempDir()))
	must(t, s.Create(t.Context()))
	must(t, s.Put(t.Context(), record("graph")))
	a := record("graph").Addr
	old, err := b.Get(t.Context(), a, state.PartAll)
	must(t, err)
	r, err := s.Get(t.Context(), a, state.PartAll)
	must(t, err)
	r.Tokens.RefreshToken = "rotated"
	must(t, s.Put(t.Context(), r))
	must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: old, Was: r.Generation}}}))
	back, err := s.Get(t.Context(), a, state.PartAll)
	if err != nil || back.Tokens.RefreshToken == "rotated" {
		t.Errorf("a row that was written before, at its own address: %v", err)
	}
	if err := s.MaySpend(t.Context(), back, true); !errors.Is(err, state.ErrRollback) {
		t.Errorf("its refresh token may be sent: %v", err)
	}
	elsewhere := openStore(t, b, alice, pins(t.TempDir()))
	if err := elsewhere.MaySpend(t.Context(), back, true); err != nil {
		t.Errorf("a machine that has written no newer one: %v", err)
	}
}

func TestADeletedRowIsNotMissed(t *testing.T) {
	alice, b := newPerson(t), backendtest.NewMemory()
	s := openStore(t, b, alice)
	must(t, s.Create(t.Context()))
	must(t, s.Put(t.Context(), record("graph")))
	must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: state.Row{Summary: state.Summary{Addr: record("graph").Addr}}, Was: 1, Delete: true}}}))
	if all, err := s.All(t.Context(), state.PartAll); err != nil || len(all) != 0 {
		t.Errorf("%d records, %v", len(all), err)
	}
}

func TestClearColumnsAreBelievedOnlyWithoutAKey(t *testing.T) {
	alice, b := newPerson(t), backendtest.NewMemory()
	s := openStore(t, b, alice)
	must(t, s.Create(t.Context()))
	must(t, s.Put(t.Context(), record("graph")))
	a := record("graph").Addr
	row, err := b.Get(t.Context(), a, state.PartAll)
	must(t, err)
	row.Status = state.StatusNeedsConsent
	must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: row, Was: 1}}}))
	sums, err := s.Summaries(t.Context())
	if err != nil || sums[0].Status != state.StatusNeedsConsent {
		t.Errorf("without a key: %v, %v", sums, err)
	}
	if _, err := s.Get(t.Context(), a, state.PartInfo); !errors.Is(err, state.ErrTampered) {
		t.Errorf("with the key: %v, want ErrTampered", err)
	}
}

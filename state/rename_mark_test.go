package state_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// reused is a state in which a record lived at an address, up to generation 9, and was
// removed so long ago that nothing of it is kept; and its last row.
func reused(t *testing.T, b state.Backend, p person, options ...func(*state.Options)) (s *state.Store, there addr.Addr, last state.Row) {
	t.Helper()
	s = create(t, openStore(t, b, p, options...))
	former := record("mail")
	must(t, s.PutNext(t.Context(), former))
	for i := range 8 {
		rotate(t, s, former.Addr, secret.Secret(fmt.Sprint("former-", i)))
	}
	last, err := b.Get(t.Context(), former.Addr, state.PartAll)
	must(t, err)
	must(t, s.Delete(t.Context(), former.Addr, 9))
	var gone []state.Change
	for i := range state.KeptRemoved {
		row := last
		row.Addr, row.Generation = addr.Connection(fmt.Sprint("c", i)), 1
		must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: row}}}))
		gone = append(gone, state.Change{Row: state.Row{Summary: state.Summary{Addr: row.Addr}}, Was: 1, Delete: true})
	}
	must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: gone}))
	if next, err := s.NextGeneration(t.Context(), former.Addr); err != nil || next != 1 {
		t.Fatalf("something is kept of %s: %d, %v", former.Addr, next, err)
	}
	return s, former.Addr, last
}

func keepPins(dir string) func(*state.Options) {
	return func(o *state.Options) { o.PinDir = dir }
}

// A record that moves to an address at which another lived is no rollback, on no
// machine that has written the other.
func TestAMoveToAnAddressThatWasUsedIsNoRollback(t *testing.T) {
	alice, b, here, there := newPerson(t), backendtest.NewMemory(), t.TempDir(), t.TempDir()
	s, to, _ := reused(t, b, alice, keepPins(here))
	copyPins(t, here, there)
	must(t, s.Put(t.Context(), record("graph")))
	_, err := s.Rename(t.Context(), []state.Rename{{From: record("graph").Addr, To: to}}, time.Second)
	must(t, err)
	for name, dir := range map[string]string{"here": here, "on another machine": there} {
		s := openStore(t, b, alice, keepPins(dir))
		r, err := s.Get(t.Context(), to, state.PartInfo)
		must(t, err)
		if err := s.MaySpend(t.Context(), r, true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What lived at an address before does not come back by a move there, nor by a new record.
func TestWhatLivedAtAnAddressBeforeIsARollback(t *testing.T) {
	for name, arrive := range map[string]func(*state.Store, addr.Addr) error{
		"a move": func(s *state.Store, to addr.Addr) error {
			if err := s.Put(t.Context(), record("graph")); err != nil {
				return err
			}
			_, err := s.Rename(t.Context(), []state.Rename{{From: record("graph").Addr, To: to}}, time.Second)
			return err
		},
		"a new record": func(s *state.Store, to addr.Addr) error {
			r := record(to.Name)
			return s.PutNext(t.Context(), r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := backendtest.NewMemory()
			s, to, last := reused(t, b, newPerson(t), keepPins(t.TempDir()))
			must(t, arrive(s, to))
			now, err := s.Get(t.Context(), to, state.PartInfo)
			must(t, err)
			must(t, s.MaySpend(t.Context(), now, true))
			must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: last, Was: now.Generation}}}))
			old, err := s.Get(t.Context(), to, state.PartInfo)
			must(t, err)
			if err := s.MaySpend(t.Context(), old, true); !errors.Is(err, state.ErrRollback) {
				t.Errorf("the refresh token of a former life may be sent: %v", err)
			}
		})
	}
}

// The row that a moved record arrived as is remembered, as every write is.
func TestAMovedRecordIsMarked(t *testing.T) {
	b := backendtest.NewMemory()
	s := create(t, openStore(t, b, newPerson(t), keepPins(t.TempDir())))
	to := addr.Connection("mail")
	must(t, s.Put(t.Context(), record("graph")))
	_, err := s.Rename(t.Context(), []state.Rename{{From: record("graph").Addr, To: to}}, time.Second)
	must(t, err)
	early, err := b.Get(t.Context(), to, state.PartAll)
	must(t, err)
	rotate(t, s, to, "rotated")
	_, err = s.Rename(t.Context(), []state.Rename{{From: to, To: record("graph").Addr}}, time.Second)
	must(t, err)
	_, err = s.Rename(t.Context(), []state.Rename{{From: record("graph").Addr, To: to}}, time.Second)
	must(t, err)
	now, err := s.Get(t.Context(), to, state.PartInfo)
	must(t, err)
	must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: early, Was: now.Generation}}}))
	old, err := s.Get(t.Context(), to, state.PartInfo)
	must(t, err)
	if err := s.MaySpend(t.Context(), old, true); !errors.Is(err, state.ErrRollback) {
		t.Errorf("error %v", err)
	}
}

// copyPins makes a machine that has seen what another has.
func copyPins(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.CopyFS(to, os.DirFS(from)))
}

// What a forced push brings back is newest of all on every machine, also on one that has
// written what it takes the place of, and with what the state has removed.
func TestAForcedPushIsNoRollbackElsewhere(t *testing.T) {
	alice, b, here, there := newPerson(t), backendtest.NewMemory(), t.TempDir(), t.TempDir()
	s := create(t, openStore(t, b, alice, keepPins(here)))
	for _, n := range []string{"graph", "mail", "same"} {
		must(t, s.PutNext(t.Context(), record(n)))
	}
	rotate(t, s, addr.Connection("mail"), "mail-2")
	old := export(t, s)

	elsewhere := openStore(t, b, alice, keepPins(there))
	for _, n := range []string{"graph", "mail"} {
		r, err := elsewhere.Get(t.Context(), addr.Connection(n), state.PartAll)
		must(t, err)
		must(t, elsewhere.PutNext(t.Context(), r))
		rotate(t, elsewhere, r.Addr, "later")
		rotate(t, elsewhere, r.Addr, "latest")
	}
	must(t, elsewhere.Delete(t.Context(), addr.Connection("mail"), 5))
	p, err := s.Push(t.Context(), old, state.PushOptions{Force: true})
	must(t, err)
	if got := tokens(t, s); got != "graph/5:rt-graph mail/6:mail-2 same/1:rt-same " || p.Unchanged != 1 {
		t.Errorf("%s, %+v", got, p)
	}
	for _, n := range []string{"graph", "mail", "same"} {
		r, err := elsewhere.Get(t.Context(), addr.Connection(n), state.PartInfo)
		must(t, err)
		if err := elsewhere.MaySpend(t.Context(), r, true); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
}

// A later document may have a record that was removed here, under a generation that is
// kept here of another: no generation of an address is used twice.
func TestAPushUsesNoGenerationTwice(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph")
	other := openStore(t, backendtest.NewMemory(), alice)
	_, err := other.Push(t.Context(), export(t, s), state.PushOptions{})
	must(t, err)
	rotate(t, s, addr.Connection("graph"), "here-2")
	rotate(t, s, addr.Connection("graph"), "here-3")
	must(t, s.Delete(t.Context(), addr.Connection("graph"), 3))
	rotate(t, other, addr.Connection("graph"), "there-2")
	must(t, other.PutNext(t.Context(), record("new")))
	_, err = s.Push(t.Context(), export(t, other), state.PushOptions{})
	must(t, err)
	rotate(t, s, addr.Connection("graph"), "next")
	if got := kept(t, s, addr.Connection("graph")); got != "3:here-3 4:there-2 " {
		t.Errorf("kept %s", got)
	}
}

// A copy that went on by itself may have refreshed more, and lack what was applied here.
func TestADocumentWithoutWhatWasAppliedHereIsOlder(t *testing.T) {
	alice := newPerson(t)
	for _, removed := range []bool{false, true} {
		s, _ := holding(t, alice, "graph")
		other := openStore(t, backendtest.NewMemory(), alice)
		_, err := other.Push(t.Context(), export(t, s), state.PushOptions{})
		must(t, err)
		r, err := s.Get(t.Context(), addr.Connection("graph"), state.PartAll)
		must(t, err)
		must(t, s.PutNext(t.Context(), r))
		if removed {
			must(t, s.Delete(t.Context(), r.Addr, r.Generation))
		}
		rotate(t, other, r.Addr, "there-2")
		rotate(t, other, r.Addr, "there-3")
		must(t, other.PutNext(t.Context(), record("new")))
		_, err = s.Push(t.Context(), export(t, other), state.PushOptions{})
		if !errors.Is(err, state.ErrOlder) || !strings.Contains(err.Error(), "connection.graph as of serial 1") {
			t.Errorf("removed: %v: %v", removed, err)
		}
		_, err = s.Push(t.Context(), export(t, other), state.PushOptions{Force: true})
		must(t, err)
		if got := tokens(t, s); got != "graph/4:there-3 new/2:rt-new " {
			t.Errorf("removed: %v: %s", removed, got)
		}
	}
}

// A row that was removed, or moved away, does not come back with the token that it had.
func TestARowThatHasGoneIsARollback(t *testing.T) {
	for name, leave := range map[string]func(*state.Store, *state.Record) error{
		"moved": func(s *state.Store, r *state.Record) error {
			_, err := s.Rename(t.Context(), []state.Rename{{From: r.Addr, To: addr.Connection("mail")}}, time.Second)
			return err
		},
		"removed": func(s *state.Store, r *state.Record) error {
			_, err := s.DeleteNext(t.Context(), r.Addr, r.Generation)
			return err
		},
		"revoked": func(s *state.Store, r *state.Record) error {
			_, err := s.BuryNext(t.Context(), r, clock())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := backendtest.NewMemory()
			s := create(t, openStore(t, b, newPerson(t), keepPins(t.TempDir())))
			r := record("graph")
			must(t, s.PutNext(t.Context(), r))
			old, err := b.Get(t.Context(), r.Addr, state.PartAll)
			must(t, err)
			must(t, leave(s, r))
			must(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: old}}}))
			back, err := s.Get(t.Context(), r.Addr, state.PartInfo)
			must(t, err)
			if err := s.MaySpend(t.Context(), back, true); !errors.Is(err, state.ErrRollback) || strings.Contains(err.Error(), "generation 0") {
				t.Errorf("its refresh token may be sent: %v", err)
			}
			must(t, s.Delete(t.Context(), r.Addr, back.Generation))
			anew := record("graph")
			must(t, s.PutNext(t.Context(), anew))
			must(t, s.MaySpend(t.Context(), anew, true))
		})
	}
}

package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// rotate writes a new refresh token into a record, as a refresh does.
func rotate(t *testing.T, s *state.Store, a addr.Addr, token secret.Secret) {
	t.Helper()
	r, err := s.Get(t.Context(), a, state.PartAll)
	must(t, err)
	r.Tokens.RefreshToken = token
	must(t, s.Put(t.Context(), r))
}

// kept are the refresh tokens that are kept, by GENERATION.
func kept(t *testing.T, s *state.Store, a addr.Addr) string {
	t.Helper()
	rs, err := s.History(t.Context(), a, state.PartAll)
	must(t, err)
	out := ""
	for _, r := range rs {
		out += fmt.Sprintf("%d:%s ", r.Generation, r.Tokens.RefreshToken.Reveal())
	}
	return out
}

func TestEarlierGenerationsOpenAndSurviveANewKey(t *testing.T) {
	alice, bob, b := newPerson(t), newPerson(t), backendtest.NewMemory()
	s := openStore(t, b, alice, func(o *state.Options) { o.Recipients = append(o.Recipients, bob.recipient) })
	must(t, s.Create(t.Context()))
	r := record("graph")
	r.Tokens.RefreshToken = "first"
	must(t, s.Put(t.Context(), r))
	rotate(t, s, r.Addr, "second")
	rotate(t, s, r.Addr, "third")
	if got := kept(t, s, r.Addr); got != "1:first 2:second " {
		t.Errorf("kept %s", got)
	}
	bobs := openStore(t, b, bob)
	if got := kept(t, bobs, r.Addr); got != "1:first 2:second " {
		t.Errorf("bob reads %s", got)
	}
	must(t, s.Rekey(t.Context(), []string{alice.recipient}))
	if got := kept(t, s, r.Addr); got != "1:first 2:second " {
		t.Errorf("after the new key: %s", got)
	}
	// Bob has the former data key in memory, and it opens nothing of what is there now.
	if _, err := bobs.History(t.Context(), r.Addr, state.PartAll); !errors.Is(err, state.ErrNoKey) {
		t.Errorf("whoever was removed reads the history: %v", err)
	}
}

func TestANewRecordGoesOnFromWhatIsKept(t *testing.T) {
	s := create(t, openStore(t, backendtest.NewMemory(), newPerson(t)))
	r := record("graph")
	must(t, s.Put(t.Context(), r))
	rotate(t, s, r.Addr, "second")
	must(t, s.Delete(t.Context(), r.Addr, 2))
	again := record("graph")
	must(t, s.Put(t.Context(), again))
	if again.Generation != 3 {
		t.Errorf("generation %d: one of an earlier record has it too", again.Generation)
	}
	if got := kept(t, s, r.Addr); got != "2:second " {
		t.Errorf("kept %s", got)
	}
}

func TestAMovedRecordIsNewerThanWhatIsKeptAtItsNewAddress(t *testing.T) {
	s := create(t, openStore(t, backendtest.NewMemory(), newPerson(t)))
	old, r := record("old"), record("graph")
	must(t, s.Put(t.Context(), r))
	rotate(t, s, r.Addr, "second")
	rotate(t, s, r.Addr, "third")
	must(t, s.Delete(t.Context(), r.Addr, 3))
	must(t, s.Put(t.Context(), old))
	_, err := s.Rename(t.Context(), []state.Rename{{From: old.Addr, To: r.Addr}}, 0)
	must(t, err)
	if moved, err := s.Get(t.Context(), r.Addr, state.PartInfo); err != nil || moved.Generation != 5 {
		t.Errorf("%+v, %v", moved, err)
	}
}

// What is kept of a record moves along with it, and can be gone back to there.
func TestWhatIsKeptMovesAlong(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		there, r, other := record("there"), record("graph"), record("other")
		r.Tokens.RefreshToken, there.Tokens.RefreshToken = "first", "theirs"
		r.Info.DependsOn = []string{"connection.other"}
		put(t, s, r, there, other)
		rotate(t, s, r.Addr, "second")
		rotate(t, s, r.Addr, "third")
		rotate(t, s, there.Addr, "theirs-2")
		must(t, s.Delete(t.Context(), there.Addr, 2))
		_, err := s.Rename(t.Context(), []state.Rename{{From: r.Addr, To: there.Addr}, {From: other.Addr, To: addr.Connection("b")}}, time.Second)
		must(t, err)
		if got := kept(t, s, there.Addr); got != "2:theirs-2 3:first 4:second 5:third " {
			t.Errorf("kept %s", got)
		}
		if got := kept(t, s, r.Addr); got != "4: " {
			t.Errorf("kept at the former address: %s", got)
		}
		now, err := s.Get(t.Context(), there.Addr, state.PartAll)
		if err != nil || now.Generation != 6 || now.Tokens.RefreshToken != "third" {
			t.Errorf("%+v, %v", now, err)
		}
		past, err := s.History(t.Context(), there.Addr, state.PartInfo)
		must(t, err)
		if d := past[2].Info.DependsOn; len(d) != 1 || d[0] != "connection.b" {
			t.Errorf("an earlier generation depends on %v", d)
		}
		rotate(t, s, there.Addr, "fourth")
		must(t, s.Delete(t.Context(), there.Addr, 7))
		if got := kept(t, s, there.Addr); got != "7:fourth " {
			t.Errorf("removed, kept %s", got)
		}
	})
}

func TestWhatMovesAlongIsBounded(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := created(t, b)
		there, r := record("there"), record("graph")
		put(t, s, there, r)
		must(t, s.Delete(t.Context(), there.Addr, 1))
		for i := range state.KeptGenerations + 2 {
			rotate(t, s, r.Addr, secret.Secret(fmt.Sprint("r", i)))
		}
		_, err := s.Rename(t.Context(), []state.Rename{{From: r.Addr, To: there.Addr}}, time.Second)
		must(t, err)
		if got := kept(t, s, there.Addr); got != "5:r2 6:r3 7:r4 8:r5 9:r6 " {
			t.Errorf("kept %s", got)
		}
	})
}

func TestAKeptGenerationThatWasChangedIsNotBelieved(t *testing.T) {
	alice, b := newPerson(t), backendtest.NewMemory()
	s := create(t, openStore(t, b, alice))
	r := record("graph")
	must(t, s.Put(t.Context(), r))
	rotate(t, s, r.Addr, "second")
	var rows []state.Row
	must(t, b.Past(t.Context(), r.Addr, state.PartAll, func(row state.Row) error { rows = append(rows, row); return nil }))
	h, err := b.Header(t.Context())
	must(t, err)
	for name, spoil := range map[string]func(*state.Row){
		"a bit":        func(r *state.Row) { r.Tokens = bytes.Clone(r.Tokens); r.Tokens[40] ^= 1 },
		"a generation": func(r *state.Row) { r.Generation = 9 },
		"a column":     func(r *state.Row) { r.Status = state.StatusNeedsConsent },
	} {
		row := rows[0]
		spoil(&row)
		h.Version++
		must(t, b.Write(t.Context(), state.Batch{Header: &h, Epoch: 1, Past: []state.Row{row}}))
		if _, err := s.History(t.Context(), r.Addr, state.PartAll); !errors.Is(err, state.ErrTampered) {
			t.Errorf("%s: %v, want ErrTampered", name, err)
		}
	}
}

func TestWhatIsKeptIsNotInClear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	s := create(t, openStore(t, openFile(t, path), newPerson(t)))
	r := record("graph")
	r.Tokens.RefreshToken = "canary-of-the-first-generation"
	must(t, s.Put(t.Context(), r))
	rotate(t, s, r.Addr, "canary-of-the-second-generation")
	must(t, s.Delete(t.Context(), r.Addr, 2))
	text, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(text, []byte("canary-of")) {
		t.Error("a token is in the file in clear")
	}
}

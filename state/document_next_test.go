package state_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// The document of the state as it will be is, when that is saved, the document of
// the state.
func TestTheDocumentOfWhatWillBeSaved(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	s, _ := holding(t, alice, "graph", "mail")
	next := func() *state.Record {
		t.Helper()
		r, err := s.Get(t.Context(), addr.Connection("graph"), state.PartAll)
		must(t, err)
		out := *r
		tokens := *r.Tokens
		tokens.RefreshToken = "canary-refresh-2"
		out.Tokens = &tokens
		return &out
	}
	before := export(t, s)
	r := next()
	text, save, err := s.ExportNext(t.Context(), r)
	must(t, err)
	if !bytes.Equal(export(t, s), before) || r.Generation != 1 {
		t.Error("to export changed the state, or the record")
	}
	must(t, save(t.Context()))
	if !bytes.Equal(export(t, s), text) || r.Generation != 2 || tokens(t, s) != "graph/2:refresh-2 mail/1:refresh-1 " {
		t.Errorf("another document was saved: %s", tokens(t, s))
	}

	// Somebody else writes it in between.
	stale := next()
	_, save, err = s.ExportNext(t.Context(), stale)
	must(t, err)
	must(t, s.Put(t.Context(), next()))
	if err := save(t.Context()); !errors.Is(err, state.ErrConflict) {
		t.Errorf("saved over what somebody else wrote: %v", err)
	}
	if _, _, err := s.ExportNext(t.Context(), stale); !errors.Is(err, state.ErrConflict) {
		t.Errorf("exported what will not be: %v", err)
	}

	// The data key changes in between: what is saved is under the new one.
	r = next()
	_, save, err = s.ExportNext(t.Context(), r)
	must(t, err)
	must(t, s.Rekey(t.Context(), []string{bob.recipient, alice.recipient}))
	must(t, s.Rekey(t.Context(), []string{alice.recipient}))
	must(t, save(t.Context()))
	if got := tokens(t, s); got != "graph/4:refresh-2 mail/1:refresh-1 " {
		t.Errorf("%s", got)
	}
}

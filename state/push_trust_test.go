package state_test

import (
	"errors"
	"testing"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
	"github.com/oauthctl/oauthctl/state/seal"
)

// A state that somebody made who knows the recipients alone, and that a machine has never
// seen, is pushed only if somebody trusts it.
func TestAPushedStateThatWasNeverSeenIsAskedAbout(t *testing.T) {
	alice := newPerson(t)
	forged, _ := holding(t, alice, "graph", "mail")
	text := export(t, forged)
	refused := errors.New("never heard of it")
	pins, b := t.TempDir(), backendtest.NewMemory()
	s := openStore(t, b, alice, keepPins(pins))
	var asked []string
	ask := func(answer error) state.PushOptions {
		asked = nil
		return state.PushOptions{Trust: func(p *state.Pushed, holds []*state.Record) error {
			for _, r := range holds {
				if r.Info == nil || r.Tokens != nil {
					t.Errorf("%s comes with %v, %v", r.Addr, r.Info, r.Tokens)
				}
				asked = append(asked, r.Addr.Name)
			}
			return answer
		}}
	}
	if _, err := s.Push(t.Context(), text, ask(refused)); !errors.Is(err, refused) || len(asked) != 2 {
		t.Errorf("%v, %v", err, asked)
	}
	if _, err := s.Summaries(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("it was written: %v", err)
	}
	if _, err := s.Push(t.Context(), text, ask(nil)); err != nil || len(asked) != 2 {
		t.Errorf("%v, %v", err, asked)
	}
	// What was seen once is known, at every place.
	again := openStore(t, backendtest.NewMemory(), alice, keepPins(pins))
	if _, err := again.Push(t.Context(), text, ask(refused)); err != nil || len(asked) != 0 {
		t.Errorf("%v, %v", err, asked)
	}
	// In the place of another state, it is a stranger as well.
	other, _ := holding(t, alice, "graph")
	if _, err := s.Push(t.Context(), export(t, other), state.PushOptions{Force: true, Trust: ask(refused).Trust}); !errors.Is(err, refused) || len(asked) != 1 {
		t.Errorf("%v, %v", err, asked)
	}
}

// A state under the lineage of one that is known, and not of its data key, is forged,
// whatever is said: also in the place of another state.
func TestAPushedStateThatBorrowsALineageIsRefused(t *testing.T) {
	alice, pins := newPerson(t), t.TempDir()
	known := create(t, openStore(t, backendtest.NewMemory(), alice, keepPins(pins)))
	lineage, _, err := known.Lineage(t.Context())
	must(t, err)
	box, err := seal.NewBox(seal.NewKey(), lineage)
	must(t, err)
	h := seal.NewHeader(box)
	recipients, err := seal.ParseRecipients([]string{alice.recipient})
	must(t, err)
	wrapped, err := box.Wrap(recipients[0])
	must(t, err)
	h.Keys = append(h.Keys, wrapped)
	b := backendtest.NewMemory()
	must(t, b.Write(t.Context(), state.Batch{Header: &state.Header{Version: 1, Epoch: 1, Bytes: h.Encode(box)}}))
	text := export(t, openStore(t, b, alice))
	for name, place := range map[string]*state.Store{
		"an empty place":  openStore(t, backendtest.NewMemory(), alice, keepPins(pins)),
		"another's place": create(t, openStore(t, elsewhere{backendtest.NewMemory()}, alice, keepPins(pins))),
	} {
		if _, err := place.Push(t.Context(), text, state.PushOptions{Force: true}); !errors.Is(err, state.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// elsewhere is a backend at another place.
type elsewhere struct{ state.Backend }

func (elsewhere) Location() string { return "elsewhere" }

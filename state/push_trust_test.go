package state_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
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
	text := export(t, openStore(t, borrowed(t, known, alice, 1), alice))
	for name, place := range map[string]*state.Store{
		"an empty place":  openStore(t, backendtest.NewMemory(), alice, keepPins(pins)),
		"another's place": create(t, openStore(t, elsewhere{backendtest.NewMemory()}, alice, keepPins(pins))),
	} {
		if _, err := place.Push(t.Context(), text, state.PushOptions{Force: true}); !errors.Is(err, state.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// borrowed is a state that somebody made who knows the lineage and the recipient of s, and no key.
func borrowed(t *testing.T, s *state.Store, p person, epoch uint64) state.Backend {
	t.Helper()
	lineage, _, err := s.Lineage(t.Context())
	must(t, err)
	box, err := seal.NewBox(seal.NewKey(), lineage)
	must(t, err)
	h := seal.NewHeader(box)
	h.Epoch = epoch
	recipients, err := seal.ParseRecipients([]string{p.recipient})
	must(t, err)
	wrapped, err := box.Wrap(recipients[0])
	must(t, err)
	h.Keys = append(h.Keys, wrapped)
	b := backendtest.NewMemory()
	must(t, b.Write(t.Context(), state.Batch{Header: &state.Header{Version: 1, Epoch: epoch, Bytes: h.Encode(box)}}))
	return b
}

// Where the state is whose lineage was borrowed, the forged document is refused for its data key,
// whatever is said, and with no memory of this machine as well.
func TestAForgedDocumentIsNotMergedIntoTheStateThatItNames(t *testing.T) {
	for _, c := range []struct {
		forged, here uint64 // epochs
		pinned       bool
	}{{1, 1, true}, {1, 2, true}, {2, 1, true}, {2, 2, true}, {1, 1, false}, {1, 2, false}, {2, 1, false}} {
		for _, force := range []bool{false, true} {
			alice, pins := newPerson(t), ""
			if c.pinned {
				pins = t.TempDir()
			}
			s := create(t, openStore(t, backendtest.NewMemory(), alice, keepPins(pins)))
			must(t, s.PutNext(t.Context(), record("graph")))
			if c.here == 2 {
				rotateKey(t, s, alice)
			}
			forger := openStore(t, borrowed(t, s, alice, c.forged), alice)
			r := record("graph")
			for range 5 { // a later serial, and a later generation
				must(t, forger.PutNext(t.Context(), r))
			}
			before := export(t, s)
			_, err := s.Push(t.Context(), export(t, forger), state.PushOptions{Force: force})
			if !errors.Is(err, state.ErrTampered) || !bytes.Equal(export(t, s), before) {
				t.Errorf("%+v, forced: %v: %v", c, force, err)
			}
		}
	}
}

// rotateKey gives a state a new data key, for the same people.
func rotateKey(t *testing.T, s *state.Store, p person) {
	t.Helper()
	must(t, s.Rekey(t.Context(), []string{p.recipient, newPerson(t).recipient}))
	must(t, s.Rekey(t.Context(), []string{p.recipient}))
}

// Two copies that each got a data key of their own: neither has what the other has, and only
// whoever says so lets one go.
func TestADocumentUnderAKeyMadeBesideIsForced(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph")
	beside := openStore(t, backendtest.NewMemory(), alice)
	_, err := beside.Push(t.Context(), export(t, s), state.PushOptions{})
	must(t, err)
	rotateKey(t, s, alice)
	for range 2 { // as many keys, and one more
		rotateKey(t, beside, alice)
		rotate(t, beside, addr.Connection("graph"), "canary-refresh-2")
		if _, err := s.Push(t.Context(), export(t, beside), state.PushOptions{}); !errors.Is(err, state.ErrOlder) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := s.Push(t.Context(), export(t, beside), state.PushOptions{Force: true}); err != nil || !strings.Contains(tokens(t, s), "refresh-2") {
		t.Errorf("%v, %s", err, tokens(t, s))
	}
}

// An earlier serial is no way around the data key that this machine knows: a rollback that
// somebody accepts is one of the right state.
func TestAForgedOldStateIsNoRollback(t *testing.T) {
	alice, pins := newPerson(t), t.TempDir()
	known := create(t, openStore(t, backendtest.NewMemory(), alice, keepPins(pins)))
	must(t, known.PutNext(t.Context(), record("graph")))
	must(t, known.PutNext(t.Context(), record("mail")))
	forged := borrowed(t, known, alice, 1)
	accepting := openStore(t, elsewhere{forged}, alice, keepPins(pins), func(o *state.Options) { o.AcceptRollback = true })
	if _, err := accepting.All(t.Context(), state.PartAll); !errors.Is(err, state.ErrTampered) {
		t.Errorf("accepted: %v", err)
	}
	place := openStore(t, elsewhere{backendtest.NewMemory()}, alice, keepPins(pins))
	if _, err := place.Push(t.Context(), export(t, openStore(t, forged, alice)), state.PushOptions{Force: true}); !errors.Is(err, state.ErrTampered) {
		t.Errorf("pushed: %v", err)
	}
	// Whose an earlier data key is, a pin does not tell: somebody has to.
	rotateKey(t, known, alice)
	refused := errors.New("asked")
	_, err := place.Push(t.Context(), export(t, openStore(t, forged, alice)), state.PushOptions{
		Force: true, Trust: func(*state.Pushed, []*state.Record) error { return refused },
	})
	if !errors.Is(err, refused) {
		t.Errorf("of an earlier key: %v", err)
	}
}

// elsewhere is a backend at another place.
type elsewhere struct{ state.Backend }

func (elsewhere) Location() string { return "elsewhere" }

// Two copies each refreshed, and one got a new data key: the same generation is not the same
// record there, and what is here is not lost without a word.
func TestTheSameGenerationUnderALaterKeyIsComparedAsWell(t *testing.T) {
	alice := newPerson(t)
	graph := addr.Connection("graph")
	s, _ := holding(t, alice, "graph", "mail")
	copied := openStore(t, backendtest.NewMemory(), alice)
	_, err := copied.Push(t.Context(), export(t, s), state.PushOptions{})
	must(t, err)
	rotateKey(t, copied, alice)
	rotate(t, copied, graph, "canary-refresh-there")
	rotate(t, s, graph, "canary-refresh-here")
	if _, err := s.Push(t.Context(), export(t, copied), state.PushOptions{}); !errors.Is(err, state.ErrOlder) {
		t.Errorf("error %v, %s", err, tokens(t, s))
	}
	p, err := s.Push(t.Context(), export(t, copied), state.PushOptions{Force: true})
	must(t, err)
	if got := tokens(t, s); got != "graph/3:refresh-there mail/1:refresh-1 " || p.Unchanged != 1 {
		t.Errorf("forced: %s, %+v", got, p)
	}
	// Under an earlier key as well.
	rotateKey(t, s, alice)
	rotate(t, copied, graph, "canary-refresh-again")
	_, err = s.Push(t.Context(), export(t, copied), state.PushOptions{Force: true})
	must(t, err)
	if now, past := tokens(t, s), kept(t, s, graph); now != "graph/4:refresh-again mail/1:refresh-1 " || !strings.Contains(past, "3:canary-refresh-there") {
		t.Errorf("forced: %s, kept: %s", now, past)
	}
}

// A state is not made where this machine could not remember that it did: it would be a stranger
// to the next command.
func TestAPushThatCannotBeRememberedWritesNothing(t *testing.T) {
	alice := newPerson(t)
	from, _ := holding(t, alice, "graph")
	pins := filepath.Join(t.TempDir(), "pins")
	must(t, os.Symlink(filepath.Join(t.TempDir(), "nowhere", "pins"), pins)) // nothing is there, and nothing can be made
	s := openStore(t, backendtest.NewMemory(), alice, keepPins(pins))
	if _, err := s.Push(t.Context(), export(t, from), state.PushOptions{}); err == nil || !strings.Contains(state.Advice(err), "XDG_STATE_HOME") {
		t.Errorf("error %v", err)
	}
	if _, err := s.Summaries(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("it was written: %v", err)
	}
}

// In the sandbox nobody is asked: what was tried there is no less of a stranger.
func TestAStateThatWasTriedInTheSandboxIsAskedAbout(t *testing.T) {
	alice, pins := newPerson(t), t.TempDir()
	from, _ := holding(t, alice, "graph")
	text := export(t, from)
	asked := errors.New("asked")
	push := func(s *state.Store) error {
		_, err := s.Push(t.Context(), text, state.PushOptions{Trust: func(*state.Pushed, []*state.Record) error { return asked }})
		return err
	}
	inSandbox := func(o *state.Options) { o.PinDir, o.Sandbox = pins, true }
	sandbox := openStore(t, backendtest.NewMemory(), alice, inSandbox)
	_, err := sandbox.Push(t.Context(), text, state.PushOptions{})
	must(t, err)
	rotateKey(t, sandbox, alice)
	must(t, sandbox.PutNext(t.Context(), record("mail")))
	_, err = openStore(t, backendtest.NewMemory(), alice, inSandbox).Push(t.Context(), export(t, sandbox), state.PushOptions{Trust: func(*state.Pushed, []*state.Record) error { return asked }})
	must(t, err) // there it is known
	text = export(t, sandbox)
	outside := func() *state.Store { return openStore(t, backendtest.NewMemory(), alice, keepPins(pins)) }
	if err := push(outside()); !errors.Is(err, asked) {
		t.Errorf("error %v", err)
	}
	_, err = outside().Push(t.Context(), text, state.PushOptions{})
	must(t, err)
	if err := push(outside()); err != nil {
		t.Errorf("after somebody trusted it: %v", err)
	}
	_, err = openStore(t, backendtest.NewMemory(), alice, inSandbox).Push(t.Context(), text, state.PushOptions{})
	must(t, err)
	if err := push(outside()); err != nil {
		t.Errorf("the sandbox took that back: %v", err)
	}
}

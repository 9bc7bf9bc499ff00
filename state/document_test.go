package state_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// holding makes a store with records that have these refresh tokens.
func holding(t *testing.T, p person, names ...string) (*state.Store, state.Backend) {
	t.Helper()
	b := backendtest.NewMemory()
	s := create(t, openStore(t, b, p))
	for _, n := range names {
		r := record(n)
		r.Tokens.RefreshToken = "canary-refresh-1"
		must(t, s.PutNext(t.Context(), r))
	}
	return s, b
}

func export(t *testing.T, s *state.Store) []byte {
	t.Helper()
	text, err := s.Export(t.Context())
	must(t, err)
	return text
}

// tokens are the refresh tokens of a state as NAME/GENERATION:TOKEN.
func tokens(t *testing.T, s *state.Store) string {
	t.Helper()
	all, err := s.All(t.Context(), state.PartAll)
	must(t, err)
	out := ""
	for _, r := range all {
		out += fmt.Sprintf("%s/%d:%s ", r.Addr.Name, r.Generation, strings.TrimPrefix(r.Tokens.RefreshToken.Reveal(), "canary-"))
	}
	return out
}

func TestADocumentMakesTheSameStateElsewhere(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph", "mail")
	text := export(t, s)
	if again := export(t, s); !bytes.Equal(text, again) {
		t.Error("one state has two documents")
	}
	if bytes.Contains(text, []byte("canary")) {
		t.Error("the document is in clear")
	}
	for name, form := range map[string][]byte{"as it is": text, "in base64": []byte(base64.StdEncoding.EncodeToString(text))} {
		other := openStore(t, backendtest.NewMemory(), alice)
		p, err := other.Push(t.Context(), form, state.PushOptions{})
		must(t, err)
		if !p.New || len(p.Added) != 2 || p.Serial != 2 {
			t.Errorf("%s: %+v", name, p)
		}
		if !bytes.Equal(export(t, other), text) {
			t.Errorf("%s: the copy has another document", name)
		}
	}
	p, err := s.Push(t.Context(), text, state.PushOptions{})
	must(t, err)
	if p.Unchanged != 2 || len(p.Changed)+len(p.Added)+len(p.Removed) > 0 {
		t.Errorf("its own document: %+v", p)
	}
}

func TestALaterDocumentIsPushed(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph", "mail")
	other := openStore(t, backendtest.NewMemory(), alice)
	_, err := other.Push(t.Context(), export(t, s), state.PushOptions{})
	must(t, err)
	rotate(t, other, addr.Connection("graph"), "canary-refresh-2")
	must(t, other.Delete(t.Context(), addr.Connection("mail"), 1))
	must(t, other.PutNext(t.Context(), record("new")))
	later := export(t, other)
	before := export(t, s)

	dry, err := s.Push(t.Context(), later, state.PushOptions{DryRun: true})
	must(t, err)
	if fmt.Sprint(dry.Added, dry.Changed, dry.Removed) != "[connection.new] [connection.graph] [connection.mail]" {
		t.Errorf("%+v", dry)
	}
	if !bytes.Equal(before, export(t, s)) {
		t.Error("a dry run changed the state")
	}
	_, err = s.Push(t.Context(), later, state.PushOptions{})
	must(t, err)
	if !bytes.Equal(export(t, s), later) {
		t.Error("the state is not the one of the document")
	}
	if got := kept(t, s, addr.Connection("graph")) + kept(t, s, addr.Connection("mail")); got != "1:canary-refresh-1 1:canary-refresh-1 " {
		t.Errorf("kept %s", got)
	}
}

func TestWhatIsNotPushed(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	s, b := holding(t, alice, "graph", "mail")
	old := export(t, s)
	rotate(t, s, addr.Connection("graph"), "canary-refresh-2")
	sameSerial := export(t, s)
	must(t, s.PutNext(t.Context(), record("new")))
	other, _ := holding(t, alice, "graph")
	bobs, _ := holding(t, bob, "graph")
	plain, err := s.Plaintext(t.Context())
	must(t, err)
	before := export(t, s)
	cut := func(from, to string) []byte {
		text := string(before)
		i := strings.Index(text, from)
		j := i + strings.Index(text[i:], to)
		return []byte(text[:i] + text[j:])
	}
	for _, c := range []struct {
		name   string
		text   []byte
		want   error
		forced error // nil: -force helps
	}{
		{"an older serial", old, state.ErrOlder, nil},
		{"an older generation of the same apply", sameSerial, state.ErrOlder, nil},
		{"another lineage", export(t, other), state.ErrLineage, nil},
		{"somebody else's", export(t, bobs), state.ErrNoKey, state.ErrNoKey},
		{"a newer format", []byte(strings.Replace(string(before), `"version":1`, `"version":2`, 1)), state.ErrFormat, state.ErrFormat},
		{"a decrypted copy", []byte(plain.Reveal()), state.ErrTampered, state.ErrTampered},
		{"nothing", nil, state.ErrTampered, state.ErrTampered},
		{"half of it", before[:len(before)/2], state.ErrTampered, state.ErrTampered},
		{"a record left out", cut(`{"address":"connection.graph"`, `{"address":"connection.mail"`), state.ErrTampered, state.ErrTampered},
		{"another serial in clear", []byte(strings.Replace(string(before), `"serial":3`, `"serial":9`, 1)), state.ErrTampered, state.ErrTampered},
		{"JSON of somebody else", []byte(`{"format":"x"}`), state.ErrTampered, state.ErrTampered},
		{"written another way", []byte(strings.Replace(string(before), `{"format"`, `{ "format"`, 1)), state.ErrTampered, state.ErrTampered},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := s.Push(t.Context(), c.text, state.PushOptions{}); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if _, err := s.Push(t.Context(), c.text, state.PushOptions{Force: true, DryRun: true}); !errors.Is(err, c.forced) {
				t.Errorf("forced: error %v, want %v", err, c.forced)
			}
			if !bytes.Equal(before, export(t, s)) {
				t.Error("the state has changed")
			}
		})
	}
	b.(*backendtest.Memory).Fail = func(operation string) error {
		if operation == "write" {
			return state.ErrUnwritable
		}
		return nil
	}
	if _, err := s.Push(t.Context(), old, state.PushOptions{Force: true}); !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("error %v", err)
	}
	if !bytes.Equal(before, export(t, s)) {
		t.Error("a failed push changed the state")
	}
}

func TestADocumentWithAnyBitChangedIsRefused(t *testing.T) {
	alice := newPerson(t)
	s, _ := holding(t, alice, "graph")
	text := export(t, s)
	target := openStore(t, backendtest.NewMemory(), alice)
	for i := range len(text) - 1 { // the last is the end of the line
		bad := bytes.Clone(text)
		bad[i] ^= 1 << (i % 7)
		if _, err := target.Push(t.Context(), bad, state.PushOptions{Force: true}); !errors.Is(err, state.ErrTampered) && !errors.Is(err, state.ErrFormat) && !errors.Is(err, state.ErrNoKey) {
			t.Fatalf("byte %d (%q): %v", i, text[max(0, i-10):i+1], err)
		}
	}
	if _, err := target.Summaries(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("something was written: %v", err)
	}
}

func TestAForcedPushBecomesTheNewest(t *testing.T) {
	alice := newPerson(t)
	s, b := holding(t, alice, "graph", "mail")
	elsewhere := openStore(t, b, alice, func(o *state.Options) { o.PinDir = t.TempDir() })
	old := export(t, s)
	rotate(t, s, addr.Connection("graph"), "canary-refresh-2")
	must(t, s.PutNext(t.Context(), record("new")))
	if got := tokens(t, elsewhere); !strings.HasPrefix(got, "graph/2:refresh-2 ") {
		t.Errorf("before: %s", got)
	}
	p, err := s.Push(t.Context(), old, state.PushOptions{Force: true})
	must(t, err)
	if got := tokens(t, s); got != "graph/3:refresh-1 mail/1:refresh-1 " || p.Serial != 4 || p.Unchanged != 1 {
		t.Errorf("%s, %+v", got, p)
	}
	if got := tokens(t, elsewhere); !strings.HasPrefix(got, "graph/3") {
		t.Errorf("a machine that has seen the newer state: %s", got)
	}
	if got := kept(t, s, addr.Connection("graph")); got != "1:canary-refresh-1 2:canary-refresh-2 " {
		t.Errorf("kept %s", got)
	}
}

func TestAForcedPushReplacesAnotherState(t *testing.T) {
	alice := newPerson(t)
	x := newPinned(t)
	x.make(t, alice)
	other, _ := holding(t, alice, "mail")
	must(t, x.with(t, alice, func(s *state.Store) error {
		p, err := s.Push(t.Context(), export(t, other), state.PushOptions{Force: true})
		if err == nil && (p.Replaced == "" || fmt.Sprint(p.Added, p.Removed) != "[connection.mail] [connection.graph]") {
			t.Errorf("%+v", p)
		}
		return err
	}))
	must(t, x.with(t, alice, func(s *state.Store) error {
		if got := tokens(t, s); got != "mail/1:refresh-1 " || kept(t, s, addr.Addr{}) != "" {
			t.Errorf("%s, kept %s", got, kept(t, s, addr.Addr{}))
		}
		return nil
	}))
}

func TestADocumentUnderALaterKeyBringsItsRecipients(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	b := backendtest.NewMemory()
	s := create(t, openStore(t, b, alice, func(o *state.Options) { o.Recipients = append(o.Recipients, bob.recipient) }))
	must(t, s.PutNext(t.Context(), record("graph")))
	old := export(t, s)
	copied := openStore(t, backendtest.NewMemory(), alice)
	_, err := copied.Push(t.Context(), old, state.PushOptions{})
	must(t, err)
	must(t, copied.Rekey(t.Context(), []string{alice.recipient}))
	rotate(t, copied, addr.Connection("graph"), "canary-refresh-2")

	p, err := s.Push(t.Context(), export(t, copied), state.PushOptions{})
	must(t, err)
	if len(p.Recipients) != 1 || tokens(t, s) != "graph/2:refresh-2 " {
		t.Errorf("%+v, %s", p, tokens(t, s))
	}
	bobs := openStore(t, b, bob)
	if _, err := bobs.All(t.Context(), state.PartAll); !errors.Is(err, state.ErrNoKey) {
		t.Errorf("bob was removed: %v", err)
	}
	// The older document, forced, does not bring Bob back.
	_, err = s.Push(t.Context(), old, state.PushOptions{Force: true})
	must(t, err)
	if _, err := bobs.All(t.Context(), state.PartAll); !errors.Is(err, state.ErrNoKey) {
		t.Errorf("bob came back: %v", err)
	}
	if got := tokens(t, s); !strings.HasPrefix(got, "graph/3:") {
		t.Errorf("%s", got)
	}
}

func TestAnOldDocumentIsRefusedWhereANewerStateWasSeen(t *testing.T) {
	alice := newPerson(t)
	x := newPinned(t)
	x.make(t, alice)
	var old []byte
	must(t, x.with(t, alice, func(s *state.Store) error { old = export(t, s); return nil }))
	must(t, x.with(t, alice, bump(t)))
	empty := pinned{filepath.Join(t.TempDir(), "new.state"), x.pins}
	push := func(force bool) error {
		return empty.with(t, alice, func(s *state.Store) error {
			_, err := s.Push(t.Context(), old, state.PushOptions{Force: force})
			return err
		})
	}
	if err := push(false); !errors.Is(err, state.ErrRollback) {
		t.Errorf("error %v", err)
	}
	must(t, push(true))
	must(t, empty.read(t, alice))
}

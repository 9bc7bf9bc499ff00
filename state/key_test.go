package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// both is somebody with the identities of two.
func both(a, b person) person {
	return person{a.recipient, func() ([]age.Identity, error) {
		x, err := a.ids()
		if err != nil {
			return nil, err
		}
		y, err := b.ids()
		return append(x, y...), err
	}}
}

func canRead(t *testing.T, b state.Backend, p person) error {
	t.Helper()
	_, err := openStore(t, b, p).All(t.Context(), state.PartAll)
	return err
}

func TestRekeyAddsAndRemovesPeople(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		alice, bob, carol := newPerson(t), newPerson(t), newPerson(t)
		s := create(t, openStore(t, b, alice))
		for i := range 20 {
			must(t, s.Put(t.Context(), record(fmt.Sprintf("c%d", i))))
		}
		before, err := s.All(t.Context(), state.PartAll)
		must(t, err)
		digest, err := s.Digest(t.Context(), "client_secret", "hunter2")
		must(t, err)

		must(t, s.Rekey(t.Context(), []string{bob.recipient, alice.recipient}))
		for name, p := range map[string]person{"alice": alice, "bob": bob} {
			if err := canRead(t, b, p); err != nil {
				t.Errorf("%s after bob was added: %v", name, err)
			}
		}
		must(t, s.Rekey(t.Context(), []string{alice.recipient, carol.recipient}))
		if err := canRead(t, b, bob); !errors.Is(err, state.ErrNoKey) {
			t.Errorf("bob after he was removed: %v, want ErrNoKey", err)
		}
		if err := canRead(t, b, carol); err != nil {
			t.Errorf("carol: %v", err)
		}
		after, err := s.All(t.Context(), state.PartAll)
		must(t, err)
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("records (-before +after):\n%s", d)
		}
		if again, err := s.Digest(t.Context(), "client_secret", "hunter2"); err != nil || again != digest {
			t.Errorf("digest %s became %s (%v): every connection would need a new consent", digest, again, err)
		}
		if got, _ := s.Recipients(t.Context()); !cmp.Equal(got, []string{alice.recipient, carol.recipient}) {
			t.Errorf("recipients %v", got)
		}
		must(t, s.Put(t.Context(), after[0]))
	})
}

func TestRekeyForOthersOnly(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	b := backendtest.NewMemory()
	s := create(t, openStore(t, b, alice))
	must(t, s.Put(t.Context(), record("graph")))
	must(t, s.Rekey(t.Context(), []string{bob.recipient}))
	if err := canRead(t, b, bob); err != nil {
		t.Errorf("bob: %v", err)
	}
	if err := canRead(t, b, alice); !errors.Is(err, state.ErrNoKey) {
		t.Errorf("alice: %v", err)
	}
}

func TestRekeyRefusesNobody(t *testing.T) {
	alice := newPerson(t)
	b := backendtest.NewMemory()
	s := create(t, openStore(t, b, alice))
	for _, bad := range [][]string{nil, {""}, {"age1nonsense"}, {alice.recipient, "ssh-ed25519"}} {
		if err := s.Rekey(t.Context(), bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if err := canRead(t, b, alice); err != nil {
		t.Error(err)
	}
}

// TestOtherStoresFollowANewKey: a store that was open while another process
// changed the data key reads and writes on.
func TestOtherStoresFollowANewKey(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		alice, bob := newPerson(t), newPerson(t)
		one := create(t, openStore(t, b, alice))
		r := record("graph")
		must(t, one.Put(t.Context(), r))
		must(t, one.Rekey(t.Context(), []string{alice.recipient, bob.recipient}))

		two := openStore(t, b, bob)
		must(t, two.Rekey(t.Context(), []string{bob.recipient, alice.recipient})) // only an order: no new key
		must(t, two.Rekey(t.Context(), []string{bob.recipient}))
		must(t, two.Rekey(t.Context(), []string{bob.recipient, alice.recipient}))

		if _, err := one.Get(t.Context(), r.Addr, state.PartAll); err != nil {
			t.Errorf("get: %v", err)
		}
		if err := one.Put(t.Context(), r); err != nil {
			t.Errorf("put: %v", err)
		}
		if _, err := two.All(t.Context(), state.PartAll); err != nil {
			t.Errorf("all: %v", err)
		}
	})
}

func TestRekeyWhileOthersWrite(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		alice, bob := newPerson(t), newPerson(t)
		create(t, openStore(t, b, alice))
		var wg sync.WaitGroup
		for g := range 4 {
			s := openStore(t, b, alice)
			wg.Go(func() {
				for i := range 20 {
					if err := s.Put(t.Context(), record(fmt.Sprintf("c%d-%d", g, i))); err != nil {
						t.Errorf("put: %v", err)
					}
				}
			})
		}
		s := openStore(t, b, alice)
		for i := range 6 {
			want := []string{alice.recipient, bob.recipient}[:1+i%2]
			if err := s.Rekey(t.Context(), want); err != nil {
				t.Errorf("rekey: %v", err)
			}
		}
		wg.Wait()
		all, err := openStore(t, b, alice).All(t.Context(), state.PartAll)
		if err != nil || len(all) != 80 {
			t.Errorf("%d records, %v", len(all), err)
		}
	})
}

func TestTheSerialCountsEveryone(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		alice := newPerson(t)
		create(t, openStore(t, b, alice))
		var wg sync.WaitGroup
		for i := range 8 {
			s := openStore(t, b, alice)
			wg.Go(func() {
				if err := s.PutNext(t.Context(), record(fmt.Sprint("c", i))); err != nil {
					t.Errorf("put: %v", err)
				}
			})
		}
		wg.Wait()
		s := openStore(t, b, alice)
		if _, serial, err := s.Lineage(t.Context()); err != nil || serial != 8 {
			t.Errorf("serial %d, %v", serial, err)
		}
		all, err := s.All(t.Context(), state.PartInfo)
		must(t, err)
		seen := map[uint64]bool{}
		for _, r := range all {
			seen[r.Info.ConfigSerial] = true
		}
		if len(seen) != 8 {
			t.Errorf("serials %v", seen)
		}
		if n, err := s.DeleteNext(t.Context(), all[0].Addr, all[0].Generation); err != nil || n != 9 {
			t.Errorf("delete: %d, %v", n, err)
		}
		// What is not written has no serial.
		if err := s.PutNext(t.Context(), record("c7")); !errors.Is(err, state.ErrConflict) {
			t.Errorf("a record that is there was made anew: %v", err)
		}
		if _, serial, err := s.Lineage(t.Context()); err != nil || serial != 9 {
			t.Errorf("serial %d, %v", serial, err)
		}
	})
}

func TestDigests(t *testing.T) {
	alice := newPerson(t)
	one := create(t, openStore(t, backendtest.NewMemory(), alice))
	two := create(t, openStore(t, backendtest.NewMemory(), alice))
	seen := map[string]bool{}
	for _, s := range []*state.Store{one, two} {
		for _, in := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "c"}} {
			d, err := s.Digest(t.Context(), in[0], in[1])
			must(t, err)
			again, err := s.Digest(t.Context(), in[0], in[1])
			must(t, err)
			if d != again || seen[d] || len(d) != 64 {
				t.Errorf("digest of %q: %s, then %s", in, d, again)
			}
			seen[d] = true
		}
	}
}

// copyFile puts the bytes of one file over another, like a restored backup.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// pinned is a state file with pins.
type pinned struct{ path, pins string }

func newPinned(t *testing.T) pinned {
	return pinned{filepath.Join(t.TempDir(), "oauthctl.state"), filepath.Join(t.TempDir(), "state", "pins")}
}

// with opens the file as p, does f, and closes it.
func (x pinned) with(t *testing.T, p person, f func(s *state.Store) error) error {
	t.Helper()
	s, err := state.Open(t.Context(), openFile(t, x.path), state.Options{
		Identities: p.ids, Recipients: []string{p.recipient}, PinDir: x.pins, Now: clock,
	})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	return f(s)
}

func (x pinned) read(t *testing.T, p person) error {
	return x.with(t, p, func(s *state.Store) error {
		_, err := s.All(t.Context(), state.PartAll)
		return err
	})
}

func (x pinned) make(t *testing.T, p person) {
	t.Helper()
	must(t, x.with(t, p, func(s *state.Store) error {
		if err := s.Create(t.Context()); err != nil {
			return err
		}
		return s.Put(t.Context(), record("graph"))
	}))
}

func bump(t *testing.T) func(*state.Store) error {
	return func(s *state.Store) error { return s.PutNext(t.Context(), record("mail")) }
}

func TestARestoredOldStateIsARollback(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	backup := filepath.Join(t.TempDir(), "backup")
	copyFile(t, x.path, backup)
	must(t, x.with(t, alice, bump(t)))
	must(t, x.read(t, alice))
	copyFile(t, backup, x.path)
	err := x.read(t, alice)
	if !errors.Is(err, state.ErrRollback) {
		t.Fatalf("error %v, want ErrRollback", err)
	}
	// The message names the file whose removal accepts the old state.
	_, rest, _ := strings.Cut(err.Error(), "by removing ")
	pin, _, _ := strings.Cut(rest, " ")
	must(t, os.Remove(pin))
	if err := x.read(t, alice); err != nil {
		t.Errorf("after the pin was removed: %v", err)
	}
}

func TestAForgedStateIsNotBelieved(t *testing.T) {
	alice, mallory := newPerson(t), newPerson(t)
	forge := func(t *testing.T, x pinned) { // all that is needed is alice's public key
		other := newPinned(t)
		other.make(t, person{alice.recipient, both(alice, mallory).ids})
		copyFile(t, other.path, x.path)
	}
	t.Run("of another lineage", func(t *testing.T) {
		x := newPinned(t)
		x.make(t, alice)
		forge(t, x)
		if err := x.read(t, alice); !errors.Is(err, state.ErrTampered) || !strings.Contains(err.Error(), x.pins) {
			t.Errorf("error %v, want ErrTampered with the pin to remove", err)
		}
	})
	t.Run("of no pin at all, it is taken for what it says", func(t *testing.T) {
		x := newPinned(t)
		forge(t, x)
		if err := x.read(t, alice); err != nil {
			t.Error(err) // first use
		}
	})
}

func TestPinsFollowARightfulNewKey(t *testing.T) {
	alice, bob, carol, x := newPerson(t), newPerson(t), newPerson(t), newPinned(t)
	x.make(t, alice)
	colleague := pinned{x.path, filepath.Join(t.TempDir(), "pins")} // the same file, another machine
	for _, want := range [][]person{{alice, bob}, {alice}, {alice, carol}, {alice}} {
		var names []string
		for _, p := range want {
			names = append(names, p.recipient)
		}
		must(t, colleague.with(t, alice, func(s *state.Store) error { return s.Rekey(t.Context(), names) }))
	}
	if err := x.read(t, alice); err != nil {
		t.Errorf("after a colleague changed the key twice: %v", err)
	}
	if err := colleague.read(t, alice); err != nil {
		t.Errorf("the colleague: %v", err)
	}
}

func TestANewStateAtTheSamePlaceIsFineIfWeMadeIt(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	must(t, os.Remove(x.path))
	x.make(t, alice)
	must(t, x.read(t, alice))
}

func TestAStateThatWasMovedKeepsItsPin(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	backup := filepath.Join(t.TempDir(), "backup")
	copyFile(t, x.path, backup)
	must(t, x.with(t, alice, bump(t)))
	y := pinned{filepath.Join(t.TempDir(), "elsewhere.state"), x.pins}
	copyFile(t, x.path, y.path)
	must(t, y.read(t, alice))
	copyFile(t, backup, y.path)
	if err := y.read(t, alice); !errors.Is(err, state.ErrRollback) {
		t.Errorf("an old copy at another place: %v, want ErrRollback", err)
	}
}

func TestADamagedPinIsNotIgnored(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	files, err := filepath.Glob(filepath.Join(x.pins, "*.json"))
	must(t, err)
	if len(files) != 2 {
		t.Fatalf("pins: %v", files)
	}
	for _, f := range files {
		good, err := os.ReadFile(f)
		must(t, err)
		if info, _ := os.Stat(f); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", f, info.Mode())
		}
		must(t, os.WriteFile(f, []byte("{"), 0o600))
		if err := x.read(t, alice); !errors.Is(err, state.ErrTampered) || !strings.Contains(err.Error(), f) {
			t.Errorf("error %v, want ErrTampered with %s", err, f)
		}
		must(t, os.WriteFile(f, good, 0o600))
	}
}

func TestSecretsAreNotInTheFile(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	x.make(t, alice)
	b, err := os.ReadFile(x.path)
	must(t, err)
	for _, secret := range []string{"at-graph", "rt-graph", "User.Read", "login.example", "AGE-SECRET-KEY"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%q is in the file", secret)
		}
	}
	if !bytes.Contains(b, []byte("connection.graph")) {
		t.Error("the address is not in clear")
	}
}

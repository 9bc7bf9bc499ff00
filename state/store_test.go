package state_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
	"github.com/oauthctl/oauthctl/state/seal"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// person is somebody with an identity.
type person struct {
	recipient string
	ids       func() ([]age.Identity, error)
}

func newPerson(t testing.TB) person {
	t.Helper()
	text, recipient, err := seal.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return person{recipient, func() ([]age.Identity, error) { return seal.ParseIdentities(text) }}
}

func clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

// openStore opens a store as p on a backend; it is closed with the test.
func openStore(t testing.TB, b state.Backend, p person, change ...func(*state.Options)) *state.Store {
	t.Helper()
	o := state.Options{Identities: p.ids, Recipients: []string{p.recipient}, Now: clock}
	for _, c := range change {
		c(&o)
	}
	s, err := state.Open(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func openFile(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func create(t testing.TB, s *state.Store) *state.Store {
	t.Helper()
	if err := s.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func record(name string) *state.Record {
	return &state.Record{
		Summary: state.Summary{
			Addr: addr.Connection(name), Provider: "microsoft", Status: state.StatusOK,
			ExpiresAt: clock().Add(time.Hour), UpdatedAt: clock(),
		},
		Info: &state.Info{
			ConfigSerial: 1, Provider: "contoso", Title: "Microsoft Entra", Grant: "authorization_code",
			Client:    state.Client{TokenEndpoint: "https://login.example/token", ClientID: "c1", Auth: "none"},
			Requested: []string{"User.Read"}, Granted: []string{"User.Read"},
			Access: time.Hour, AuthorizedAt: clock(),
		},
		Tokens: &state.Tokens{AccessToken: secret.Secret("at-" + name), RefreshToken: secret.Secret("rt-" + name), TokenType: "Bearer"},
	}
}

// backends are all the backends that the Store is tested over.
var backends = map[string]func(t testing.TB) state.Backend{
	"memory": func(testing.TB) state.Backend { return backendtest.NewMemory() },
	"sqlite": func(t testing.TB) state.Backend { return openFile(t, filepath.Join(t.TempDir(), "oauthctl.state")) },
}

func onAll(t *testing.T, f func(t *testing.T, b state.Backend)) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func TestPutAndGetGiveBackWhatWasPut(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := create(t, openStore(t, b, newPerson(t)))
		r := record("graph")
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if r.Generation != 1 {
			t.Errorf("generation after the first put: %d", r.Generation)
		}
		got, err := s.Get(t.Context(), r.Addr, state.PartAll)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got); d != "" {
			t.Errorf("put and got differ: %s", d)
		}
	})
}

func TestAConflictOfOneDoesNotFailOthers(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := create(t, openStore(t, b, newPerson(t)))
		const n = 64
		var wg sync.WaitGroup
		errs := make([]error, 2*n)
		for i := range 2 * n { // two for every address: one of them has to lose
			wg.Go(func() { errs[i] = s.Put(t.Context(), record(fmt.Sprintf("c%d", i/2))) })
		}
		wg.Wait()
		for i := range n {
			a, b := errs[2*i], errs[2*i+1]
			if (a == nil) == (b == nil) {
				t.Fatalf("c%d: %v, %v: want one winner", i, a, b)
			}
			if err := errors.Join(a, b); !errors.Is(err, state.ErrConflict) {
				t.Errorf("c%d: %v", i, err)
			}
		}
	})
}

func TestManyPutsShareFewCommits(t *testing.T) {
	m := backendtest.NewMemory().(*backendtest.Memory)
	m.Fail = func(operation string) error { // a commit takes its time, as on a disk
		if operation == "write" {
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	s := create(t, openStore(t, m, newPerson(t)))
	const goroutines, each = 64, 16
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				if err := s.Put(t.Context(), record(fmt.Sprintf("c%d-%d", g, i))); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := m.Writes(); n > goroutines*each/10 {
		t.Errorf("%d commits for %d puts", n, goroutines*each)
	} else {
		t.Logf("%d commits for %d puts", n, goroutines*each)
	}
	all, err := s.All(t.Context(), state.PartAll)
	if err != nil || len(all) != goroutines*each {
		t.Errorf("%d records, %v", len(all), err)
	}
}

func TestAPutThatIsCanceledBeforeItsCommitWritesNothing(t *testing.T) {
	m := backendtest.NewMemory().(*backendtest.Memory)
	s := create(t, openStore(t, m, newPerson(t)))
	started, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m.Fail = func(operation string) error {
		if operation == "write" {
			once.Do(func() { close(started); <-goOn })
		}
		return nil
	}
	first := make(chan error)
	go func() { first <- s.Put(context.Background(), record("first")) }()
	<-started // the disk is busy with the first
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error)
	go func() { second <- s.Put(ctx, record("second")) }()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("second put: %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Errorf("first put: %v", err)
	}
	if _, err := s.Get(t.Context(), addr.Connection("second"), 0); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the canceled record: %v", err)
	}
}

func TestPutChecksTheGeneration(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		s := create(t, openStore(t, b, newPerson(t)))
		mine := record("graph")
		must(t, s.Put(t.Context(), mine))
		theirs, err := s.Get(t.Context(), mine.Addr, state.PartAll)
		must(t, err)
		theirs.Tokens.AccessToken = "theirs"
		must(t, s.Put(t.Context(), theirs))
		mine.Tokens.AccessToken = "mine"
		if err := s.Put(t.Context(), mine); !errors.Is(err, state.ErrConflict) {
			t.Errorf("put over a newer generation: %v", err)
		}
		if mine.Generation != 1 {
			t.Errorf("a put that failed raised the generation to %d", mine.Generation)
		}
		if err := s.Delete(t.Context(), mine.Addr, 1); !errors.Is(err, state.ErrConflict) {
			t.Errorf("delete of an older generation: %v", err)
		}
		must(t, s.Delete(t.Context(), mine.Addr, 2))
		if _, err := s.Get(t.Context(), mine.Addr, 0); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("after the delete: %v", err)
		}
	})
}

func TestPutRefusesWhatItCouldNotReadBack(t *testing.T) {
	s := create(t, openStore(t, backendtest.NewMemory(), newPerson(t)))
	for name, spoil := range map[string]func(*state.Record){
		"no info":               func(r *state.Record) { r.Info = nil },
		"no tokens":             func(r *state.Record) { r.Tokens = nil },
		"no address":            func(r *state.Record) { r.Addr = addr.Addr{} },
		"not a name":            func(r *state.Record) { r.Addr.Name = "a.b" },
		"not UTF-8":             func(r *state.Record) { r.Addr = r.Addr.Instance("\xff") },
		"a token is not UTF-8":  func(r *state.Record) { r.Tokens.AccessToken = "\xff" },
		"a scope is not UTF-8":  func(r *state.Record) { r.Info.Granted = []string{"a\xc3"} },
		"a status is not UTF-8": func(r *state.Record) { r.Status = "\xff" },
	} {
		r := record("graph")
		spoil(r)
		if err := s.Put(t.Context(), r); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestStatusNeedsNoKey(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		p := newPerson(t)
		s := create(t, openStore(t, b, p))
		for _, name := range []string{"b", "a-b", "a"} {
			must(t, s.Put(t.Context(), record(name)))
		}
		keyed := record("a")
		keyed.Addr = keyed.Addr.Instance("x")
		must(t, s.Put(t.Context(), keyed))

		blind := openStore(t, b, p, func(o *state.Options) {
			o.Identities = func() ([]age.Identity, error) { t.Error("asked for an identity"); return nil, nil }
		})
		sums, err := blind.Summaries(t.Context())
		must(t, err)
		var got []string
		for _, s := range sums {
			got = append(got, s.Addr.String())
			if s.Provider != "microsoft" || s.Status != state.StatusOK || !s.ExpiresAt.Equal(clock().Add(time.Hour)) || s.Generation != 1 {
				t.Errorf("summary %+v", s)
			}
		}
		want := []string{"connection.a", `connection.a["x"]`, "connection.a-b", "connection.b"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("order (-want +got):\n%s", d)
		}
		if _, _, err := blind.Lineage(t.Context()); err != nil {
			t.Error(err)
		}
		if r, err := blind.Recipients(t.Context()); err != nil || len(r) != 1 || r[0] != p.recipient {
			t.Errorf("recipients %v, %v", r, err)
		}
	})
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	onAll(t, func(t *testing.T, b state.Backend) {
		alice, bob := newPerson(t), newPerson(t)
		s := openStore(t, b, alice)
		if _, err := s.Get(t.Context(), addr.Connection("graph"), 0); !errors.Is(err, state.ErrNoState) {
			t.Errorf("get before there is a state: %v", err)
		}
		if _, err := s.Summaries(t.Context()); !errors.Is(err, state.ErrNoState) {
			t.Errorf("summaries before there is a state: %v", err)
		}
		create(t, s)
		must(t, s.Put(t.Context(), record("graph")))
		lineage, serial, err := s.Lineage(t.Context())
		must(t, err)
		if len(lineage) != 32 || serial != 0 {
			t.Errorf("lineage %q, serial %d", lineage, serial)
		}
		create(t, openStore(t, b, bob))
		if again, _, _ := s.Lineage(t.Context()); again != lineage {
			t.Errorf("lineage %s became %s", lineage, again)
		}
		if _, err := openStore(t, b, alice).Get(t.Context(), addr.Connection("graph"), state.PartAll); err != nil {
			t.Errorf("the record after a second create: %v", err)
		}
	})
}

func TestWithoutTheRightIdentityTheMessageSaysWhoHasIt(t *testing.T) {
	alice, bob := newPerson(t), newPerson(t)
	b := backendtest.NewMemory()
	create(t, openStore(t, b, alice))
	for name, ids := range map[string]func() ([]age.Identity, error){
		"another identity": bob.ids,
		"no identity":      func() ([]age.Identity, error) { return nil, nil },
		"no source":        nil,
		"an error":         func() ([]age.Identity, error) { return nil, errors.New("the file is gone") },
	} {
		s := openStore(t, b, bob, func(o *state.Options) { o.Identities = ids })
		_, err := s.Get(t.Context(), addr.Connection("graph"), state.PartAll)
		if !errors.Is(err, state.ErrNoKey) {
			t.Errorf("%s: %v, want ErrNoKey", name, err)
			continue
		}
		for _, want := range []string{seal.Short(alice.recipient), "-identity", "OAUTHCTL_IDENTITY", "encryption.recipients", "nothing opens it", "oauthctl key lost"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
}

func TestLockSaysWhoAndSinceWhen(t *testing.T) {
	s := create(t, openStore(t, backendtest.NewMemory(), newPerson(t), func(o *state.Options) {
		o.Holder = state.Holder{PID: 42, Host: "build-7", User: "alice"}
	}))
	unlock, err := s.Lock(t.Context(), addr.Connection("graph"), "refresh")
	must(t, err)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Lock(ctx, addr.Connection("graph"), "apply")
	if !errors.Is(err, state.ErrBusy) {
		t.Fatalf("second lock: %v", err)
	}
	for _, want := range []string{"connection.graph", "process 42", "alice", "build-7", "2026-11-23T08:00:00Z", "refresh"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestProbeTellsWhatStandsInTheWay(t *testing.T) {
	alice := newPerson(t)
	m := backendtest.NewMemory().(*backendtest.Memory)
	s := openStore(t, m, alice)
	if err := s.Probe(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("no state: %v", err)
	}
	create(t, s)
	must(t, s.Probe(t.Context()))
	m.Fail = func(operation string) error {
		if operation == "probe" {
			return fmt.Errorf("%w: the disk is full", state.ErrUnwritable)
		}
		return nil
	}
	if err := s.Probe(t.Context()); !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("full: %v", err)
	}
	if err := openStore(t, m, newPerson(t)).Probe(t.Context()); !errors.Is(err, state.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package state_test

import (
	"errors"
	"fmt"
	"path/filepath"
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

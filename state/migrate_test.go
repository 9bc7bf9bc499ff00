package state_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

func TestMigrateCopiesEverything(t *testing.T) {
	alice := newPerson(t)
	s, from := holding(t, alice, "graph", "mail")
	rotate(t, s, addr.Connection("graph"), "canary-refresh-2")
	must(t, s.Delete(t.Context(), addr.Connection("mail"), 1))
	file := openFile(t, filepath.Join(t.TempDir(), "new.state"))
	if m, err := s.Migrate(t.Context(), file, true); err != nil || m.Records != 1 || m.Past != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := file.Header(t.Context()); !errors.Is(err, state.ErrNoState) {
		t.Errorf("a dry run wrote: %v", err)
	}
	_, err := s.Migrate(t.Context(), file, false)
	must(t, err)
	there := openStore(t, file, alice)
	if !bytes.Equal(export(t, s), export(t, there)) || kept(t, s, addr.Addr{}) != kept(t, there, addr.Addr{}) {
		t.Errorf("the copy differs: %s", kept(t, there, addr.Addr{}))
	}
	if _, err := s.Migrate(t.Context(), file, false); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("over another state: %v", err)
	}
	if _, err := s.Migrate(t.Context(), from, false); err == nil {
		t.Error("to where it is")
	}
	must(t, there.Delete(t.Context(), addr.Connection("graph"), 2)) // and it can be written
}

// lossy forgets what is kept of earlier generations.
type lossy struct{ state.Backend }

func (l lossy) Location() string { return "lossy" }

func (l lossy) Write(ctx context.Context, b state.Batch) error {
	b.Past = []state.Row{}
	return l.Backend.Write(ctx, b)
}

func TestMigrateReadsBackWhatItWrote(t *testing.T) {
	s, _ := holding(t, newPerson(t), "graph")
	rotate(t, s, addr.Connection("graph"), "canary-refresh-2")
	if _, err := s.Migrate(t.Context(), lossy{backendtest.NewMemory()}, false); !errors.Is(err, state.ErrTampered) {
		t.Errorf("a place that keeps less than it was given: %v", err)
	}
}

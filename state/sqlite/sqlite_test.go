package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

func open(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	d, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBackend(t *testing.T) {
	backendtest.Run(t,
		func(t *testing.T) state.Backend { return open(t, filepath.Join(t.TempDir(), "oauthctl.state")) },
		func(t *testing.T, b state.Backend) state.Backend { return open(t, b.Location()) })
}

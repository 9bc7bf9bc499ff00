package state_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oauthctl/oauthctl/state"
)

func TestPlacesAreThoseThatWereOpened(t *testing.T) {
	alice, x := newPerson(t), newPinned(t)
	dir := filepath.Join(t.TempDir(), "none")
	for _, empty := range []string{"", dir} {
		if got, err := state.Places(empty); err != nil || len(got) > 0 {
			t.Errorf("%q: %v, %v", empty, got, err)
		}
	}
	x.make(t, alice)
	got, err := state.Places(x.pins)
	if err != nil || !slices.Equal(got, []string{x.path}) {
		t.Errorf("%v, %v, want %s", got, err, x.path)
	}
	files, err := filepath.Glob(filepath.Join(x.pins, "place-*.json"))
	must(t, err)
	must(t, os.WriteFile(files[0], []byte("{"), 0o600))
	if _, err := state.Places(x.pins); err == nil {
		t.Error("a pin that cannot be read is passed over")
	}
}

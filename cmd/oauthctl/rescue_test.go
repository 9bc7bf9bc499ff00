//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Emergency copies go to the first place that takes them, are for their owner
// alone, and are found in every place.
func TestRescuePlaces(t *testing.T) {
	root := t.TempDir()
	beside, home, temp := filepath.Join(root, "project"), filepath.Join(root, "home", "emergency"), filepath.Join(root, "tmp")
	for _, dir := range []string{beside, temp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	places := rescuePlaces{beside, home, temp}
	keep := func(want string) string {
		t.Helper()
		place, err := places.Keep("aaaa-bbbb-", []byte("sealed"))
		if err != nil || filepath.Dir(place) != want {
			t.Fatalf("kept in %q, error %v; want %s", place, err, want)
		}
		if info, err := os.Stat(place); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		return place
	}
	spoil := func(dir string) { // works for root as well, whom no mode stops
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := keep(beside)
	if found := places.Find("aaaa-"); len(found) != 1 || found[0].Place != first || string(found[0].Sealed) != "sealed" {
		t.Errorf("found %+v", found)
	}
	if found := places.Find("cccc-"); len(found) != 0 {
		t.Errorf("somebody else's: %+v", found)
	}
	spoil(beside)
	keep(home)
	spoil(filepath.Dir(home))
	third := keep(temp)
	if found := places.Find("aaaa-"); len(found) != 1 || found[0].Place != third {
		t.Errorf("found %+v", found)
	}
	if err := places.Drop(third); err != nil {
		t.Error(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(temp, "oauthctl-aaaa-x.emergency")); err != nil {
		t.Fatal(err)
	}
	if found := places.Find("aaaa-"); len(found) != 1 || found[0].Err == nil {
		t.Errorf("a link was followed: %+v", found)
	}
	spoil(temp)
	if place, err := places.Keep("aaaa-", nil); err == nil {
		t.Errorf("kept in %q", place)
	}
}

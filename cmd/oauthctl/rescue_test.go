//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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
	places := rescuePlaces{[]string{beside, home, temp}, ownFile}
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
	if found := slices.Collect(places.Find("aaaa-")); len(found) != 1 || found[0].Place != first || string(found[0].Sealed) != "sealed" {
		t.Errorf("found %+v", found)
	}
	if found := slices.Collect(places.Find("cccc-")); len(found) != 0 {
		t.Errorf("somebody else's: %+v", found)
	}
	spoil(beside)
	keep(home)
	spoil(filepath.Dir(home))
	third := keep(temp)
	if found := slices.Collect(places.Find("aaaa-")); len(found) != 1 || found[0].Place != third {
		t.Errorf("found %+v", found)
	}
	if err := places.Drop(third); err != nil {
		t.Error(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(temp, "oauthctl-aaaa-x.emergency")); err != nil {
		t.Fatal(err)
	}
	if found := slices.Collect(places.Find("aaaa-")); len(found) != 1 || found[0].Err == nil {
		t.Errorf("a link was followed: %+v", found)
	}
	spoil(temp)
	if place, err := places.Keep("aaaa-", nil); err == nil {
		t.Errorf("kept in %q", place)
	}
}

// Other users can put what they like into a directory for everybody, under names that
// they have seen there: one's own copies are found, however many those are.
func TestStrangersDoNotHideACopy(t *testing.T) {
	dir := t.TempDir()
	strangers := func(info os.FileInfo) bool { return !strings.Contains(info.Name(), "-000000") }
	places := rescuePlaces{[]string{dir}, strangers}
	var own []string
	for range mostForeign + 1 {
		place, err := places.Keep("aaaa-bbbb-", []byte("sealed"))
		if err != nil {
			t.Fatal(err)
		}
		own = append(own, place)
	}
	for i := range 3 * mostForeign {
		file := filepath.Join(dir, fmt.Sprintf("oauthctl-aaaa-bbbb-000000%06x.emergency", i))
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(own)
	found := slices.Collect(places.Find("aaaa-"))
	if len(found) != len(own)+mostForeign {
		t.Fatalf("%d found", len(found))
	}
	for i, place := range own {
		if found[i].Place != place {
			t.Fatalf("%s is not among the first", place)
		}
	}
	if mine, _ := places.names("aaaa-"); !slices.Equal(mine, own) {
		t.Errorf("of %d, %d wait", len(own), len(mine))
	}
}

// What is put in the place of a file while it is opened is not waited for, nor followed.
func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	file, pipe, link := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("text"), 0o600), syscall.Mkfifo(pipe, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	if text, err := readRegular(file, 10); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	for _, path := range []string{pipe, link} {
		if _, err := readRegular(path, 10); err == nil {
			t.Errorf("%s was read", path)
		}
		info, err := os.Lstat(file) // as it was before it was replaced
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readSame(path, info, 10); err == nil {
			t.Errorf("%s was read in the place of a file", path)
		}
	}
}

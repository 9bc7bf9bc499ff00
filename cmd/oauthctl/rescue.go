package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
)

const (
	rescuePrefix = "oauthctl-"
	rescueSuffix = ".emergency"

	maxRescue   = 1 << 20 // bytes of a copy
	mostRescues = 64      // copies that are looked at in one place
)

// rescuePlaces is an [engine.Rescuer]: directories, tried in order.
type rescuePlaces []string

// rescuer keeps emergency copies beside the state at path, and where that is
// what cannot be written, with what this machine has seen of states, or among
// the temporary files.
func (c *cli) rescuer(path string) rescuePlaces {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // the error names a place that can be found from anywhere
	}
	places := rescuePlaces{filepath.Dir(path)}
	if dir := c.pinDir(); dir != "" {
		places = append(places, filepath.Join(filepath.Dir(dir), "emergency"))
	}
	return append(places, c.tempDir())
}

func (a *App) tempDir() string {
	if dir := a.env("TMPDIR"); filepath.IsAbs(dir) {
		return dir
	}
	return os.TempDir()
}

// Keep implements [engine.Rescuer].
func (p rescuePlaces) Keep(name string, sealed []byte) (string, error) {
	var random [6]byte
	_, _ = rand.Read(random[:])
	file := rescuePrefix + name + hex.EncodeToString(random[:]) + rescueSuffix
	var failed []error
	for i, dir := range p {
		if 0 < i && i < len(p)-1 { // of our own
			if err := os.MkdirAll(dir, 0o700); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		path := filepath.Join(dir, file)
		err := writeNew(path, sealed)
		if err == nil {
			return path, syncDir(dir)
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

// syncDir makes the name of a new file durable, where directories can be synced.
func syncDir(dir string) error {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// Find implements [engine.Rescuer].
func (p rescuePlaces) Find(name string) []engine.EmergencyCopy {
	var found []engine.EmergencyCopy
	var seen []os.FileInfo
	for _, dir := range p {
		info, err := os.Stat(dir)
		if err != nil || slices.ContainsFunc(seen, func(s os.FileInfo) bool { return os.SameFile(s, info) }) {
			continue
		}
		seen = append(seen, info)
		entries, _ := os.ReadDir(dir) // what cannot be read holds nothing for us
		n := 0
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), rescuePrefix+name) || !strings.HasSuffix(e.Name(), rescueSuffix) {
				continue
			}
			if n++; n > mostRescues {
				break
			}
			found = append(found, readCopy(filepath.Join(dir, e.Name())))
		}
	}
	return found
}

func readCopy(path string) engine.EmergencyCopy {
	c := engine.EmergencyCopy{Place: path}
	text, err := readRegular(path, maxRescue)
	if err != nil {
		err = reasonOf(err)
	}
	c.Sealed, c.Err = text, err
	if len(c.Sealed) > maxRescue {
		c.Err = fmt.Errorf("%s is too large for an emergency copy", path)
	}
	return c
}

// Drop implements [engine.Rescuer].
func (p rescuePlaces) Drop(place string) error { return os.Remove(place) }

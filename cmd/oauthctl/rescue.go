package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

const (
	rescuePrefix = "oauthctl-"
	rescueSuffix = ".emergency"

	maxRescue   = 1 << 20 // bytes of a copy
	mostForeign = 64      // files of other users that are looked at in one place
)

// rescuePlaces is an [engine.Rescuer]: directories, tried in order.
type rescuePlaces struct {
	dirs []string
	mine func(fs.FileInfo) bool // the file belongs to who runs this
}

// rescuer keeps emergency copies beside the state at path, and where that is
// what cannot be written, with what this machine has seen of states, or among
// the temporary files.
func (c *cli) rescuer(path string) rescuePlaces {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // the error names a place that can be found from anywhere
	}
	dirs := []string{filepath.Dir(path)}
	if dir := c.pinDir(); dir != "" {
		dirs = append(dirs, filepath.Join(filepath.Dir(dir), "emergency"))
	}
	return rescuePlaces{append(dirs, c.tempDir()), ownFile}
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
	for i, dir := range p.dirs {
		if 0 < i && i < len(p.dirs)-1 { // of our own
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

// Find implements [engine.Rescuer]. All of one's own are found, and they come first: in a
// directory for everybody, others can put any number of files under the names of copies.
func (p rescuePlaces) Find(name string) iter.Seq[engine.EmergencyCopy] {
	return func(yield func(engine.EmergencyCopy) bool) {
		mine, others := p.names(name)
		for _, path := range slices.Concat(mine, others) {
			if !yield(readCopy(path)) {
				return
			}
		}
	}
}

// names are the files that are called as a copy is: one's own, and some of others.
func (p rescuePlaces) names(name string) (mine, others []string) {
	var seen []os.FileInfo
	for _, dir := range p.dirs {
		info, err := os.Stat(dir)
		if err != nil || slices.ContainsFunc(seen, func(s os.FileInfo) bool { return os.SameFile(s, info) }) {
			continue
		}
		seen = append(seen, info)
		entries, _ := os.ReadDir(dir) // what cannot be read holds nothing for us
		foreign := 0
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), rescuePrefix+name) || !strings.HasSuffix(e.Name(), rescueSuffix) {
				continue
			}
			path := filepath.Join(dir, e.Name())
			if info, err := e.Info(); err == nil && p.mine(info) {
				mine = append(mine, path)
			} else if foreign++; foreign <= mostForeign {
				others = append(others, path)
			}
		}
	}
	return mine, others
}

// waiting names the emergency copies of a state that are one's own, without reading
// any: that of others is noise. It needs no key, and says nothing where there is nothing to say.
func (c *cli) waiting(ctx context.Context, store *state.Store, path string) []string {
	name, err := store.RescueName(ctx, addr.Addr{})
	if err != nil {
		return nil
	}
	mine, _ := c.rescuer(path).names(name)
	return mine
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

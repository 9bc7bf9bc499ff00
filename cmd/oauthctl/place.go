package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/schema"
)

const (
	defaultState   = "oauthctl.state"
	workDir        = ".oauthctl"
	pointerName    = "state-path"
	sandboxState   = "sandbox.state"
	sandboxJournal = "sandbox.journal"

	maxPointer = 4096 // bytes
)

// statePath is where the state is, for a command that did not read the
// configuration: -state, OAUTHCTL_STATE_PATH, the pointer that the last command
// that did left behind, ./oauthctl.state.
func (c *cli) statePath() (string, error) {
	if path, ok := c.stateOverride(); ok {
		return path, nil
	}
	if err := c.checkWorkDir(); err != nil {
		return "", err
	}
	pointer := c.path(filepath.Join(workDir, pointerName))
	text, err := readRegular(pointer, maxPointer)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.path(defaultState), nil
	case err != nil:
		return "", advised("delete it, and run: oauthctl plan", "%w", err)
	}
	path := strings.TrimSpace(string(text))
	if path == "" || strings.ContainsAny(path, "\x00\n") || len(path) > maxPointer {
		return "", advised("delete it, and run: oauthctl plan", "%s should hold the path of the state in one line", pointer)
	}
	return c.path(path), nil
}

func (c *cli) stateOverride() (string, bool) {
	switch path := c.env("OAUTHCTL_STATE_PATH"); {
	case c.sandbox:
		return c.path(filepath.Join(workDir, sandboxState)), true
	case c.state != "":
		return c.path(c.state), true
	case path != "":
		return c.path(path), true
	case c.carries():
		return carriedPlace, true
	}
	return "", false
}

// statePathFor is statePath for a command that read the configuration; it
// leaves the pointer for those that will not.
func (c *cli) statePathFor(cfg *schema.Config) (string, error) {
	if path, ok := c.stateOverride(); ok {
		return path, nil
	}
	path, diags := configuredPath(cfg, c.configDir())
	if diags.HasErrors() {
		return "", c.show(diags, cfg.Sources)
	}
	if path == "" {
		return c.path(defaultState), c.removePointer()
	}
	if err := c.checkWorkDir(); err != nil {
		return "", err
	}
	err := c.writePointer(path)
	if _, old := os.Lstat(c.path(filepath.Join(workDir, pointerName))); err != nil && old != nil {
		// A checkout that cannot be written to keeps nobody from planning.
		c.warn(fmt.Sprintf("where the state is could not be noted (%v). Commands that do not read the configuration need -state=%s", err, outlet.ShellQuote(path)))
		err = nil
	}
	return path, err
}

func (c *cli) removePointer() error {
	if err := c.checkWorkDir(); err != nil {
		return err
	}
	err := os.Remove(c.path(filepath.Join(workDir, pointerName)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (c *cli) writePointer(path string) error {
	rel := path
	if !filepath.IsAbs(path) {
		r, err := filepath.Rel(c.path("."), path)
		if err != nil {
			return err
		}
		rel = r
	}
	dir, err := c.makeWorkDir()
	if err != nil {
		return err
	}
	pointer := filepath.Join(dir, pointerName)
	if old, err := readRegular(pointer, maxPointer); err == nil && strings.TrimSpace(string(old)) == rel {
		return nil
	}
	return replaceFile(pointer, []byte(rel+"\n"))
}

// checkWorkDir refuses a link in the place of .oauthctl: a repository of somebody
// else can hold one, and what is written here would be written there.
func (c *cli) checkWorkDir() error {
	dir := c.path(workDir)
	if info, err := os.Lstat(dir); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return advised("remove it", "%s is a symbolic link, and not a directory of this one", dir)
	}
	return nil
}

// readRegular reads a file of at most so many bytes and one more. It follows no
// link, and opens no device.
func readRegular(path string, most int64) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return readSame(path, info, most)
}

// readSame reads the file that was looked at, and none that has come in its place.
func readSame(path string, info fs.FileInfo, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openCarefully, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	if now, err := f.Stat(); err != nil || !os.SameFile(info, now) {
		return nil, fmt.Errorf("%s was replaced while it was opened", path)
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}

// makeWorkDir makes .oauthctl, which git ignores by itself.
func (c *cli) makeWorkDir() (string, error) {
	dir := c.path(workDir)
	if err := c.checkWorkDir(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", advised("make "+c.path(".")+" writable, or work elsewhere with -chdir", "cannot make the directory %s: %w", dir, reasonOf(err))
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		if err := writeNew(ignore, []byte("*\n")); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return dir, nil
}

// replaceFile puts a file in the place of another, or leaves the old one whole.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// reasonOf is why a file could not be used, without what and where.
func reasonOf(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// maxCredentials is the size in bytes from which a file does not hold credentials
// of a place; a kubeconfig may know many clusters.
const maxCredentials = 256 << 10

// publishing is what sinks get from this machine.
func (c *cli) publishing() sink.Env {
	return sink.Env{
		Client: c.httpClientFor, LookupEnv: c.LookupEnv, Run: c.runProgram,
		ReadFile: func(name string) ([]byte, error) {
			return readSmall(c.besideConfig(name), maxCredentials, "a file with credentials")
		},
		ReadOwn: func(name string) ([]byte, error) { return readPublished(c.besideConfig(name)) },
		WriteFile: func(name string, text []byte) error {
			path := c.besideConfig(name)
			if err := c.notOwn(path); err != nil {
				return err
			}
			if info, err := os.Lstat(path); err == nil && info.IsDir() {
				return errors.New("it is a directory")
			}
			return reasonOf(replaceFile(path, text)) // a temporary file has mode 0600
		},
		RemoveFile: func(name string) error {
			path := c.besideConfig(name)
			if err := c.notOwn(path); err != nil {
				return err
			}
			err := os.Remove(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return reasonOf(err)
		},
	}
}

// besideConfig is a path as a configuration writes it.
func (c *cli) besideConfig(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.configDir(), name)
}

// notOwn refuses a file of this program's own: the state, and what is in the
// person's own directories. Who writes there takes the key away, or has the next
// sink run a program: a configuration that comes with a repository must not.
func (c *cli) notOwn(path string) error {
	own := &sink.Error{Kind: sink.Config, Detail: "it is a file of oauthctl's own", Remedy: "name another file in the argument path"}
	for _, name := range []string{c.opened, c.opened + "-journal", sqlite.LockPath(c.opened)} {
		if c.opened != "" && (sameFile(name, path) || filepath.Base(name) == filepath.Base(path) && sameFile(filepath.Dir(name), filepath.Dir(path))) {
			return own
		}
	}
	dirs := []string{c.pinDir()}
	if home, err := c.configHome(); err == nil {
		dirs = append(dirs, home)
	}
	at, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err == nil {
		at, err = filepath.Abs(at)
	}
	for err == nil {
		if slices.ContainsFunc(dirs, func(dir string) bool { return dir != "" && sameFile(dir, at) }) {
			return own
		}
		up := filepath.Dir(at)
		if up == at {
			return nil
		}
		at = up
	}
	return reasonOf(err)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

// readPublished reads a file that a sink has written.
func readPublished(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the configuration names it
}

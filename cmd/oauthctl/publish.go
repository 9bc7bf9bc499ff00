package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oauthctl/oauthctl/engine/sink"
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
			if info, err := os.Lstat(path); err == nil && info.IsDir() {
				return errors.New("it is a directory")
			}
			return reasonOf(replaceFile(path, text)) // a temporary file has mode 0600
		},
		RemoveFile: func(name string) error {
			err := os.Remove(c.besideConfig(name))
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

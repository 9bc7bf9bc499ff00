package main

import (
	"context"
	"os"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// openStore opens the state at path. recipients are for a state that has to be
// made; nil: the person's own.
func (c *cli) openStore(ctx context.Context, path string, recipients []string) (*state.Store, error) {
	c.opened = path
	backend, err := openBackend(path)
	if err != nil {
		return nil, err
	}
	c.locks, _ = backend.(lockFiles)
	store, err := state.Open(ctx, backend, state.Options{
		Identities: func() ([]age.Identity, error) { return c.identities(ctx) },
		Recipients: recipients,
		PinDir:     c.pinDir(),
		Holder:     c.holder(),
		Now:        c.Now,

		AcceptRollback: c.older,
	})
	if err != nil {
		_ = backend.Close()
		return nil, err
	}
	return store, nil
}

// openState opens the state for a command that does not read the configuration.
func (c *cli) openState(ctx context.Context) (*state.Store, error) {
	path, err := c.statePath()
	if err != nil {
		return nil, err
	}
	return c.openStore(ctx, path, nil)
}

// openStateFor opens the state of a configuration.
func (c *cli) openStateFor(ctx context.Context, cfg *schema.Config) (*state.Store, error) {
	path, err := c.statePathFor(cfg)
	if err != nil {
		return nil, err
	}
	return c.openStore(ctx, path, nil)
}

func (c *cli) holder() state.Holder {
	user := c.env("USER")
	if user == "" {
		user = c.env("USERNAME")
	}
	return state.Holder{PID: os.Getpid(), Host: hostname(), User: user, Since: c.Now().UTC().Format(time.RFC3339)}
}

func hostname() string {
	name, _ := os.Hostname()
	return name
}

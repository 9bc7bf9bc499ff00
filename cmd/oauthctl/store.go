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
	if path == carriedPlace && c.carries() {
		return c.openCarried(ctx)
	}
	c.opened = path
	if err := c.proveOut(); err != nil {
		return nil, err
	}
	backend, err := c.openBackend(path)
	if err != nil {
		return nil, err
	}
	c.locks, _ = backend.(lockFiles)
	c.held = true
	o := c.storeOptions(ctx)
	o.Recipients = recipients
	return openOn(ctx, backend, o)
}

// storeOptions are the options of every store.
func (c *cli) storeOptions(ctx context.Context) state.Options {
	return state.Options{
		Identities: func() ([]age.Identity, error) { return c.identities(ctx) },
		PinDir:     c.pinDir(), Holder: c.holder(), Now: c.Now, AcceptRollback: c.older, Sandbox: c.sandbox,
	}
}

func openOn(ctx context.Context, backend state.Backend, o state.Options) (*state.Store, error) {
	store, err := state.Open(ctx, backend, o)
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

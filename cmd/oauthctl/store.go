package main

import (
	"context"
	"os"
	"time"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// openStore opens the state at path. recipients are for a state that has to be
// made; nil: the person's own.
func (c *cli) openStore(ctx context.Context, path string, recipients []string) (*state.Store, error) {
	backend, err := openBackend(path)
	if err != nil {
		return nil, err
	}
	store, err := state.Open(ctx, backend, state.Options{
		Identities: c.identities,
		Recipients: recipients,
		PinDir:     c.pinDir(),
		Holder:     c.holder(),
		Now:        c.Now,
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

// openStateFor opens the state of a configuration. With create, the identity is
// made if there is none, so that every command works without init.
func (c *cli) openStateFor(ctx context.Context, cfg *schema.Config, create bool) (*state.Store, error) {
	path, err := c.statePathFor(cfg)
	if err != nil {
		return nil, err
	}
	if create {
		made, err := c.ensureIdentity()
		if err != nil {
			return nil, err
		}
		if made != "" {
			c.view.Note("Made an identity in %s: it opens the state, so keep a copy in a safe place.", made)
		}
	}
	recipients := cfg.Settings.Recipients
	switch {
	case !create:
	case len(recipients) == 0:
		recipients, err = c.ownRecipients()
	default:
		err = c.lockedOut(recipients)
	}
	if err != nil {
		return nil, err
	}
	if c.sandbox {
		if _, err := c.makeWorkDir(); err != nil {
			return nil, err
		}
	}
	return c.openStore(ctx, path, recipients)
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

package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Look at and change the key that opens the state",
		Long: "Look at the identity, the key that opens the state; protect it, put it into the keyring, make a backup of it, " +
			"and replace it by a new one; and see what is left to do when it is lost. The private key is printed by nothing but key backup.",
		Example: "oauthctl key show",
		Args:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.help(cmd, nil)
			return &shownError{exitError}
		},
	}
	cmd.AddCommand(c.keyShowCommand(), c.keyProtectCommand(), c.keyUnprotectCommand(), c.keyMoveCommand(),
		c.keyRotateCommand(), c.keyBackupCommand(), c.keyRestoreCommand(), c.keyLostCommand())
	return cmd
}

func (c *cli) keyShowCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show where the key is, how it is kept, and which states it opens",
		Long: "Show where the identity is, whether a passphrase or the keyring guards it, its public half, and which of the states " +
			"that this machine has seen are sealed for it. The private key is never shown.",
		Example: "oauthctl key show\noauthctl key show -json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			return c.keyShow(cmd.Context())
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) keyShow(ctx context.Context) error {
	key, err := c.find(ctx)
	if errors.Is(err, errNoIdentity) {
		return state.WithAdvice(lockedKey{err}, "run: oauthctl init")
	}
	if err != nil {
		return err
	}
	places, err := c.knownStates()
	if err != nil {
		return err
	}
	info := view.Key{Source: key.place(), Kept: kept(key), Recipients: key.recipients()}
	for _, path := range places {
		names, err := c.sealedFor(ctx, path)
		switch {
		case errors.Is(err, state.ErrNoState):
			continue
		case err != nil:
			info.States = append(info.States, view.KeyState{Location: path, Problem: err.Error()})
			continue
		}
		opens := slices.ContainsFunc(info.Recipients, func(r string) bool { return slices.Contains(names, r) })
		info.States = append(info.States, view.KeyState{Location: path, Opens: opens, Recipients: names})
	}
	c.view.Key(info)
	return nil
}

func kept(key *identity) view.Kept {
	switch {
	case key.keyring != "":
		return view.KeptInKeyring
	case key.protected:
		return view.KeptProtected
	case key.src.path == "":
		return view.KeptInEnvironment
	}
	return view.KeptInClear
}

// knownStates are the states that this machine has seen, and the one here.
func (c *cli) knownStates() ([]string, error) {
	places, err := state.Places(c.pinDir())
	if err != nil {
		return nil, err
	}
	path, err := c.statePath()
	if err != nil {
		return nil, err
	}
	if path == carriedPlace {
		return append([]string{path}, places...), nil
	}
	backend, err := c.openBackend(path)
	if err != nil {
		return nil, err
	}
	defer backend.Close()
	if here := backend.Location(); !slices.Contains(places, here) {
		places = append([]string{here}, places...)
	}
	return places, nil
}

// sealedFor are the recipients of a state. It needs no key.
func (c *cli) sealedFor(ctx context.Context, path string) ([]string, error) {
	store, err := c.openStore(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return store.Recipients(ctx)
}

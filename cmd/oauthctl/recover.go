package main

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine"
)

func (c *cli) recoverCommand() *cobra.Command {
	var f recoverFlags
	var json bool
	cmd := &cobra.Command{
		Use:   "recover [FILE…]",
		Short: "Put emergency copies of tokens back into the state",
		Long: "If the state cannot be written after a server has answered a refresh, or a consent was given (the disk is full, or failed), the new tokens are kept, sealed, " +
			"in an emergency copy: beside the state, in $XDG_STATE_HOME/oauthctl/emergency, or in the directory for temporary files. token, refresh and apply put it back by themselves " +
			"when they need the connection (that of a consent: apply alone); recover does so now, with all copies of the state, or with those that are named. A copy is put back only if it answers the very refresh that " +
			"the state knows as unfinished, or if the connection is still as it was when the consent was given, and is removed then. Any other is left where it is.",
		Example: "oauthctl recover -dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.recoverCopies(cmd.Context(), args, &f)
		},
	}
	jsonFlag(cmd, &json)
	cmd.Flags().BoolVar(&f.list, "list", false, "only list the copies, and whether they can be put back")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	lockTimeoutFlag(cmd.Flags(), &f.patience)
	return cmd
}

type recoverFlags struct {
	list, dryRun bool
	patience     time.Duration
}

func (f *recoverFlags) mode() view.RecoverMode {
	switch {
	case f.list:
		return view.RecoverList
	case f.dryRun:
		return view.RecoverDryRun
	}
	return view.RecoverNow
}

func (c *cli) recoverCopies(ctx context.Context, files []string, f *recoverFlags) error {
	if !f.list && !f.dryRun {
		if err := c.mustKeep(); err != nil {
			return err
		}
	}
	path, err := c.statePath()
	if err != nil {
		return err
	}
	store, err := c.openStore(ctx, path, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	var copies []engine.EmergencyCopy
	for _, file := range files {
		copies = append(copies, readCopy(c.path(file)))
	}
	e := engine.New(engine.Options{
		Store: store, Now: c.Now, Rand: c.Rand, LockTimeout: f.patience, PID: os.Getpid(), Host: hostname(), Rescuer: c.rescuer(path),
	})
	found, err := e.Recover(ctx, copies, f.list || f.dryRun)
	if err != nil {
		return err
	}
	c.view.Recovered(found, f.mode())
	left := slices.ContainsFunc(found, func(r engine.Recovered) bool { return r.Err != nil })
	if left && !f.list {
		return &shownError{exitError}
	}
	return nil
}

// putBack puts emergency copies back before a plan is made, which else would ask a
// person for what was granted. Of what fails, recover tells.
func (s *session) putBack(ctx context.Context) {
	copies, _ := s.engine.Recover(ctx, nil, false)
	for _, r := range copies {
		if r.Err == nil {
			s.c.view.Note("Put the tokens of %s back from %s", r.Addr, r.Place)
		}
	}
}

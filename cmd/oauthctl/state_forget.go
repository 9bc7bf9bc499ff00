package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) stateForgetCommand() *cobra.Command {
	var dryRun bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "forget ADDR…",
		Short: "Drop the earlier generations that the state keeps",
		Long: "Drop what the state keeps of connections besides the present record, which stays: earlier generations, and what is kept of connections that were removed. " +
			"Nothing is revoked, and nothing brings it back. An address without a key means all its instances. state history lists what is kept.",
		Example: "oauthctl state forget -dry-run graph",
		Args:    someAddrs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.stateForget(cmd.Context(), args, dryRun, wait)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say of what something would be dropped")
	lockTimeoutFlag(cmd.Flags(), &wait)
	return cmd
}

func (c *cli) stateForget(ctx context.Context, args []string, dryRun bool, wait time.Duration) error {
	want, store, err := c.openForChange(ctx, args, dryRun)
	if err != nil {
		return err
	}
	defer store.Close()
	forgotten, err := c.stateEngine(store, wait).Forget(ctx, want, dryRun)
	verb := "Dropped"
	if dryRun {
		verb = "Would drop"
	}
	for _, a := range forgotten {
		c.view.Note("%s what was kept of %s", verb, a)
	}
	if err == nil && len(forgotten) == 0 {
		c.view.Note("Nothing is kept but what is present.")
	}
	return err
}

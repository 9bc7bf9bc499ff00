package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) stateHistoryCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "history [ADDR]",
		Short: "List the generations that the state keeps",
		Long: "List what the state keeps of a connection, newest first: what made each generation, when, its status and when its access token ends. " +
			"Tokens are never shown. Kept are the last five generations of each connection besides the present one, and the last generation of connections that were removed. " +
			"Without ADDR all connections are listed, removed ones as well.",
		Example: "oauthctl state history graph",
		Args:    maxArgs(1, "at most one address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.stateHistory(cmd.Context(), args)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) stateHistory(ctx context.Context, args []string) error {
	var a addr.Addr
	if len(args) > 0 {
		var err error
		if a, err = addr.Parse(args[0]); err != nil {
			return err
		}
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	all, err := c.stateEngine(store, 0).History(ctx, a)
	if err != nil {
		return err
	}
	c.view.History(all)
	return nil
}

// stateEngine is an engine for work on the state alone.
func (c *cli) stateEngine(store *state.Store, wait time.Duration) *engine.Engine {
	return engine.New(engine.Options{Store: store, Now: c.Now, Rand: c.Rand, LockTimeout: wait})
}

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
)

func (c *cli) refreshCommand() *cobra.Command {
	var json bool
	var work workFlags
	cmd := &cobra.Command{
		Use:   "refresh NAME…",
		Short: "Refresh the tokens of connections now",
		Long: "Refresh the tokens of the named connections now, each once, whether they are due or not. " +
			"token does this by itself when it is due; refresh is for keeping a connection alive. " +
			"It is not terraform refresh, which reads what is there and changes the state: every refresh here asks a server for new tokens, " +
			"and apply -refresh-only does it for all connections.",
		Example: "oauthctl refresh graph",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return advised("for all connections, run: oauthctl apply -refresh-only", "%s wants the names of connections", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, true)
			return c.refresh(cmd.Context(), args, &work)
		},
		ValidArgsFunction: c.completeConnections,
	}
	jsonFlag(cmd, &json)
	work.register(cmd.Flags())
	rollbackFlag(cmd.Flags(), &c.older)
	return cmd
}

func (c *cli) refresh(ctx context.Context, args []string, work *workFlags) error {
	if err := work.check(); err != nil {
		return err
	}
	addrs, err := parseAddrs(args)
	if err != nil {
		return err
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	o := engine.Options{
		Store: store, Now: c.Now, Rand: c.Rand, OnEvent: c.view.Event,
		Parallelism: work.parallelism, LockTimeout: work.lockTimeout, PID: os.Getpid(), Host: hostname(), Rescuer: c.rescuer(c.opened), Carry: c.carry(),
	}
	done, err := c.connectStored(&o)
	if err != nil {
		return err
	}
	defer done()
	out, err := engine.New(o).Refresh(ctx, addrs)
	if out != nil {
		c.view.Applied(out, "refresh")
	}
	if err != nil {
		return err
	}
	if code := outcomeCode(ctx, out); code != exitDone {
		return &shownError{code}
	}
	return nil
}

package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) showCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show what the state holds of connections, without tokens",
		Long: "Show in full what the state holds of one connection, or of all: server, client, scopes, account, lifetimes. " +
			"Tokens are never shown; see token and output.",
		Example: "oauthctl show graph",
		Args:    maxArgs(1, "at most one connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.showRecords(cmd.Context(), args)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) showRecords(ctx context.Context, args []string) error {
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if len(args) == 0 {
		records, err := store.All(ctx, state.PartInfo)
		if err != nil && !errors.Is(err, state.ErrNoState) {
			return err
		}
		if len(records) == 0 {
			c.view.Note("The state holds no connections.")
		}
		c.view.Records(records)
		return nil
	}
	a, err := addr.Parse(args[0])
	if err != nil {
		return err
	}
	r, err := store.Get(ctx, a, state.PartInfo)
	if err != nil {
		return c.suggestAddr(ctx, store, a, err)
	}
	c.view.Record(r)
	return nil
}

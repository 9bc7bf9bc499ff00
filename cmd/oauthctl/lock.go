package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) lockCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "lock",
		Short:   "Show who is at work on which connection",
		Long:    "Show who is at work on which connection. Locks end with the process that holds them; there is nothing to clean up after a crash.",
		Example: "oauthctl lock list",
		Args:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.help(cmd, nil)
			return &shownError{exitError}
		},
	}
	cmd.AddCommand(c.lockListCommand())
	return cmd
}

func (c *cli) lockListCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "list [ADDR…]",
		Short: "List the locks and consents under way",
		Long: "List the locks that are held and the consents that are under way: which connection, who, on which machine, since when, and for what. " +
			"It needs no key and takes no lock.",
		Example: "oauthctl lock list",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.lockList(cmd.Context(), args)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) lockList(ctx context.Context, args []string) error {
	want, err := parseAddrs(args)
	if err != nil {
		return err
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	held, err := store.Held(ctx)
	if err != nil {
		return err
	}
	c.view.Locks(heldOf(held, want))
	return nil
}

// heldOf keeps what is about one of the addresses; all if there are none.
func heldOf(held []state.Held, want []addr.Addr) []state.Held {
	return within(held, want, func(h state.Held) addr.Addr { return h.Addr })
}

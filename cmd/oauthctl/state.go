package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "state",
		Short:   "Look at and change the state itself",
		Long:    "Look at the state itself, give its connections other addresses, take them out of it without revoking them, go back to what it kept, or drop that, and copy it.",
		Example: "oauthctl state list",
		Args:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.help(cmd, nil)
			return &shownError{exitError}
		},
	}
	cmd.AddCommand(c.stateListCommand(), c.stateShowCommand(), c.stateHistoryCommand(),
		c.stateRestoreCommand(), c.stateForgetCommand(), c.stateMvCommand(), c.stateRmCommand(),
		c.statePullCommand(), c.statePushCommand(), c.stateMigrateCommand())
	return cmd
}

func (c *cli) stateListCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "list [ADDR…]",
		Short:   "List the addresses in the state",
		Long:    "List the addresses of the connections in the state, one a line. It needs no key.",
		Example: "oauthctl state list",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.stateList(cmd.Context(), args)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) stateList(ctx context.Context, args []string) error {
	want, err := parseAddrs(args)
	if err != nil {
		return err
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	rows, err := readRows(ctx, store)
	if err != nil {
		return err
	}
	c.view.Addresses(filterRows(rows, want))
	return nil
}

// filterRows keeps the rows that one of the addresses contains; all if there are none.
func filterRows(rows []state.Summary, want []addr.Addr) []state.Summary {
	return within(rows, want, func(r state.Summary) addr.Addr { return r.Addr })
}

// within keeps what is about one of the addresses; all if there are none.
func within[T any](list []T, want []addr.Addr, of func(T) addr.Addr) []T {
	if len(want) == 0 {
		return list
	}
	var out []T
	for _, v := range list {
		if slices.ContainsFunc(want, func(a addr.Addr) bool { return a.Contains(of(v)) }) {
			out = append(out, v)
		}
	}
	return out
}

func (c *cli) stateShowCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "show ADDR",
		Short:   "Show one connection of the state, without tokens",
		Long:    "Show in full what the state holds of one connection. Tokens are never shown. The same as oauthctl show ADDR.",
		Example: "oauthctl state show graph",
		Args:    exactArgs(1, "one address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.showRecords(cmd.Context(), args)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	jsonFlag(cmd, &json)
	return cmd
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// maxArgs is [cobra.MaximumNArgs] with an error that says what is wanted.
func maxArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return misused(cmd, "%s wants %s", cmd.CommandPath(), what)
	}
}

// parseAddrs reads addresses from arguments.
func parseAddrs(args []string) ([]addr.Addr, error) {
	var list []addr.Addr
	for _, arg := range args {
		a, err := addr.Parse(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// suggestAddr adds to the error about an address that is not in the state which
// one was probably meant.
func (c *cli) suggestAddr(ctx context.Context, store *state.Store, a addr.Addr, err error) error {
	if !errors.Is(err, state.ErrNotFound) {
		return err
	}
	rows, listErr := readRows(ctx, store)
	if listErr != nil {
		return err
	}
	s := schema.Suggest(a.Short(), shortNames(rows))
	if s == "" {
		return err
	}
	failed := &engine.Error{Class: engine.ClassError, Addr: a, Doing: "find " + a.String(), Err: state.ErrNotFound}
	var e *engine.Error
	if errors.As(err, &e) {
		copied := *e
		failed = &copied
	}
	failed.Remedy = fmt.Sprintf("did you mean %s?", s)
	return failed
}

// completeAddrs completes the addresses of the state.
func (c *cli) completeAddrs(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	rows, _, err := c.summaries(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Addr.Short()+"\t"+r.Provider)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// readRows reads what is in clear of all connections of a state.
func readRows(ctx context.Context, store *state.Store) ([]state.Summary, error) {
	rows, err := store.Summaries(ctx)
	if err != nil {
		return nil, fmt.Errorf("could not %w", err)
	}
	return rows, nil
}

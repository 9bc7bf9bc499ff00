package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/zclconf/go-cty/cty"

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

// someAddrs are the arguments of a command that is about one address or more.
func someAddrs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misused(cmd, "%s wants addresses", cmd.CommandPath())
	}
	return nil
}

// openForChange opens the state for a change of what args name; a dry run makes none.
func (c *cli) openForChange(ctx context.Context, args []string, dryRun bool) ([]addr.Addr, *state.Store, error) {
	if !dryRun {
		if err := c.mustKeep(); err != nil {
			return nil, nil, err
		}
	}
	as, err := parseAddrs(args)
	if err != nil {
		return nil, nil, err
	}
	store, err := c.openState(ctx)
	return as, store, err
}

// notHeld is the error about an address that is not in the state. doing: "show graph".
func notHeld(a addr.Addr, doing string, rows []state.Summary) error {
	return &engine.Error{
		Class: engine.ClassError, Addr: a, Doing: doing, Err: state.ErrNotFound,
		Remedy: cmp.Or(engine.Meant(a, rows), "look what there is: oauthctl state list"),
	}
}

// suggestAddr makes the error about an address that is not in the state one that
// says which was probably meant.
func (c *cli) suggestAddr(ctx context.Context, store *state.Store, a addr.Addr, doing string, err error) error {
	if !errors.Is(err, state.ErrNotFound) {
		return err
	}
	rows, listErr := readRows(ctx, store)
	if listErr != nil {
		return err
	}
	return notHeld(a, doing, rows)
}

// completeAddrs completes the addresses of the state.
func (c *cli) completeAddrs(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	store, err := c.openState(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close()
	rows, err := readRows(cmd.Context(), store)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Addr.Short()+"\t"+r.Provider)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeWanted completes the addresses of the state and of the configuration.
func (c *cli) completeWanted(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names, directive := c.completeAddrs(cmd, args, begun)
	cfg := c.partialConfig(cmd.Context())
	for _, conn := range cfg.Connections {
		name := conn.Addr.Short() + "\t"
		if !slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, name) }) {
			names = append(names, name+conn.Provider)
		}
	}
	slices.Sort(names)
	return names, directive
}

// completeOutputs completes the outputs of the configuration.
func (c *cli) completeOutputs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	outs, _ := c.partialConfig(cmd.Context()).Outputs(func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false })
	for _, o := range outs {
		names = append(names, o.Name+"\t"+o.Description)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// partialConfig is as much of the configuration as there is, for completion:
// what is wrong with it is for other commands to say.
func (c *cli) partialConfig(ctx context.Context) *schema.Config {
	src, err := c.source(&varFlags{})
	if err != nil {
		src.Dir = c.configPath()
	}
	src.Partial = true
	cfg, _ := schema.Load(ctx, src)
	return cfg
}

// completeVariables completes the names of the variables that the configuration declares.
func (c *cli) completeVariables(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, v := range c.partialConfig(cmd.Context()).Variables {
		names = append(names, v.Name+"=\t"+v.Description)
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeFlags lets the shell complete the values of flags that hold addresses and
// variables, for every command that has such a flag.
func (c *cli) completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch f.Value.(type) {
		case addrFlag:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, c.completeWanted)
		case varValue:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, c.completeVariables)
		}
	})
	for _, sub := range cmd.Commands() {
		c.completeFlags(sub)
	}
}

// completeConnections completes the addresses of what has tokens.
func (c *cli) completeConnections(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	names, directive := c.completeAddrs(cmd, args, typed)
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, string(addr.KindSink)+".") }), directive
}

// readRows reads what is in clear of all connections of a state.
func readRows(ctx context.Context, store *state.Store) ([]state.Summary, error) {
	rows, err := store.Summaries(ctx)
	if err != nil {
		return nil, fmt.Errorf("could not %w", err)
	}
	return rows, nil
}

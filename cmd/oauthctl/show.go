package main

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine/planfile"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) showCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "show [NAME | FILE]",
		Short: "Show what the state holds, without tokens, or a saved plan",
		Long: "Show in full what the state holds of one connection, or of all and of the outputs: server, client, scopes, account, lifetimes. " +
			"Tokens are never shown; see token and output. FILE is a plan of plan -out, shown as plan shows it, or a state.",
		Example: "oauthctl show graph\noauthctl show next.plan",
		Args:    maxArgs(1, "at most one connection or file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			if len(args) == 0 {
				return c.showRecords(cmd.Context(), nil)
			}
			return c.showNamed(cmd.Context(), args[0], json)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			names, _ := c.completeAddrs(cmd, args, begun)
			return names, cobra.ShellCompDirectiveDefault // files too: saved plans
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

// showNamed shows a saved plan or a state, if the argument names such a file,
// or else a connection.
func (c *cli) showNamed(ctx context.Context, arg string, json bool) error {
	path := c.path(arg)
	start, err := startOf(path)
	switch {
	case planfile.Looks(start):
		saved, err := c.readPlan(path)
		if err != nil {
			return err
		}
		c.sandbox = saved.Sandbox // as plan said it
		c.view = c.newView(json, false)
		c.view.Plan(saved.Plan)
		return nil
	case bytes.HasPrefix(start, []byte("SQLite format 3\x00")):
		c.state = arg
		return c.showRecords(ctx, nil)
	}
	if _, bad := addr.Parse(arg); bad != nil && (err == nil || strings.ContainsAny(arg, "./")) {
		if err == nil {
			err = errors.New("it is neither a saved plan nor a state")
		}
		return advised("see: oauthctl show -help", "cannot show %s: %w", path, reasonOf(err))
	}
	return c.showRecords(ctx, []string{arg})
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
		outs, src, diags, err := c.outputsOf(ctx, store, nil)
		if err != nil {
			return err
		}
		for _, d := range diags { // one that has no value now keeps nobody from looking at the rest
			d.Severity = hcl.DiagWarning
		}
		if len(records) == 0 {
			c.view.Note("The state holds no connections.")
		}
		c.view.Records(records, outs)
		return c.show(diags, src)
	}
	a, err := addr.Parse(args[0])
	if err != nil {
		return err
	}
	r, err := store.Get(ctx, a, state.PartInfo)
	if err != nil {
		return c.suggestAddr(ctx, store, a, "show "+a.String(), err)
	}
	c.view.Record(r)
	return nil
}

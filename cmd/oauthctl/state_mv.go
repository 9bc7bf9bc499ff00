package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) stateMvCommand() *cobra.Command {
	var dryRun bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "mv FROM TO",
		Short: "Give connections another address, tokens and all",
		Long: "Put connections of the state under another address. Their tokens move along, so that nobody has to consent again. " +
			"An address without a key means all instances of the block. Rename the block in the configuration as well; " +
			"a moved block there does both for everybody who shares the state.",
		Example: `oauthctl state mv graph 'mail["eu"]'`,
		Args:    exactArgs(2, "two addresses: where the connection is, and where it goes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.stateMv(cmd.Context(), args, dryRun, wait)
		},
		ValidArgsFunction: c.completeConnections,
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would move")
	lockTimeoutFlag(cmd.Flags(), &wait)
	return cmd
}

func (c *cli) stateMv(ctx context.Context, args []string, dryRun bool, wait time.Duration) error {
	as, store, err := c.openForChange(ctx, args, dryRun)
	if err != nil {
		return err
	}
	defer store.Close()
	rows, err := readRows(ctx, store)
	if err != nil {
		return err
	}
	renames, err := renamesOf(rows, as[0], as[1])
	if err != nil {
		return err
	}
	verb := "Would move"
	if !dryRun {
		verb = "Moved"
		e := engine.New(engine.Options{Store: store, Now: c.Now, LockTimeout: wait, PID: os.Getpid(), Host: hostname(), Rescuer: c.rescuer(c.opened)})
		if err := e.Rename(ctx, renames); err != nil {
			return err
		}
	}
	for _, r := range renames {
		c.view.Note("%s %s to %s", verb, r.From, r.To)
	}
	return nil
}

// renamesOf says which records move from one address to another.
func renamesOf(rows []state.Summary, from, to addr.Addr) ([]state.Rename, error) {
	doing := fmt.Sprintf("could not move %s to %s: ", from, to)
	if from.Kind != addr.KindConnection || to.Kind != addr.KindConnection {
		return nil, fmt.Errorf("%sonly connections can be moved; a sink of another name is published anew", doing)
	}
	if from == to {
		return nil, fmt.Errorf("%sit is there", doing)
	}
	held := map[addr.Addr]bool{}
	for _, r := range rows {
		held[r.Addr] = true
	}
	hits := filterRows(rows, []addr.Addr{from})
	switch {
	case len(hits) == 0:
		return nil, notHeld(from, fmt.Sprintf("move %s to %s", from, to), rows)
	case held[from] && (to.Keyed || len(hits) == 1):
		hits = []state.Summary{{Addr: from}}
	case to.Keyed:
		return nil, fmt.Errorf("%s%s has instances: name one of them, such as %s", doing, from, hits[0].Addr.Short())
	}
	var out []state.Rename
	for _, h := range hits {
		r := state.Rename{From: h.Addr, To: to}
		if h.Addr != from {
			r.To = to.Instance(h.Addr.Key)
		}
		if held[r.To] {
			return nil, fmt.Errorf("%s%s is in the state already; to give it up, run: oauthctl state rm '%s'", doing, r.To, r.To)
		}
		out = append(out, r)
	}
	return out, nil
}

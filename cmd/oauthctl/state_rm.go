package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) stateRmCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "rm ADDR…",
		Short: "Forget connections without revoking them",
		Long: "Take connections out of the state without revoking them at the server: the tokens live on there until they end. " +
			"An address without a key means all its instances. To revoke, take the block out of the configuration and apply, or destroy.",
		Example: "oauthctl state rm -dry-run graph",
		Args:    someAddrs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.stateRm(cmd.Context(), args, dryRun)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be forgotten")
	return cmd
}

func (c *cli) stateRm(ctx context.Context, args []string, dryRun bool) error {
	want, store, err := c.openForChange(ctx, args, dryRun)
	if err != nil {
		return err
	}
	defer store.Close()
	rows, err := readRows(ctx, store)
	if err != nil {
		return err
	}
	var gone []state.Summary
	for _, a := range want {
		hits := filterRows(rows, []addr.Addr{a})
		if len(hits) == 0 {
			return notHeld(a, "forget "+a.String(), rows)
		}
		gone = append(gone, hits...)
	}
	for _, r := range gone {
		if dryRun {
			c.view.Note("Would forget %s", r.Addr)
			continue
		}
		if err := c.forget(ctx, store, r.Addr); err != nil {
			return err
		}
		if r.Addr.Kind == addr.KindSink {
			c.view.Note("Forgot %s. What it has published stays there.", r.Addr)
			continue
		}
		c.view.Note("Forgot %s. It is not revoked at the server.", r.Addr)
	}
	return nil
}

// forget deletes a record under its lock, so that no refresh runs into it.
func (c *cli) forget(ctx context.Context, store *state.Store, a addr.Addr) error {
	unlock, err := store.Lock(ctx, a, "state rm")
	if err != nil {
		return fmt.Errorf("could not forget %s: %w", a, err)
	}
	defer unlock()
	r, err := store.Get(ctx, a, state.PartInfo)
	if err == nil {
		err = store.Delete(ctx, a, r.Generation)
	}
	if err != nil {
		return fmt.Errorf("could not forget %s: %w", a, err)
	}
	return nil
}

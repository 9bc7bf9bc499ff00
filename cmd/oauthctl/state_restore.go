package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

type restoreFlags struct {
	generation uint64
	approve    bool
	dryRun     bool
	wait       time.Duration
	input      inputFlags
}

func (c *cli) stateRestoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore ADDR",
		Short: "Make an earlier generation of a connection the newest",
		Long: "Make a generation that state history lists the newest one, as a new generation; what is present is kept in turn. " +
			"No request is made: whether its tokens still work, only the server knows. " +
			"If the refresh token was replaced since, it may be dead, and using it may end the grant: this is said before anything is done.",
		Example: "oauthctl state restore -generation=7 graph",
		Args:    exactArgs(1, "one address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			if f.generation == 0 {
				return misused(cmd, "%s wants -generation=N; oauthctl state history lists what is kept", cmd.CommandPath())
			}
			return c.stateRestore(cmd.Context(), args[0], &f)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	cmd.Flags().Uint64Var(&f.generation, "generation", 0, "the generation `N` to restore")
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask before changing anything")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be restored")
	lockTimeoutFlag(cmd.Flags(), &f.wait)
	f.input.register(cmd.Flags())
	return cmd
}

func (c *cli) stateRestore(ctx context.Context, name string, f *restoreFlags) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	if !f.dryRun && !f.approve && !c.canAsk(&f.input) {
		return advised("look with -dry-run; then run this again with -auto-approve", "nobody can be asked here (no terminal, CI, or -input=false)")
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	e := c.stateEngine(store, f.wait)
	r, err := e.PlanRestore(ctx, a, f.generation)
	if err != nil {
		return err
	}
	c.sayRestore(r)
	if f.dryRun {
		return nil
	}
	if err := c.mustKeep(); err != nil {
		return err
	}
	if !f.approve {
		if err := c.approved(ctx, "Do you really want to restore it?"); err != nil {
			return err
		}
	}
	if err := e.Restore(ctx, r); err != nil {
		return err
	}
	c.view.Note("Restored generation %d of %s.", f.generation, a)
	return nil
}

func (c *cli) sayRestore(r *engine.Restoration) {
	over := "in the place of none, for the connection was removed"
	if r.Present != nil {
		over = fmt.Sprintf("over generation %d", r.Present.Generation)
	}
	c.view.Note("Generation %d of %s, written at %s, becomes the newest, %s.", r.Kept.Generation, r.Kept.Addr,
		r.Kept.UpdatedAt.UTC().Format(time.RFC3339), over)
	for _, w := range r.Warnings {
		c.view.Note("Warning: %s.", w)
	}
}

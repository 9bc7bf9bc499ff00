package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) statePushCommand() *cobra.Command {
	var o state.PushOptions
	var approve bool
	var input inputFlags
	cmd := &cobra.Command{
		Use:   "push FILE",
		Short: "Put the state of a document in the place of this one",
		Long: "Put a document of state pull in the place of the state, or make the state of it; FILE may be - for stdin. " +
			"It is all or nothing, and what is replaced is kept as earlier generations. Refused are a document that is damaged, newer than this program, or that no identity opens; " +
			"and, unless -force is given, one of another state and one that is older than what is here: its refresh tokens may be spent. " +
			"Whoever knows your public key can make a document. Where there is no state to compare it with, and this machine has never seen the one in it, what it holds is shown, and you are asked.",
		Example: "oauthctl state push -dry-run backup.json\noauthctl state pull -state=old.state | oauthctl state push -",
		Args:    exactArgs(1, "a file with a document, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view, c.input = c.newView(false, false), &input
			if !approve {
				o.Trust = c.trustPushed(cmd.Context(), args[0], &input, o.DryRun)
			}
			return c.statePush(cmd.Context(), args[0], o)
		},
	}
	cmd.Flags().BoolVar(&o.Force, "force", false, "push an older document, or one of another state")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "only say what would change")
	cmd.Flags().BoolVar(&approve, "auto-approve", false, "do not ask about a state that this machine has never seen")
	input.register(cmd.Flags())
	lockTimeoutFlag(cmd.Flags(), &o.Wait)
	return cmd
}

func (c *cli) statePush(ctx context.Context, name string, o state.PushOptions) error {
	if !o.DryRun {
		if err := c.mustKeep(); err != nil {
			return err
		}
	}
	text, err := c.readInput(name, state.MaxDocument, "document", "oauthctl state pull")
	if err != nil {
		return err
	}
	if c.sandbox && !o.DryRun {
		if _, err := c.makeWorkDir(); err != nil {
			return err
		}
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	p, err := store.Push(ctx, text, o)
	if err != nil {
		return err
	}
	c.sayPushed(p, o.DryRun)
	return nil
}

// trustPushed shows a state that this machine has never seen, and asks. That of the sandbox
// speaks to no server.
func (c *cli) trustPushed(ctx context.Context, name string, in *inputFlags, dryRun bool) func(*state.Pushed, []*state.Record) error {
	if c.sandbox {
		return nil
	}
	return func(p *state.Pushed, holds []*state.Record) error {
		ask := name != "-" && c.canAsk(in)
		if dryRun || ask {
			c.view.Records(holds, nil)
			c.view.Note("This machine has never seen the state %s. Nothing tells who made it: anybody can who knows your public key. "+
				"Look at the accounts, and at the endpoints that tokens and secrets will be sent to.", p.Lineage)
			if p.Outputs {
				c.view.Note("It has outputs as well. What oauthctl output prints here will be what they say, and they can read variables and files of this machine.")
			}
		}
		switch {
		case dryRun:
			return nil
		case !ask:
			return advised("look at it with -dry-run; then give -auto-approve, if you trust whoever sent it",
				"this machine has never seen the state %s, and nobody can be asked here (no terminal, CI, -input=false, or the document is on stdin)", p.Lineage)
		}
		return c.approved(ctx, "Do you want to push it?")
	}
}

func (c *cli) sayPushed(p *state.Pushed, dryRun bool) {
	add, change, remove, push := "Added", "Changed", "Removed", "Pushed"
	if dryRun {
		add, change, remove, push = "Would add", "Would change", "Would remove", "Would push"
	}
	for _, a := range p.Added {
		c.view.Note("%s %s", add, a)
	}
	for _, a := range p.Changed {
		c.view.Note("%s %s", change, a)
	}
	for _, a := range p.Removed {
		c.view.Note("%s %s. It is not revoked at the server.", remove, a)
	}
	if p.Outputs {
		c.view.Note("%s what is recorded of the outputs", change)
	}
	switch {
	case p.Replaced != "":
		c.view.Note("It takes the place of another state, %s, and of all that was kept of it.", p.Replaced)
	case p.PastDropped:
		c.view.Note("It is under another data key: what was kept of earlier generations goes.")
	}
	c.view.Note("%s the state %s at serial %d: %d added, %d changed, %d removed, %d as they were.",
		push, p.Lineage, p.Serial, len(p.Added), len(p.Changed), len(p.Removed), p.Unchanged)
}

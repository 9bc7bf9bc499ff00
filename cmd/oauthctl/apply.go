package main

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// applyFlags are those of apply and destroy.
type applyFlags struct {
	planFlags
	approve  bool
	detailed bool
}

func (f *applyFlags) register(cmd *cobra.Command) {
	f.planFlags.register(cmd)
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask before changing anything")
}

func (c *cli) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Carry out the plan: consents, refreshes, revocations",
		Long: "Show the plan, ask, and carry it out. Where a person has to consent, the browser is opened; " +
			"a connection that waits for somebody who is not here does not stop the others. What was granted is saved at once. " +
			"PLAN is a file of plan -out: it is carried out as it is, without asking, and refused if it does not fit any more.",
		Example: "oauthctl apply -target=graph\noauthctl apply next.plan",
		Args:    maxArgs(1, "at most one saved plan; to apply some connections, use -target"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.viewPlan(&f.planFlags, true); err != nil {
				return err
			}
			if len(args) > 0 {
				if err := c.takePlan(&f, args[0]); err != nil {
					return err
				}
			}
			return c.runApply(cmd.Context(), &f, "apply")
		},
	}
	f.register(cmd)
	f.registerWishes(cmd)
	rollbackFlag(cmd.Flags(), &c.older)
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 if something was changed, 0 if there was nothing to do")
	return cmd
}

var (
	errAskApproval = advised("look at the plan: oauthctl plan; then run this again with -auto-approve",
		"nobody can be asked here (no terminal, CI, or -input=false)")
	errJSONApproval = advised("give -auto-approve as well", "-json cannot ask")
	errCancelled    = errors.New("cancelled, nothing was changed")
)

func (c *cli) runApply(ctx context.Context, f *applyFlags, verb string) error {
	switch {
	case f.saved != nil:
		f.approve = true // whoever saved it has seen it
	case f.json && !f.approve:
		return errJSONApproval
	case !f.approve && !c.canAsk(&f.input):
		return errAskApproval
	}
	s, err := c.begin(ctx, &f.planFlags)
	if err != nil {
		return err
	}
	defer s.close()
	s.putBack(ctx)
	p, keys, err := s.planned(ctx, &f.planFlags)
	if err != nil {
		return err
	}
	if pending(p, keys) {
		if err := s.writeBack(ctx, p); err != nil {
			return err
		}
		if err := s.goAhead(ctx, p, keys, f); err != nil {
			return err
		}
	}
	out, err := s.engine.Apply(ctx, s.cfg, p)
	if out != nil {
		c.view.Applied(out, verb)
		if kept := s.keepUnpublished(out); kept != nil {
			c.showError(kept)
		}
	}
	var outputs hcl.Diagnostics
	switch {
	case errors.As(err, &outputs): // what is wrong with them is told as where it is written
		return c.show(outputs, s.cfg.Sources)
	case err != nil:
		return err
	}
	if code := outcomeCode(ctx, out); code != exitDone {
		return &shownError{code}
	}
	if f.detailed && pending(p, keys) {
		return &shownError{exitChanges}
	}
	return nil
}

// planned is the plan to carry out: the saved one, or one that is made and shown now.
func (s *session) planned(ctx context.Context, f *planFlags) (*plan.Plan, *rewrap, error) {
	if f.saved != nil { // and not shown, with what belongs to it
		if copies := s.c.waiting(ctx, s.store, s.path); len(copies) > 0 {
			s.c.view.Note("Warning: %s To put them back, run: oauthctl recover", view.EmergencyCopies(copies))
		}
		return s.verified(ctx, f.saved)
	}
	p, err := s.plan(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	keys, err := s.rewrap(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.show(ctx, p, keys)
	return p, keys, nil
}

// goAhead asks, and makes ready what the plan needs.
func (s *session) goAhead(ctx context.Context, p *plan.Plan, keys *rewrap, f *applyFlags) error {
	if err := s.c.mustKeep(); err != nil {
		return err
	}
	if !f.approve {
		if err := s.c.confirm(ctx, p); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if keys == nil {
		return nil
	}
	if err := s.store.Rekey(ctx, keys.want); err != nil {
		return err
	}
	s.c.view.Note("The state is encrypted for its new recipients.")
	return nil
}

func (c *cli) confirm(ctx context.Context, p *plan.Plan) error {
	question := "Do you want to carry this out?"
	if p.Options.Destroy {
		question = "Do you really want to revoke and forget all of this?"
	}
	return c.approved(ctx, question)
}

// approved asks; nil: the answer was yes.
func (c *cli) approved(ctx context.Context, question string) error {
	yes, err := c.console().Confirm(ctx, question)
	if errors.Is(err, context.Canceled) {
		return &codeError{exitInterrupted, errCancelled}
	}
	if err != nil {
		return err
	}
	if !yes {
		return errCancelled
	}
	return nil
}

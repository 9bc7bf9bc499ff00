package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/planfile"
)

// planFlags are what plan, apply and destroy share.
type planFlags struct {
	plan.Options
	vars    varFlags
	input   inputFlags
	work    workFlags
	json    bool
	into    string          // -json-into
	look    bool            // -refresh
	lock    bool            // -lock
	way     consentWay      // -consent
	outputs bool            // nothing is planned: expressions and outputs are what is wanted
	saved   *planfile.Saved // the plan that apply was given, if any

	generate string // -generate-config-out
}

func (f *planFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	jsonFlag(cmd, &f.json)
	fs.StringVar(&f.into, "json-into", "", "write the events of -json to `FILE` as well")
	fs.BoolVar(&f.look, "refresh", true, "as in Terraform; here a plan asks no server and spends no token, so that -refresh=false changes nothing")
	fs.BoolVar(&f.lock, "lock", true, "take locks; with -lock=false an apply waits for nobody, but what may be sent only once is still refreshed under its lock. A plan takes none")
	fs.Var(addrFlag{&f.Targets}, "target", "only `ADDR` and what it depends on (repeatable)")
	fs.Var(addrFlag{&f.Excludes}, "exclude", "all but `ADDR` and what depends on it (repeatable)")
	f.vars.register(fs)
	f.input.register(fs)
	f.work.register(fs)
}

// registerWishes adds the flags that destroy does not have.
func (f *planFlags) registerWishes(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.Var(addrFlag{&f.Replace}, "replace", "ask for a new consent for `ADDR` even if nothing changed (repeatable)")
	fs.BoolVar(&f.Destroy, "destroy", false, "revoke and forget everything")
	fs.BoolVar(&f.RefreshOnly, "refresh-only", false, "only refresh what can be refreshed without a person")
	f.registerWay(cmd)
}

// registerWay adds -consent.
func (f *planFlags) registerWay(cmd *cobra.Command) {
	f.way = wayAuto
	cmd.Flags().Var(&f.way, "consent", "how a person consents: `WAY` is auto, browser (on this machine), device (a code, entered on any device) or paste (the address that a browser anywhere ends at)")
	_ = cmd.RegisterFlagCompletionFunc("consent", completeWays)
}

func (c *cli) planCommand() *cobra.Command {
	var f planFlags
	var detailed bool
	var out string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and whether a person is needed",
		Long: "Compare the configuration with the state and show what apply would do to every connection, " +
			"why, and whether a person is needed. Nothing is changed and no server is asked.",
		Example: "oauthctl plan -target=graph\noauthctl plan -out=next.plan",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.viewPlan(&f, false); err != nil {
				return err
			}
			return c.runPlan(cmd.Context(), &f, c.path(out), detailed)
		},
	}
	f.register(cmd)
	f.registerWishes(cmd)
	rollbackFlag(cmd.Flags(), &c.older)
	cmd.Flags().StringVar(&out, "out", "", "save the plan in `FILE`, for apply and show")
	cmd.Flags().StringVar(&f.generate, "generate-config-out", "", "write blocks for connections that no block declares, of the state and of import blocks, to `FILE`, which must not exist")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 if there are changes, 0 if there are none")
	return cmd
}

func (c *cli) runPlan(ctx context.Context, f *planFlags, out string, detailed bool) error {
	if out != "" {
		if err := checkOut(out); err != nil {
			return err
		}
	}
	if f.generate != "" {
		if err := c.checkGenerate(f, out); err != nil {
			return err
		}
	}
	s, err := c.begin(ctx, f)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := s.plan(ctx, f)
	if err != nil {
		return err
	}
	keys, err := s.rewrap(ctx)
	if err != nil {
		return err
	}
	s.show(ctx, p, keys)
	if f.generate != "" {
		if err := s.generate(ctx, c.path(f.generate)); err != nil {
			return err
		}
	}
	if out != "" {
		if err := s.save(ctx, p, out); err != nil {
			return err
		}
	}
	if detailed && pending(p, keys) {
		return &shownError{exitChanges}
	}
	return nil
}

// show shows the plan with what belongs to it.
func (s *session) show(ctx context.Context, p *plan.Plan, keys *rewrap) {
	if keys != nil {
		p.Recipients = keys.Recipients
	}
	if len(s.cfg.MadeUp) > 0 {
		p.Warnings = append(p.Warnings, plan.Warning{
			Summary: "Values made up for the sandbox",
			Detail:  "Nothing gives a value to " + strings.Join(s.cfg.MadeUp, ", ") + ". Without -sandbox this would be an error.",
		})
	}
	if copies := s.c.waiting(ctx, s.store, s.path); len(copies) > 0 {
		p.Warnings = append(p.Warnings, plan.Warning{Summary: "Emergency copies wait", Detail: view.EmergencyCopies(copies) + " To put them back, run: oauthctl recover"})
	}
	s.c.view.Plan(p)
}

// pending reports whether there is something to apply.
func pending(p *plan.Plan, keys *rewrap) bool { return !p.Empty() || keys != nil }

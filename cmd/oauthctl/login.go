package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/schema/addr"
)

func (c *cli) loginCommand() *cobra.Command {
	var f planFlags
	var replace bool
	cmd := &cobra.Command{
		Use:   "login NAME",
		Short: "Authorize one connection now",
		Long: "Do for one connection what apply -target=NAME does, and ask for nothing but the consent itself. " +
			"A connection that is as the configuration wants it is left alone; -replace asks for a new consent all the same. " +
			"What it depends on has to be applied before. It is not terraform login, which signs in to a service: sign-in and consent are what every connection here is about.",
		Example: "oauthctl login graph",
		Args:    exactArgs(1, "the name of one connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.viewPlan(&f, true); err != nil {
				return err
			}
			return c.login(cmd.Context(), &f, args[0], replace)
		},
		ValidArgsFunction: c.completeDeclared,
	}
	f.registerOne(cmd)
	f.registerWay(cmd)
	cmd.Flags().BoolVar(&replace, "replace", false, "ask for a new consent even if nothing is wrong with the present one")
	return cmd
}

func (c *cli) login(ctx context.Context, f *planFlags, name string, replace bool) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	s, err := c.begin(ctx, f)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.declares(a, "log in "+a.String()); err != nil {
		return err
	}
	if replace {
		f.Replace = []addr.Addr{a}
	}
	p, err := s.planOne(ctx, f, a)
	if err != nil {
		return err
	}
	if err := onlyAbout(p, a, "log in"); err != nil {
		return err
	}
	s.show(ctx, p, nil)
	if p.Empty() {
		c.view.Note("%s is authorized. For a new consent all the same: oauthctl login -replace %s", a, outlet.ShellQuote(a.Short()))
		return nil
	}
	return s.carryOut(ctx, p, "login")
}

func (c *cli) logoutCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "logout NAME",
		Short: "Revoke and forget one connection",
		Long: "Revoke one connection of the state at its server, where the server can, and forget it, with what depends on it: the same as destroy -target=NAME. " +
			"The configuration still declares it, so that the next apply, or login, asks for a new consent.",
		Example: "oauthctl logout graph",
		Args:    exactArgs(1, "the name of one connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.viewPlan(&f.planFlags, true); err != nil {
				return err
			}
			a, err := addr.Parse(args[0])
			if err != nil {
				return err
			}
			f.Destroy, f.Targets = true, []addr.Addr{a}
			return c.runApply(cmd.Context(), &f, "logout")
		},
		ValidArgsFunction: c.completeAddrs,
	}
	f.registerOne(cmd)
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask before revoking anything")
	return cmd
}

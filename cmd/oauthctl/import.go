package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// importFlags are those of import.
type importFlags struct {
	planFlags
	from tokenSource
}

func (c *cli) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import ADDR",
		Short: "Begin a connection with a refresh token you have",
		Long: "Read the refresh token of a connection that the configuration declares from stdin, send it to the server once to prove it, " +
			"and save what comes back: nobody has to consent. The token must have been given to the same client. " +
			"It is in the state before it is sent, so that one that works only once is not lost. " +
			"The plan is shown and carried out without asking. An import block in the configuration does the same with plan and apply.",
		Example: "oauthctl import graph < token.txt\noauthctl import -from-env=OLD_TOKEN 'store[\"eu\"]'",
		Args:    exactArgs(1, "the address of one connection; the token comes from stdin, -from-env, -from-file or -from-fd"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.viewPlan(&f.planFlags, true); err != nil {
				return err
			}
			return c.importToken(cmd.Context(), &f, args[0])
		},
		ValidArgsFunction: c.completeDeclared,
	}
	f.registerOne(cmd)
	f.from.register(cmd.Flags())
	return cmd
}

func (c *cli) importToken(ctx context.Context, f *importFlags, name string) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	if err := f.from.check(); err != nil {
		return err
	}
	s, err := c.begin(ctx, &f.planFlags)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.canImport(ctx, a); err != nil {
		return err
	}
	token, err := c.readGiven(ctx, &f.from, &f.input, a)
	if err != nil {
		return err
	}
	s.cfg.GiveToken(a, token)
	p, err := s.planOne(ctx, &f.planFlags, a)
	if err != nil {
		return err
	}
	if err := onlyImports(p, a); err != nil {
		return err
	}
	s.show(ctx, p, nil)
	return s.carryOut(ctx, p, "import")
}

// canImport refuses, before a token is asked for, what cannot take one.
func (s *session) canImport(ctx context.Context, a addr.Addr) error {
	if err := s.declares(a, "import "+a.String()); err != nil {
		return err
	}
	rows, err := readRows(ctx, s.store)
	if err != nil && !errors.Is(err, state.ErrNoState) {
		return err
	}
	if slices.ContainsFunc(rows, func(r state.Summary) bool { return r.Addr == a }) {
		return &engine.Error{Class: engine.ClassError, Addr: a, Doing: "import " + a.String(), Err: errors.New("it is in the state already, and nothing was read"),
			Remedy: "use it; or forget what is there, run: oauthctl state rm " + outlet.ShellQuote(a.Short())}
	}
	return nil
}

// onlyImports refuses a plan of which the import is not all.
func onlyImports(p *plan.Plan, a addr.Addr) error {
	if err := onlyAbout(p, a, "import"); err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Addr == a && c.Action == plan.Import }) {
		return &engine.Error{Class: engine.ClassError, Addr: a, Doing: "import " + a.String(),
			Err: errors.New("somebody else has authorized or imported it just now"), Remedy: "look at it, run: oauthctl plan"}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

func (c *cli) consentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "consent",
		Short: "Hand a consent over to the state of another machine",
		Long: "Hand a consent over: the person with the browser is often not at the machine with the job. " +
			"What is exported is sealed for the other machine's recipient, and nobody else can open it.",
		Example: "oauthctl consent export -to=age1… -out=graph.consent graph",
		Args:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.help(cmd, nil)
			return &shownError{exitError}
		},
	}
	cmd.AddCommand(c.consentExportCommand(), c.consentImportCommand())
	return cmd
}

type exportFlags struct {
	to   []string
	out  string
	keep bool
	wait time.Duration
}

func (c *cli) consentExportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export NAME",
		Short: "Seal a consent for the state of another machine",
		Long: "Seal the consent of a connection for the recipients given, which oauthctl key show prints on the other machine, and write it to -out or stdout. " +
			"This state lets go of the tokens then, so that no two states use one refresh token: token says where they went, and plan leaves the connection alone. " +
			"With -out, earlier generations with its tokens go as well; what goes to stdout may not arrive, and they stay until oauthctl state forget. " +
			"With -keep both states have them; a server that replaces refresh tokens ends the grant for one of the two.",
		Example: "oauthctl consent export -to=age1… -out=graph.consent graph\noauthctl consent export -to=age1… graph | ssh job oauthctl consent import -auto-approve -",
		Args:    exactArgs(1, "the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			if len(f.to) == 0 {
				return advised("look there: oauthctl key show; then give what it prints: -to=age1…", "%s wants to know whom the consent is for", cmd.CommandPath())
			}
			return c.consentExport(cmd.Context(), args[0], &f)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "seal it for `RECIPIENT`, an age or SSH public key (repeatable)")
	cmd.Flags().StringVar(&f.out, "out", "", "write to `FILE`, which must not exist, instead of stdout")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "keep the tokens here as well")
	lockTimeoutFlag(cmd.Flags(), &f.wait)
	return cmd
}

func (c *cli) consentExport(ctx context.Context, name string, f *exportFlags) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	to, err := seal.ParseRecipients(f.to)
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	names := make([]string, len(to))
	for i, r := range to {
		names[i] = r.Name
	}
	if err := c.mustKeep(); err != nil && !f.keep {
		return err
	}
	deliver := func(sealed []byte) (durable bool, err error) {
		_, err = c.out.Write(sealed)
		return false, err
	}
	if out := c.path(f.out); out != "" {
		deliver = func(sealed []byte) (durable bool, err error) {
			if err := writeNew(out, sealed); err != nil {
				return false, advised("name a file that does not exist with -out", "cannot write to %s: %w", out, reasonOf(err))
			}
			return true, syncDir(filepath.Dir(out))
		}
	}
	warning := ""
	err = c.withTokens(ctx, f.wait, func(e *engine.Engine, _ *state.Store) (bool, error) {
		warning, err = e.HandOver(ctx, a, engine.HandOverOptions{To: names, Keep: f.keep, Sandbox: c.sandbox}, deliver)
		return false, err
	})
	if err != nil {
		return err
	}
	if warning != "" {
		c.view.Note("Warning: %s.", warning)
	}
	kept := "This state has let go of its tokens: take it in there."
	if f.keep {
		kept = "This state has its tokens as well."
	}
	c.view.Note("Exported the consent of %s, sealed for %s. %s", a, strings.Join(names, ", "), kept)
	return nil
}

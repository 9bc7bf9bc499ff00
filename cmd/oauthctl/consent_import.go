package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

type takeInFlags struct {
	vars    varFlags
	input   inputFlags
	approve bool
	replace bool
	wait    time.Duration
}

func (c *cli) consentImportCommand() *cobra.Command {
	var f takeInFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a consent that was exported on another machine",
		Long: "Open a consent that oauthctl consent export has sealed for this machine, show what it is, ask, and save it; FILE may be - for stdin. " +
			"If there is a configuration that declares the connection, the consent has to be of the same server, client and grant. " +
			"The seal keeps others from reading the file, and does not say who made it: take in only what somebody you trust has sent.",
		Example: "oauthctl consent import graph.consent\noauthctl consent import -auto-approve - < graph.consent",
		Args:    exactArgs(1, "a file that consent export has written, or - for stdin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view, c.input = c.newView(false, false), &f.input
			return c.consentImport(cmd.Context(), args[0], &f)
		},
	}
	cmd.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask before changing anything")
	cmd.Flags().BoolVar(&f.replace, "replace", false, "put it in the place of another grant, which is not revoked")
	lockTimeoutFlag(cmd.Flags(), &f.wait)
	f.input.register(cmd.Flags())
	f.vars.register(cmd.Flags())
	return cmd
}

func (c *cli) consentImport(ctx context.Context, name string, f *takeInFlags) error {
	if !f.approve && (name == "-" || !c.canAsk(&f.input)) {
		return advised("give -auto-approve, if you trust whoever sent it", "nobody can be asked here (no terminal, CI, -input=false, or the consent is on stdin)")
	}
	if err := c.mustKeep(); err != nil {
		return err
	}
	text, err := c.readConsent(name)
	if err != nil {
		return err
	}
	e, cfg, done, err := c.importEngine(ctx, f)
	if err != nil {
		return err
	}
	defer done()
	in, err := e.Arrive(ctx, cfg, text, engine.ArriveOptions{Replace: f.replace, Sandbox: c.sandbox})
	if err != nil {
		return err
	}
	c.view.Record(in.Record)
	if in.Present != nil && f.replace {
		c.view.Note("Warning: it takes the place of another grant of %s, which is not revoked.", in.Record.Addr)
	}
	if !f.approve {
		if err := c.approved(ctx, "Do you want to take this consent in? Whoever sent it chose whose it is."); err != nil {
			return err
		}
	}
	if err := e.TakeIn(ctx, in); err != nil {
		return err
	}
	c.view.Note("Took in the consent of %s.", in.Record.Addr)
	return nil
}

// importEngine opens the state, or one to be made, with the configuration, if there is one.
func (c *cli) importEngine(ctx context.Context, f *takeInFlags) (e *engine.Engine, cfg *schema.Config, done func(), err error) {
	path, err := c.statePath()
	if hasConfig(c.configPath()) {
		if cfg, err = c.loadConfig(ctx, &f.vars, &f.input); err == nil {
			path, err = c.statePathFor(cfg)
		}
	}
	if err != nil {
		return nil, nil, nil, err
	}
	recipients := []string(nil)
	if cfg != nil {
		recipients = cfg.Settings.Recipients
	}
	if len(recipients) == 0 {
		recipients, err = c.ownRecipients(ctx)
	}
	if err == nil && c.sandbox {
		_, err = c.makeWorkDir()
	}
	if err != nil {
		return nil, nil, nil, err
	}
	store, err := c.openStore(ctx, path, recipients)
	if err != nil {
		return nil, nil, nil, err
	}
	o := engine.Options{Store: store, Catalog: providers.New(), Now: c.Now, Rand: c.Rand, LockTimeout: f.wait}
	return engine.New(o), cfg, func() { _ = store.Close() }, nil
}

// maxConsent bounds what is read of an exported consent.
const maxConsent = 4 << 20

// readConsent reads FILE, or stdin for "-".
func (c *cli) readConsent(name string) ([]byte, error) {
	text, err := c.readInput(name, maxConsent, "consent", "oauthctl consent export")
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = advised("make one: oauthctl consent export NAME", "the consent is empty")
	}
	return text, err
}

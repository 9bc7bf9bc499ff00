package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

func (c *cli) validateCommand() *cobra.Command {
	var json bool
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration",
		Long: "Check the configuration: syntax, references, providers, grants, and the syntax of its tests. " +
			"No state, no key and no network is needed, nor values for variables and environment variables: what depends on one that is missing is checked as far as that goes.",
		Example: "oauthctl validate -json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			return c.validate(cmd.Context(), &vars)
		},
	}
	jsonFlag(cmd, &json)
	vars.register(cmd.Flags())
	return cmd
}

func (c *cli) validate(ctx context.Context, vars *varFlags) error {
	src, err := c.source(vars)
	if err != nil {
		return err
	}
	src.Partial = true
	cfg, diags := schema.Load(ctx, src)
	e := engine.New(engine.Options{Catalog: providers.New(), Now: c.Now, Rand: c.Rand})
	if diags.HasErrors() {
		diags = append(diags, e.ValidateRest(ctx, cfg, diags)...)
	} else {
		diags = append(diags, e.Validate(ctx, cfg)...)
		_, more := configuredPath(cfg, c.configDir())
		_, wrong := checkRecipients(cfg)
		diags = append(append(diags, more...), wrong...)
	}
	names, err := c.testFiles(testDirectory)
	if err != nil {
		return err
	}
	for _, name := range names {
		f, more := schema.ReadTest(c.configDir(), name)
		cfg.AddTest(f)
		diags = append(diags, more...)
	}
	c.view.Validated(diags, cfg.Sources)
	if diags.HasErrors() {
		return &shownError{exitError}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

// configDir is the directory of the configuration.
func (c *cli) configDir() string {
	path := c.configPath()
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

func (c *cli) configPath() string {
	if c.config == "" {
		return c.path(".")
	}
	return c.path(c.config)
}

// source is where the configuration is, and what it gets from outside.
func (c *cli) source(vars *varFlags) (schema.Source, error) {
	src := schema.Source{
		Vars:      vars.resolved(c),
		LookupEnv: c.LookupEnv,
		Version:   languageVersion(),
		MakeUp:    c.sandbox,
	}
	info, err := os.Stat(c.configPath())
	switch {
	case err != nil:
		return src, fmt.Errorf("could not read the configuration %s: %w; name it with -config or -chdir", c.configPath(), errors.Unwrap(err))
	case info.IsDir():
		src.Dir = c.configPath()
	default:
		src.File = c.configPath()
	}
	return src, nil
}

// loadConfig reads the configuration. Warnings are shown; errors come back as
// an error that has been shown.
func (c *cli) loadConfig(ctx context.Context, vars *varFlags, in *inputFlags) (*schema.Config, error) {
	return c.loadFor(ctx, vars, in, &planFlags{})
}

// loadFor reads the configuration for a plan. For a saved one, with the values of
// variables that it remembers, and only if it is still the same.
func (c *cli) loadFor(ctx context.Context, vars *varFlags, in *inputFlags, f *planFlags) (*schema.Config, error) {
	src, err := c.source(vars)
	if err != nil {
		return nil, err
	}
	saved := f.saved
	src.Undeclared, src.OutputsOnly = f.generate != "", f.outputs
	interrupted := false
	if c.canAsk(in) {
		src.Prompt = func(v *schema.Variable) (string, error) {
			text, err := c.askVariable(ctx, v)
			interrupted = interrupted || errors.Is(err, context.Canceled)
			return text, err
		}
	}
	if saved != nil {
		src.Planned = saved.Values
	}
	cfg, diags := schema.Load(ctx, src)
	if interrupted { // what could not be read for want of a value is of no interest
		return nil, &codeError{exitInterrupted, errCancelled}
	}
	if saved != nil {
		if err := sameFiles(saved, cfg.Sources); err != nil {
			return nil, err
		}
	}
	return cfg, c.show(diags, cfg.Sources)
}

// show shows diagnostics; errors among them end the command.
func (c *cli) show(diags hcl.Diagnostics, src *schema.Sources) error {
	if len(diags) > 0 {
		c.view.Diagnostics(diags, src)
	}
	if diags.HasErrors() {
		return &shownError{exitError}
	}
	return nil
}

func (c *cli) askVariable(ctx context.Context, v *schema.Variable) (string, error) {
	prompt := "var." + v.Name
	if v.Description != "" {
		prompt += " (" + v.Description + ")"
	}
	return c.console().Ask(ctx, prompt+": ", v.Sensitive)
}

package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

func (c *cli) keyLostCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "lost",
		Short: "List what is left at servers when the key is lost",
		Long: "List the grants of a state that nobody can open any more: at which server they are, where a person can end them, and when they end by themselves. " +
			"It needs no key, makes no request and changes nothing. The configuration, if there is one, says more of the servers; it needs no values for variables.",
		Example: "oauthctl key lost\noauthctl key lost -json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			return c.keyLost(cmd.Context())
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

func (c *cli) keyLost(ctx context.Context) error {
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	e := engine.New(engine.Options{Store: store, Catalog: providers.New(), Now: c.Now})
	list, err := e.Orphans(ctx, c.configIfAny(ctx))
	if err != nil {
		return err
	}
	c.view.Orphans(list, store.Location())
	return nil
}

// configIfAny is the configuration as far as it is known without values for its
// variables; nil if there is none that can be read.
func (c *cli) configIfAny(ctx context.Context) *schema.Config {
	src, err := c.source(&varFlags{})
	if err != nil {
		return nil
	}
	src.Partial = true
	cfg, diags := schema.Load(ctx, src)
	if diags.HasErrors() {
		return nil
	}
	return cfg
}

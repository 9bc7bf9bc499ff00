package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) statusCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what expires when, and what needs a person",
		Long: "Show every connection of the state: what expires when, and what needs a person. " +
			"It needs no key, no configuration and no network, so that monitoring can run it anywhere.",
		Example: "oauthctl status -json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			rows, location, err := c.summaries(cmd.Context())
			if err != nil {
				return err
			}
			c.view.Status(rows, location)
			return nil
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

// summaries are what is readable without a key; an absent state has none.
func (c *cli) summaries(ctx context.Context) ([]state.Summary, string, error) {
	store, err := c.openState(ctx)
	if err != nil {
		return nil, "", err
	}
	defer store.Close()
	rows, err := readRows(ctx, store)
	if errors.Is(err, state.ErrNoState) {
		err = nil
	}
	return rows, store.Location(), err
}

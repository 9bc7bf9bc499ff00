package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) stateMigrateCommand() *cobra.Command {
	var to string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Copy the state to another place",
		Long: "Copy the state, with all that is kept of earlier generations, to a place where there is none, and read it back. " +
			"The old one stays as it is. Let the configuration, OAUTHCTL_STATE_PATH or -state name the new place, and then remove the old one: " +
			"two copies that both refresh would end each other's grants.",
		Example: "oauthctl state migrate -to=/srv/oauth/oauthctl.state",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			if to == "" {
				return misused(cmd, "%s wants -to=FILE", cmd.CommandPath())
			}
			return c.stateMigrate(cmd.Context(), to, dryRun)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the new place: `FILE`")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only look whether it could be copied")
	return cmd
}

func (c *cli) stateMigrate(ctx context.Context, to string, dryRun bool) error {
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	target, err := c.openBackend(c.path(to))
	if err != nil {
		return err
	}
	defer target.Close()
	m, err := store.Migrate(ctx, target, dryRun)
	if err != nil {
		return err
	}
	if dryRun {
		c.view.Note("Would copy %s and %s to %s", counted(m.Records, "connection"), counted(m.Past, "earlier generation"), target.Location())
		return nil
	}
	c.view.Note("Copied %s and %s to %s, and read them back.", counted(m.Records, "connection"), counted(m.Past, "earlier generation"), target.Location())
	c.view.Note("The old state %s is as it was. Name the new place in the configuration (state \"sqlite\" { path = … }) or in OAUTHCTL_STATE_PATH, "+
		"and remove the old one: two copies that both refresh would end each other's grants.", store.Location())
	return nil
}

// counted is a number of things in words.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

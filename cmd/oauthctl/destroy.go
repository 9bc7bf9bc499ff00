package main

import "github.com/spf13/cobra"

func (c *cli) destroyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Revoke and forget all connections",
		Long: "Revoke every connection of the state at its server, where the server can, and forget it. " +
			"The same as apply -destroy.",
		Example: "oauthctl destroy -target=graph",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.viewPlan(&f.planFlags, true); err != nil {
				return err
			}
			f.Destroy = true
			return c.runApply(cmd.Context(), &f, "destroy")
		},
	}
	f.register(cmd)
	rollbackFlag(cmd.Flags(), &c.older)
	return cmd
}

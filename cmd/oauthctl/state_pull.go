package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (c *cli) statePullCommand() *cobra.Command {
	var plaintext, force bool
	cmd := &cobra.Command{
		Use:   "pull",
		Short: "Print the whole state as one sealed document",
		Long: "Print the whole state on stdout as one document, sealed as it is kept: for a copy, for state push elsewhere, or for OAUTHCTL_STATE. " +
			"The same state always gives the same document. Earlier generations are not part of it. " +
			"With -plaintext everything is decrypted, tokens and client secrets included: keep that nowhere.",
		Example: "oauthctl state pull > backup.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			if force && !plaintext {
				return misused(cmd, "-force goes with -plaintext")
			}
			return c.statePull(cmd.Context(), plaintext, force)
		},
	}
	cmd.Flags().BoolVar(&plaintext, "plaintext", false, "decrypt everything: tokens, refresh tokens, client secrets")
	cmd.Flags().BoolVar(&force, "force", false, "with -plaintext: print even to a terminal")
	return cmd
}

func (c *cli) statePull(ctx context.Context, plaintext, force bool) error {
	if plaintext && !force && isTerminal(c.Stdout) {
		return advised("send the output to a program, or add -force", "a terminal would keep every token on its screen")
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if !plaintext {
		text, err := store.Export(ctx)
		if err == nil {
			_, err = c.out.Write(text)
		}
		return err
	}
	all, err := store.Plaintext(ctx)
	if err != nil {
		return err
	}
	c.view.Note("Warning: this is every token and client secret of the state, decrypted. Whoever reads it can use them.")
	_, err = c.out.Write([]byte(all.Reveal()))
	return err
}

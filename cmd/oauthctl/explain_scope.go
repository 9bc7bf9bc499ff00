package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/providers"
)

// explainScopeCommand is below explain.
func (c *cli) explainScopeCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "scope [SCOPE…]",
		Short: "Explain scope aliases of SharePoint",
		Long: "Explain scope aliases of SharePoint farms: the URI behind each, the rights that it can have, and which scope of " +
			"Microsoft Entra ID took its place, with what that grants beyond it. Case does not matter, and URIs with a right are " +
			"understood too. Without an argument, all of them. Nothing is sent anywhere.",
		Example: "oauthctl explain scope \"Web.Read List.Write\"",
		RunE: func(_ *cobra.Command, args []string) error {
			rows := providers.ScopeTable()
			if words := strings.Join(args, " "); strings.TrimSpace(words) != "" {
				var err error
				if rows, err = providers.ExplainScopes(words); err != nil {
					return fmt.Errorf("could not explain %q: %w", words, err)
				}
			}
			c.view = c.newView(json, false)
			c.view.Scopes(rows)
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, r := range providers.ScopeTable() {
				names = append(names, r.Scope)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	jsonFlag(cmd, &json)
	return cmd
}

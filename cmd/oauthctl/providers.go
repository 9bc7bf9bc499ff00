package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

func (c *cli) providersCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:     "providers",
		Short:   "List the servers that oauthctl knows",
		Long:    "List the authorization servers that oauthctl knows, with the arguments that each wants.",
		Example: "oauthctl providers show microsoft",
		Args:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(json, false)
			c.view.Providers(providers.New().List())
			return nil
		},
	}
	jsonFlag(cmd, &json)
	cmd.AddCommand(c.providersShowCommand(), c.providersSchemaCommand())
	return cmd
}

func (c *cli) providersShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a server as HCL that can be pasted and changed",
		Long: "Print what oauthctl knows of a server as a provider block, " +
			"which can be pasted into a configuration and changed there.",
		Example: "oauthctl providers show github",
		Args:    exactArgs(1, "the name of a provider"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := providers.New().Source(args[0])
			if !ok {
				return advised("see: oauthctl providers", "there is no provider %q%s", args[0], didYouMean(schema.Suggest(args[0], providerNames())))
			}
			_, err := io.WriteString(&c.out, text)
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return providerNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func providerNames() []string {
	var names []string
	for _, e := range providers.New().List() {
		names = append(names, e.Name)
	}
	return names
}

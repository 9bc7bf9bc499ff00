package main

import (
	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

func (c *cli) providersSchemaCommand() *cobra.Command {
	var json bool
	format := choice{value: "json", of: []string{"json", "json-schema"}}
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the language as data, for editors and other programs",
		Long: "Print all blocks and arguments of the language, the presets and the functions, as JSON. " +
			"With -format=json-schema it is a JSON Schema (draft 2020-12) of configurations in JSON syntax, *.hcl.json.",
		Example: "oauthctl providers schema -json\noauthctl providers schema -format=json-schema > oauthctl.schema.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !json {
				return misused(cmd, "-json=false: there is no other form")
			}
			c.view = c.newView(false, false)
			if format.value == "json-schema" {
				return view.WriteJSONSchema(&c.out, c.viewOptions(false), language())
			}
			view.WriteLanguage(&c.out, c.viewOptions(false), language())
			return nil
		},
	}
	cmd.Flags().BoolVar(&json, "json", true, "as in Terraform; there is no other form")
	cmd.Flags().Var(&format, "format", "`FORMAT` is json or json-schema")
	_ = cmd.RegisterFlagCompletionFunc("format", format.complete)
	return cmd
}

// language gathers the tables of all rooms.
func language() view.Language {
	grants := map[string]*schema.Spec{}
	for _, t := range grant.Types() {
		grants[t.Name] = t.Spec
	}
	sinks := map[string]*schema.Spec{}
	for _, t := range sink.Types() {
		sinks[t.Name] = t.FullSpec()
	}
	return view.Language{
		Blocks: schema.Language(), Tests: schema.TestLanguage(),
		Owned: map[string]map[string]*schema.Spec{
			"provider": {"": providers.Spec()},
			"grant":    grants,
			"sink":     sinks,
			"state":    {"sqlite": sqliteSpec},
		},
		Presets: providers.New().List(), Functions: schema.FunctionNames(),
	}
}

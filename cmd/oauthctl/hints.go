package main

import "github.com/spf13/cobra"

// commandHints answer those who come from Terraform: commands that there are
// not, by what stands before them, and what to do instead.
var commandHints = [...]struct{ name, instead string }{
	{"taint", "ask for a new consent with: oauthctl apply -replace=NAME"},
	{"untaint", "nothing is tainted here; leave out -replace"},
	{"workspace", "there are no workspaces; give each its own state with -state=PATH"},
	{"get", "there are no modules to download; all *.hcl files of the directory are one configuration"},
	{"modules", "there are no modules; all *.hcl files of the directory are one configuration"},
	{"state replace-provider", "change the provider in the configuration: a plan says what comes of it, see: oauthctl plan"},
}

// hintFor is what to do instead of a command that is not there; "" if it is none of those.
func hintFor(cmd *cobra.Command, args []string) string {
	name := args[0]
	if cmd.HasParent() {
		name = cmd.Name() + " " + name
	}
	for _, h := range commandHints {
		if h.name == name {
			return h.instead
		}
	}
	return ""
}

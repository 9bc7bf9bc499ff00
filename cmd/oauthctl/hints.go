package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// commandHints answer those who come from Terraform: commands that there are
// not, by what stands before them, and what to do instead.
var commandHints = [...]struct{ name, instead string }{
	{"taint", "ask for a new consent with: oauthctl apply -replace=NAME"},
	{"untaint", "nothing is tainted here; leave out -replace"},
	{"workspace", "there are no workspaces; give each its own state with -state=PATH"},
	{"get", "there are no modules to download; all *.hcl files of the directory are one configuration"},
	{"modules", "there are no modules; all *.hcl files of the directory are one configuration"},
	{"env", "there are no workspaces; give each its own state with -state=PATH"},
	{"metadata", "the functions are in: oauthctl providers schema"},
	{"providers lock", "nothing is downloaded here, so that there is nothing to pin; leave it out"},
	{"providers mirror", "nothing is downloaded here; leave it out"},
	{"state replace-provider", "change the provider in the configuration: a plan says what comes of it, see: oauthctl plan"},
}

// flagHints answer them about flags, by the commands that would have them there.
var flagHints = [...]struct{ commands, flags, instead string }{
	{"oauthctl", "install-autocomplete uninstall-autocomplete", "load the script of: oauthctl completion bash"},
	{"init", "upgrade get plugin-dir lockfile from-module", "nothing is downloaded here; leave it out"},
	{"init", "backend backend-config reconfigure", "there is no backend to set up; leave it out, or say where the state is: -state=FILE, or state \"sqlite\" { path = … } in the configuration"},
	{"init", "migrate-state force-copy", "copy the state with: oauthctl state migrate"},
	{"plan", "auto-approve", "a plan changes nothing; to carry it out, run: oauthctl apply -auto-approve"},
	{"plan", "show-sensitive", "secrets are in no plan; leave it out"},
	{"plan apply destroy", "compact-warnings consolidate-warnings", "equal warnings are shown once as it is; leave it out"},
	{"plan apply destroy", "allow-deferral", "what needs a person waits, and the rest goes on, as it is; leave it out"},
	{"plan apply destroy", "invoke", "there are no actions; see: oauthctl -help"},
	{"apply destroy import refresh state-mv state-rm", "backup backup-out", "the state keeps earlier generations itself; leave it out, and see: oauthctl state history"},
	{"destroy", "force", "it is called -auto-approve"},
	{"state-list state-show", "id", "what is managed has an address and no id: oauthctl state list ADDR"},
	{"graph", "plan", "it is called -type=plan"},
	{"graph", "draw-cycles", "a circle is an error that names who is in it; leave it out"},
	{"token", "json", "it is called -format=json"},
}

// flagHintFor is what to do instead of a flag that a command does not have; "" if it
// is none of those.
func flagHintFor(cmd *cobra.Command, flag string) string {
	name := cmd.CommandPath()
	if cmd.HasParent() {
		_, name, _ = strings.Cut(name, " ")
	}
	for _, h := range flagHints {
		if hasWord(h.commands, strings.ReplaceAll(name, " ", "-")) && hasWord(h.flags, flag) {
			return h.instead
		}
	}
	return ""
}

func hasWord(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

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

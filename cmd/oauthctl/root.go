package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// The groups of the help, in order.
const (
	groupMain    = "main"
	groupLook    = "look"
	groupLicense = "other"
)

// root builds the command tree.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "oauthctl",
		Short: "Provision OAuth connections declared in HCL",
		Long: "oauthctl provisions OAuth connections that are declared in HCL files: plan shows what is missing and " +
			"whether a person is needed, apply walks the consents, token prints a valid access token.",
		Example:       "oauthctl plan -sandbox",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return c.checkDir() },
		Args:              func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.runRoot(cmd) },
	}
	root.SetArgs(c.args)
	root.SetIn(c.Stdin)
	root.SetOut(c.completionOut())
	root.SetErr(c.Stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(c.helpCommand())
	root.SetHelpFunc(c.help)
	root.SetFlagErrorFunc(c.flagError)
	c.registerGlobals(root.PersistentFlags())
	root.Flags().Bool("version", false, "show the version")
	c.addCommands(root)
	c.completeFlags(root)
	_ = root.RegisterFlagCompletionFunc("sandbox-consent", cobra.FixedCompletions([]string{string(consentAuto), string(consentBrowser)}, cobra.ShellCompDirectiveNoFileComp))
	hideHelp(root)
	return root
}

// hideHelp gives every command a -help that its help does not list.
func hideHelp(cmd *cobra.Command) {
	cmd.Flags().BoolP("help", "h", false, "show this help")
	_ = cmd.Flags().MarkHidden("help")
	for _, sub := range cmd.Commands() {
		hideHelp(sub)
	}
}

// addCommands is the list of commands, in the order of the help.
func (c *cli) addCommands(root *cobra.Command) {
	root.AddGroup(
		&cobra.Group{ID: groupMain, Title: "Main commands:"},
		&cobra.Group{ID: groupLook, Title: "Looking at things:"},
		&cobra.Group{ID: groupLicense, Title: "Other commands:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(groupMain,
		c.initCommand(),
		c.validateCommand(),
		c.testCommand(),
		c.planCommand(),
		c.applyCommand(),
		c.destroyCommand(),
		c.tokenCommand(),
		c.execCommand(),
		c.agentCommand(),
		c.refreshCommand(),
		c.importCommand(),
		c.loginCommand(),
		c.logoutCommand(),
		c.consentCommand(),
		c.recoverCommand(),
	)
	add(groupLook,
		c.statusCommand(),
		c.showCommand(),
		c.outputCommand(),
		c.consoleCommand(),
		c.graphCommand(),
		c.stateCommand(),
		c.lockCommand(),
		c.keyCommand(),
		c.providersCommand(),
		c.explainCommand(),
	)
	add(groupLicense,
		c.fmtCommand(),
		c.forceUnlockCommand(),
		c.gitCredentialCommand(),
		c.dockerCredentialCommand(),
		c.sandboxCommand(),
		c.completionCommand(),
		c.versionCommand(),
	)
	cobra.EnableCommandSorting = false
}

func (c *cli) runRoot(cmd *cobra.Command) error {
	if v, _ := cmd.Flags().GetBool("version"); v {
		c.view = c.newView(false, false)
		c.view.Version(versionInfo())
		return nil
	}
	c.help(cmd, nil)
	return &shownError{exitError}
}

// unknownCommand is the error for a command that does not exist.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if instead := hintFor(cmd, args); instead != "" {
		return advised(instead, "%s has no command %q", cmd.CommandPath(), args[0])
	}
	return misused(cmd, "%s has no command %q%s", cmd.CommandPath(), args[0], didYouMean(schema.Suggest(args[0], names)))
}

// misused is an error about the command line.
func misused(cmd *cobra.Command, format string, args ...any) error {
	return advised("see: "+cmd.CommandPath()+" -help", format, args...)
}

// flagError says what is wrong with a flag in the way flags are written here.
// The flags of a command that there is not are no mistake of their own.
func (c *cli) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && cmd.HasAvailableSubCommands() && len(c.unknownWords(cmd)) > 0:
		return unknownCommand(cmd, c.unknownWords(cmd))
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		return misused(cmd, "-%s needs a value", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		// The value is not repeated: it may be a secret.
		return misused(cmd, "-%s: %w", invalid.GetFlag().Name, wanted(invalid))
	}
	return misused(cmd, "%s", strings.ReplaceAll(err.Error(), "--", "-"))
}

// unknownWords are what was typed where the name of a command below cmd belongs.
func (c *cli) unknownWords(cmd *cobra.Command) []string {
	_, words := c.commandWords(c.args)
	_, known := commandOf(cmd.Root(), words)
	return words[len(known):]
}

// unknownFlag is the error for a flag that a command does not have.
func unknownFlag(cmd *cobra.Command, name string) error {
	near := schema.Suggest(name, flagNames(cmd))
	switch instead := flagHintFor(cmd, name); {
	case instead != "":
		return advised(instead, "%s has no flag -%s", cmd.CommandPath(), name)
	case near == "" && !cmd.HasParent() && anyHasFlag(cmd.Commands(), name):
		return advised("put it behind the command: oauthctl COMMAND -"+name, "-%s is an option of commands", name)
	}
	return misused(cmd, "%s has no flag -%s%s", cmd.CommandPath(), name, didYouMean(dash(near)))
}

func anyHasFlag(cmds []*cobra.Command, name string) bool {
	return slices.ContainsFunc(cmds, func(cmd *cobra.Command) bool { return cmd.Flags().Lookup(name) != nil })
}

// wanted says what a value should have been, where pflag repeats it.
func wanted(e *pflag.InvalidValueError) error {
	switch e.GetFlag().Value.Type() {
	case "duration":
		return errors.New("want a duration such as 30s or 5m")
	case "int", "uint64":
		return errors.New("want a number")
	case "bool":
		return errors.New("want true or false")
	}
	return e.Unwrap()
}

func flagNames(cmd *cobra.Command) []string {
	names := []string{"help"}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

func dash(name string) string {
	if name == "" {
		return ""
	}
	return "-" + name
}

// didYouMean is a suggestion as the end of a message, "" if there is none.
func didYouMean(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(". Did you mean %q?", s)
}

// exactArgs is [cobra.ExactArgs] with an error that says what is wanted.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return misused(cmd, "%s wants %s", cmd.CommandPath(), what)
	}
}

// noArgs is [cobra.NoArgs] with an error that says what may be meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if a, err := addr.Parse(args[0]); err == nil && cmd.Flags().Lookup("target") != nil {
		hint = didYouMean("-target=" + a.Short())
	}
	return misused(cmd, "%s takes no arguments, and got %q%s", cmd.CommandPath(), args[0], hint)
}

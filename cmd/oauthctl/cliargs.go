package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const envArgs = "OAUTHCTL_CLI_ARGS"

// withEnvArgs puts the options of OAUTHCTL_CLI_ARGS and of
// OAUTHCTL_CLI_ARGS_COMMAND between the command and the options of the person,
// who has the last word. OAUTHCTL_INPUT is -input for commands that have it.
func (c *cli) withEnvArgs(args []string) ([]string, error) {
	at, words := c.commandWords(args)
	if len(words) == 0 || strings.HasPrefix(words[0], "_") { // completion is not a run of the command
		return args, nil
	}
	input := c.env("OAUTHCTL_INPUT")
	switch words[0] {
	case "token", "exec", "git-credential", "docker-credential":
		input = "" // they never ask
	}
	if input == "" && c.env(envArgs) == "" && c.env(argsOf(words[:1])) == "" && c.env(argsOf(words)) == "" {
		return args, nil // nearly always: the tree is not needed
	}
	cmd, words := commandOf(c.root(), words)
	if cmd == nil {
		return args, nil
	}
	var more []string
	for _, name := range []string{envArgs, argsOf(words)} {
		list, err := shellSplit(c.env(name))
		if err != nil {
			return nil, advised("set it again, quoted as for a shell", "%s: %w", name, err)
		}
		more = append(more, normalise(list)...)
	}
	if input != "" && cmd.Flags().Lookup("input") != nil {
		if new(inputValue).Set(input) != nil {
			return nil, advised("set it to 0 or 1", "OAUTHCTL_INPUT: want true or false")
		}
		more = append([]string{"--input=" + input}, more...)
	}
	return slices.Insert(slices.Clone(args), at+len(words), more...), nil
}

// commandWords finds where the command is named, behind global options, and the
// words that may be its name.
func (c *cli) commandWords(args []string) (at int, words []string) {
	leading := pflag.NewFlagSet("", pflag.ContinueOnError)
	leading.SetInterspersed(false)
	leading.SetOutput(io.Discard)
	leading.Usage = func() {}
	new(globals).registerGlobals(leading)
	if leading.Parse(args) != nil {
		return 0, nil // the tree will say what is wrong
	}
	words = leading.Args()
	for i, w := range words {
		if i == 2 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz-_") != "" || strings.HasPrefix(w, "-") {
			words = words[:i]
			break
		}
	}
	return len(args) - leading.NArg(), words
}

// commandOf is the command that the words begin with, and its words.
func commandOf(root *cobra.Command, words []string) (*cobra.Command, []string) {
	cmd := root
	for i, w := range words {
		next := slices.IndexFunc(cmd.Commands(), func(sub *cobra.Command) bool { return sub.Name() == w })
		if next < 0 {
			words = words[:i]
			break
		}
		cmd = cmd.Commands()[next]
	}
	if cmd == root {
		return nil, nil
	}
	return cmd, words
}

// argsOf is the name of the variable with the options of one command.
func argsOf(words []string) string {
	return envArgs + "_" + strings.ReplaceAll(strings.Join(words, "_"), "-", "_")
}

var errUnclosed = errors.New("a quote is not closed")

// shellSplit splits a text into words as a POSIX shell does: spaces, quotes and
// backslashes mean something, and nothing else does. The errors do not repeat
// the text, which may have a secret in it.
func shellSplit(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune // that is open; 0: none
	begun, escaped := false, false
	for _, r := range s {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			begun, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			begun, quote = true, r
		case quote == 0 && strings.ContainsRune(" \t\n", r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, errUnclosed
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

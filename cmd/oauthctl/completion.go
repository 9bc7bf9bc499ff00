package main

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema"
)

func (c *cli) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: "Print a script that lets a shell complete commands, flags and the addresses of the state. " +
			"Load it in the shell's start file.",
		Example:   "source <(oauthctl completion bash)",
		ValidArgs: shells,
		Args:      exactArgs(1, "one of "+strings.Join(shells, ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b bytes.Buffer
			if err := completionScript(&b, cmd, args[0]); err != nil {
				return err
			}
			_, err := c.out.Write(b.Bytes())
			return err
		},
	}
}

func completionScript(w io.Writer, completion *cobra.Command, shell string) error {
	root := completion.Root()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(w)
	}
	return misused(completion, "there is no completion for %q; want bash, zsh, fish or powershell%s", shell, didYouMean(schema.Suggest(shell, completion.ValidArgs)))
}

// completed is cobra's answer to a completion request, as a person reads it: the flags
// as they were begun, with one dash if that is how the last word begins, and the
// descriptions without the backticks around the name of a flag's value.
type completed struct {
	io.Writer
	singleDash bool
}

func (w completed) Write(p []byte) (int, error) {
	lines := bytes.SplitAfter(p, []byte("\n"))
	for i, line := range lines {
		if w.singleDash && bytes.HasPrefix(line, []byte("--")) {
			line = line[1:]
		}
		if word, text, described := bytes.Cut(line, []byte("\t")); described {
			line = slices.Concat(word, []byte("\t"), bytes.ReplaceAll(text, []byte("`"), nil))
		}
		lines[i] = line
	}
	if _, err := w.Writer.Write(bytes.Join(lines, nil)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// completionOut is where the tree writes: cobra's answers to the shell come through here.
func (c *cli) completionOut() io.Writer {
	if len(c.Args) < 2 || !strings.HasPrefix(c.Args[0], "__complete") {
		return &c.out
	}
	last := c.Args[len(c.Args)-1]
	return completed{&c.out, strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--")}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
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
			if err := completionScript(&b, cmd.Root(), args[0]); err != nil {
				return err
			}
			_, err := c.out.Write(b.Bytes())
			return err
		},
	}
}

func completionScript(w io.Writer, root *cobra.Command, shell string) error {
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
	return fmt.Errorf("there is no completion for %q; want bash, zsh, fish or powershell", shell)
}

// singleDash writes the flags in cobra's answer to a completion request as they
// were begun: with one dash, if that is how the last word begins.
type singleDash struct{ io.Writer }

func (w singleDash) Write(p []byte) (int, error) {
	lines := bytes.SplitAfter(p, []byte("\n"))
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte("--")) {
			lines[i] = line[1:]
		}
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
	if last := c.Args[len(c.Args)-1]; strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--") {
		return singleDash{&c.out}
	}
	return &c.out
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const helpWidth = 78

// help writes the help of a command to stdout.
func (c *cli) help(cmd *cobra.Command, _ []string) {
	writeHelp(&c.out, cmd)
}

// helpCommand is "help plan", for those who type it that way round.
func (c *cli) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			c.help(found, nil)
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			found, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) == 0 {
				for _, sub := range found.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, sub.Name()+"\t"+sub.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func writeHelp(w io.Writer, cmd *cobra.Command) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n", usageLine(cmd), indent(cmd.Long, "  ", helpWidth))
	if cmd.HasAvailableSubCommands() {
		writeCommands(&b, cmd)
	}
	writeFlags(&b, "Options:", cmd.LocalNonPersistentFlags())
	writeFlags(&b, "Global options, for every command:", cmd.Root().PersistentFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExample:\n  $ %s\n", strings.ReplaceAll(cmd.Example, "\n", "\n  $ "))
	}
	_, _ = io.WriteString(w, b.String())
}

func usageLine(cmd *cobra.Command) string {
	name, args, _ := strings.Cut(cmd.Use, " ")
	path := name
	for p := cmd.Parent(); p != nil; p = p.Parent() {
		path = p.Name() + " " + path
	}
	switch {
	case cmd.HasAvailableSubCommands() && args == "":
		return path + " COMMAND [options]"
	case args != "":
		return path + " [options] " + args
	}
	return path + " [options]"
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "Commands:"}}
	}
	width := 0
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			width = max(width, len(sub.Name()))
		}
	}
	for _, g := range groups {
		fmt.Fprintf(b, "\n%s\n", g.Title)
		for _, sub := range cmd.Commands() {
			if sub.GroupID == g.ID && sub.IsAvailableCommand() {
				fmt.Fprintf(b, "  %-*s  %s\n", width, sub.Name(), sub.Short)
			}
		}
	}
}

// writeFlags lists flags with one dash, in the order of their names.
func writeFlags(b *strings.Builder, title string, fs *pflag.FlagSet) {
	const column = 26
	first := true
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		if first {
			fmt.Fprintf(b, "\n%s\n", title)
			first = false
		}
		head, text := flagHelp(f)
		lines := strings.Split(indent(text, "", helpWidth-column), "\n")
		if len(head) >= column-2 {
			fmt.Fprintf(b, "  %s\n", head)
		} else {
			fmt.Fprintf(b, "  %-*s%s\n", column-2, head, lines[0])
			lines = lines[1:]
		}
		for _, line := range lines {
			fmt.Fprintf(b, "%*s%s\n", column, "", line)
		}
	})
}

// flagHelp is how a flag is written, and what it does.
func flagHelp(f *pflag.Flag) (head, text string) {
	name, text := pflag.UnquoteUsage(f)
	head = "-" + f.Name
	if f.NoOptDefVal == "" {
		head += "=" + name
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
	default:
		text += " (default: " + f.DefValue + ")"
	}
	return head, text
}

// indent wraps text at width and puts prefix before every line.
func indent(text, prefix string, width int) string {
	var b strings.Builder
	line := prefix
	for _, word := range strings.Fields(text) {
		if len(line) > len(prefix) && len(line)+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line = prefix
		}
		if len(line) > len(prefix) {
			line += " "
		}
		line += word
	}
	return b.String() + line
}

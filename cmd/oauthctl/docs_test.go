package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// testApp is an App without an environment.
func testApp(args ...string) (*App, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return &App{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		LookupEnv: func(string) (string, bool) { return "", false },
		Environ:   func() []string { return nil },
		Become:    func(*program) (int, error) { return 0, nil },
		Now:       func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) },
		Rand:      bytes.NewReader(nil),
	}, &out, &errs
}

func testTree() *cobra.Command {
	app, _, _ := testApp()
	return (&cli{App: app}).root()
}

// walk visits the commands that people see, in the order of the help.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			walk(sub, visit)
		}
	}
}

// docs/commands.md is written from the command tree: go test ./cmd/oauthctl -run Page -update.
func TestCommandsPage(t *testing.T) {
	const file = "../../docs/commands.md"
	want := commandsPage()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the commands say; write it with: go test ./cmd/oauthctl -run Page -update", file)
	}
}

func commandsPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nWritten from the program itself. Flags may be written with one dash or two. " +
		"Exit codes: [exit-codes.md](exit-codes.md). JSON: [json-output.md](json-output.md).\n")
	root := testTree()
	b.WriteString("\n## Global options\n\n")
	flagTable(&b, root.PersistentFlags())
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID {
				walk(cmd, func(c *cobra.Command) { commandSection(&b, c) })
			}
		}
	}
	return b.Bytes()
}

func commandSection(b *bytes.Buffer, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n### %s\n\n    %s\n\n%s\n", strings.TrimPrefix(cmd.CommandPath(), "oauthctl "), usageLine(cmd), escapeMarkdown(cmd.Long))
	if fs := cmd.LocalNonPersistentFlags(); fs.HasAvailableFlags() {
		b.WriteByte('\n')
		flagTable(b, fs)
	}
	fmt.Fprintf(b, "\n```console\n$ %s\n```\n", strings.ReplaceAll(cmd.Example, "\n", "\n$ "))
}

func flagTable(b *bytes.Buffer, fs *pflag.FlagSet) {
	b.WriteString("| option | |\n|---|---|\n")
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			head, text := flagHelp(f)
			fmt.Fprintf(b, "| `%s` | %s |\n", head, escapeMarkdown(text))
		}
	})
}

func escapeMarkdown(s string) string {
	return strings.NewReplacer("*", `\*`, "|", `\|`, "<", `\<`).Replace(s)
}

// Every command says what it does, with an example that its own flags accept.
func TestCommandsHaveHelp(t *testing.T) {
	walk(testTree(), func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: needs Short, Long and Example", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || (f.Shorthand != "" && f.Name != "help") {
				t.Errorf("%s -%s: needs a usage text and no shorthand", cmd.CommandPath(), f.Name)
			}
		})
		app, out, errs := testApp(append(strings.Fields(cmd.CommandPath())[1:], "-help")...)
		if code := app.Run(context.Background()); code != exitDone || errs.Len() > 0 {
			t.Errorf("%s -help: exit %d, stderr %q", cmd.CommandPath(), code, errs)
		}
		for line := range strings.Lines(out.String()) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 && !strings.HasPrefix(line, "  $") {
				t.Errorf("%s -help: a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	})
}

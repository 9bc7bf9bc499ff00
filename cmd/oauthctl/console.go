package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/console"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

func (c *cli) consoleCommand() *cobra.Command {
	var json bool
	var vars varFlags
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Try out expressions over the configuration",
		Long: "Evaluate expressions with the variables, locals and functions of the configuration, and with the connections as the state has them. " +
			"On a terminal it asks until exit or Ctrl-D; otherwise it evaluates each line of stdin, and exits with 1 if one of them failed. " +
			"An expression goes on until its brackets are closed. Sensitive values are hidden. type(EXPRESSION) shows a type. Nothing is changed.",
		Example: "echo 'connection.graph.expires_at' | oauthctl console",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			return c.runConsole(cmd.Context(), &vars)
		},
	}
	jsonFlag(cmd, &json)
	vars.register(cmd.Flags())
	return cmd
}

func (c *cli) runConsole(ctx context.Context, vars *varFlags) error {
	cfg, err := c.loadFor(ctx, vars, &inputFlags{set: !isTerminal(c.Stdin)}, &planFlags{outputs: true}) // stdin is for expressions
	if err != nil {
		return err
	}
	r := &expressions{c: c, cfg: cfg, name: "<stdin>", read: c.stdinLines()}
	if isTerminal(c.Stdin) {
		r.name, r.terminal = "<console>", true
		r.read = func(prompt string) (string, error) { return c.console().Line(ctx, prompt) }
	}
	return r.run(ctx)
}

// stdinLines reads stdin line by line, without a prompt.
func (c *cli) stdinLines() func(string) (string, error) {
	sc := bufio.NewScanner(c.Stdin)
	sc.Buffer(nil, maxStdin)
	return func(string) (string, error) {
		if sc.Scan() {
			return sc.Text(), nil
		}
		if err := sc.Err(); err != nil {
			return "", fmt.Errorf("read stdin: %w", err)
		}
		return "", io.EOF
	}
}

// expressions evaluates what is typed, one expression after the other.
type expressions struct {
	c        *cli
	cfg      *schema.Config
	name     string // of the input, for messages
	terminal bool
	read     func(prompt string) (string, error)
	line     int          // that was read last
	state    schema.Known // nil: not read yet
	problem  func() error // of reading the state
}

func (r *expressions) run(ctx context.Context) error {
	failed := false
	for {
		e, err := r.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, console.ErrNoInput):
			if failed && !r.terminal {
				return &shownError{exitError}
			}
			return nil
		case err != nil:
			return err
		}
		v, typ, diags := r.cfg.Evaluate(e, r.known(ctx))
		if r.problem != nil && r.problem() != nil {
			return r.problem()
		}
		if err := r.c.show(diags, r.cfg.Sources); err != nil {
			failed = true
			continue
		}
		r.c.view.Value(v, typ)
	}
}

// next reads one expression, of several lines if a bracket is open. Empty lines
// and comments are none.
func (r *expressions) next() (schema.Typed, error) {
	e := schema.Typed{Name: r.name}
	for prompt := "> "; ; {
		line, err := r.read(prompt)
		if err != nil && (e.Text == "" || !errors.Is(err, io.EOF)) {
			return e, err
		}
		r.line++
		if e.Text == "" {
			switch line = strings.TrimSpace(line); {
			case line == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, "//"):
				continue
			case line == "exit", line == "quit":
				return e, io.EOF
			case line == "help":
				r.c.view.Note("Type an expression, such as connection.NAME.expires_at, and its value is shown. To leave, type exit, or press Ctrl-D.")
				continue
			}
			e.Line = r.line
			if r.terminal {
				e.Line = 1 // the lines before it are gone
			}
		}
		e.Text += line + "\n"
		prompt = ": "
		if err != nil || !schema.Continues(e.Text) {
			if !strings.Contains(e.Text, "<<") { // a heredoc ends with a line of its own
				e.Text = strings.TrimSuffix(e.Text, "\n")
			}
			return e, nil
		}
	}
}

// known reads the state when an expression asks for a connection, and not before.
func (r *expressions) known(ctx context.Context) schema.Known {
	return func(a addr.Addr) (cty.Value, bool) {
		if r.state == nil {
			e, done, err := r.c.reader(ctx, r.cfg)
			if err != nil {
				r.state = func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false }
				r.problem = func() error { return err }
				return cty.NilVal, false
			}
			r.c.ends = append(r.c.ends, func() error { done(); return nil })
			r.state, r.problem = e.Known(ctx)
		}
		return r.state(a)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// The exit codes of exec for a program that was not started, as shells and env have them.
const (
	exitCannotRun = 126
	exitNoProgram = 127
)

// execFlags are the flags of exec, for the command tree and for the short way.
type execFlags struct {
	env         []string
	fd          bool
	minTTL      time.Duration
	lockTimeout time.Duration
	older       bool
}

func (f *execFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.env, "env", nil, "give the token of a connection in a variable of this name: `VARIABLE=NAME`; may be given again")
	fs.BoolVar(&f.fd, "fd", false, "give each token in a pipe that can be read once; the variables (NAME_TOKEN_FILE) hold paths of pipes instead of tokens")
	fs.DurationVar(&f.minTTL, "min-ttl", 0, "refresh tokens that are valid for less than `DURATION`: the program cannot ask for others")
	lockTimeoutFlag(fs, &f.lockTimeout)
	rollbackFlag(fs, &f.older)
}

// check says what is wrong with the arguments, or "".
func (f *execFlags) check(args []string, dash int) string {
	switch {
	case dash < 0:
		return "oauthctl exec wants -- before the program that it starts"
	case dash == len(args):
		return "oauthctl exec wants a program behind --"
	case dash == 0 && len(f.env) == 0:
		return "oauthctl exec wants the names of connections before --"
	}
	return ""
}

func (c *cli) execCommand() *cobra.Command {
	var f execFlags
	cmd := &cobra.Command{
		Use:   "exec NAME... -- PROGRAM [ARGUMENT...]",
		Short: "Start a program with tokens in its environment",
		Long: "Get valid access tokens, put each into the environment as NAME_TOKEN (graph[\"eu\"] is GRAPH_EU_TOKEN), and become the program: " +
			"it keeps the terminal, stdin and stdout, gets the signals, and its exit code is the one that is seen. No token stands on a command line. " +
			"If one of the tokens cannot be had, nothing is started, and the exit code says why. " +
			"A program that is not found ends with 127, one that cannot be run with 126.",
		Example: "oauthctl exec graph -- python3 report.py\noauthctl exec -env GITLAB_TOKEN=git -- glab repo list",
		Args: func(cmd *cobra.Command, args []string) error {
			if problem := f.check(args, cmd.ArgsLenAtDash()); problem != "" {
				return misused(cmd, "%s", problem)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.exec(cmd.Context(), args, cmd.ArgsLenAtDash(), &f)
		},
		ValidArgsFunction: c.completeConnections,
	}
	f.register(cmd.Flags())
	return cmd
}

// handover is a token and the variable that it goes into.
type handover struct {
	variable string
	addr     addr.Addr
	token    secret.Secret
}

// program is what exec starts: where it is, what it is told, and what is read
// from pipes.
type program struct {
	path  string
	argv  []string
	env   []string
	pipes []handover
}

func (c *cli) exec(ctx context.Context, args []string, dash int, f *execFlags) error {
	c.older = f.older
	list, err := f.handovers(args[:dash])
	if err != nil {
		return err
	}
	p := &program{argv: args[dash:]}
	if p.path, err = exec.LookPath(p.argv[0]); err != nil {
		return notStarted(p, err)
	}
	if err := c.fill(ctx, list, engine.TokenOptions{MinTTL: f.minTTL}, f.lockTimeout); err != nil {
		return err
	}
	if f.fd {
		p.env, p.pipes = c.Environ(), list
	} else {
		p.env = withTokensIn(c.Environ(), list)
		c.warnOfSize(p, list)
	}
	if c.person != nil {
		c.person.Close() // who may have typed a passphrase: the terminal is the program's now
	}
	c.end() // this process does not come to its own end
	code, err := c.Become(p)
	switch {
	case err != nil:
		return notStarted(p, err)
	case code != 0:
		return &shownError{code}
	}
	return nil
}

// fill gets the tokens: from the agent those that it has, and from the state the others.
func (c *cli) fill(ctx context.Context, list []handover, o engine.TokenOptions, lockTimeout time.Duration) error {
	var rest []*handover
	for i := range list {
		t, err := c.askAgent(ctx, list[i].addr, o, lockTimeout)
		switch {
		case err != nil:
			return err
		case t == nil:
			rest = append(rest, &list[i])
		default:
			list[i].token = t.AccessToken
		}
	}
	if len(rest) > 0 {
		err := c.withTokens(ctx, lockTimeout, func(e *engine.Engine, _ *state.Store) (bool, error) {
			for _, h := range rest {
				t, err := c.obtain(ctx, e, h.addr, o)
				if err != nil {
					return false, err
				}
				h.token = t.AccessToken
			}
			return false, c.keepState(ctx) // of all of them: it is written once
		})
		if err != nil {
			return err
		}
	}
	for _, h := range list {
		if strings.ContainsRune(h.token.Reveal(), 0) {
			return fmt.Errorf("the token of %s has a zero byte and fits into no environment", h.addr)
		}
	}
	return nil
}

// handovers are the tokens that are wanted. No two of them share a variable.
func (f *execFlags) handovers(names []string) ([]handover, error) {
	var list []handover
	add := func(variable, name string) error {
		a, err := addr.Parse(name)
		if err != nil {
			return err
		}
		if variable == "" {
			variable = outlet.EnvName(a) + "_TOKEN"
			if f.fd {
				variable += "_FILE"
			}
		}
		if i := slices.IndexFunc(list, func(h handover) bool { return h.variable == variable }); i >= 0 {
			return advised("give one of them another with -env VARIABLE=NAME", "%s and %s would both be in %s", list[i].addr, a, variable)
		}
		list = append(list, handover{variable: variable, addr: a})
		return nil
	}
	for _, name := range names {
		if err := add("", name); err != nil {
			return nil, err
		}
	}
	for _, e := range f.env {
		variable, name, ok := strings.Cut(e, "=")
		if !ok || !isVariable(variable) {
			return nil, errors.New("-env: want VARIABLE=NAME, such as -env GITLAB_TOKEN=git")
		}
		if err := add(variable, name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// isVariable: letters, digits and _, and no digit first.
func isVariable(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	return s != "" && strings.ContainsAny(s[:1], letters) && strings.Trim(s, letters+"0123456789") == ""
}

// withTokensIn is an environment in which tokens have taken the place of what
// their variables held.
func withTokensIn(env []string, list []handover) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.ContainsFunc(list, func(h handover) bool { return h.variable == name })
	})
	for _, h := range list {
		out = append(out, h.variable+"="+h.token.Reveal())
	}
	return out
}

// Systems differ in how much they let a program be told. Linux takes 128 KiB in
// one variable, macOS 1 MiB in all.
const (
	nearOne = 96 << 10
	nearAll = 768 << 10
)

func (c *cli) warnOfSize(p *program, list []handover) {
	for _, h := range list {
		if len(h.token.Reveal()) > nearOne {
			fmt.Fprintf(c.Stderr, "Warning: the token of %s has %d bytes; many systems take no more than 131072 in one variable. If the program does not start, use -fd\n", h.addr, len(h.token.Reveal()))
		}
	}
	all := 0
	for _, s := range slices.Concat(p.env, p.argv) {
		all += len(s) + 1
	}
	if all > nearAll {
		fmt.Fprintf(c.Stderr, "Warning: environment and arguments have %d bytes together, which is near the limit of many systems\n", all)
	}
}

// notStarted says why a program could not be started, as shells do.
func notStarted(p *program, err error) error {
	name := p.argv[0]
	switch {
	case isTooBig(err):
		return &codeError{exitCannotRun, advised("give the tokens with -fd, or start it with a smaller environment",
			"start %s: its environment and arguments are larger than the system takes", name)}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return &codeError{exitNoProgram, advised("look at PATH, or write where the program is", "start %s: there is no such program", name)}
	case errors.Is(err, exec.ErrDot):
		return &codeError{exitCannotRun, advised("write ./"+name+" if that one is meant", "start %s: it was found in the current directory, which PATH should not name", name)}
	}
	return &codeError{exitCannotRun, fmt.Errorf("start %s: %w", name, reasonOf(unwrapLook(err)))}
}

// unwrapLook is the reason in an error of LookPath.
func unwrapLook(err error) error {
	var look *exec.Error
	if errors.As(err, &look) {
		return look.Err
	}
	return err
}

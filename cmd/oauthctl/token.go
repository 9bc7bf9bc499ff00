package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// tokenFlags are the flags of token, for the command tree and for the short way.
type tokenFlags struct {
	format      formatFlag
	user        string
	scopes      scopesFlag
	opts        engine.TokenOptions
	lockTimeout time.Duration
	older       bool
	mask        bool
	inLog       bool
}

func (f *tokenFlags) register(fs *pflag.FlagSet) {
	f.format.Format, _ = outlet.Named("raw")
	fs.Var(&f.format, "format", "print as `FORMAT`: "+strings.Join(outlet.Names(), ", "))
	fs.StringVar(&f.user, "user", "", "the user `NAME` that a format wants beside the token, if it is not what oauthctl knows")
	fs.Var(&f.scopes, "scopes", "a token for these `SCOPES` of the connection alone, separated by commas; it is not kept")
	fs.DurationVar(&f.opts.MinTTL, "min-ttl", 0, "refresh a token that is valid for less than `DURATION`")
	fs.BoolVar(&f.opts.ForceRefresh, "force-refresh", false, "refresh even if the token is valid")
	fs.BoolVar(&f.mask, "mask", false, "in a job of GitHub Actions, have the token masked in the log first, by a command on stderr")
	fs.BoolVar(&f.inLog, "print", false, "print it in CI where stdout is a terminal, which is the log of the job")
	lockTimeoutFlag(fs, &f.lockTimeout)
	rollbackFlag(fs, &f.older)
}

func lockTimeoutFlag(fs *pflag.FlagSet, d *time.Duration) {
	fs.DurationVar(d, "lock-timeout", 10*time.Second, "wait for another process at most `DURATION`")
}

// formatFlag is a flag that names a format.
type formatFlag struct{ outlet.Format }

func (f *formatFlag) String() string { return f.Name }
func (f *formatFlag) Type() string   { return "FORMAT" }

func (f *formatFlag) Set(s string) error {
	named, ok := outlet.Named(s)
	if !ok {
		return errors.New("want one of " + strings.Join(outlet.Names(), ", "))
	}
	f.Format = named
	return nil
}

// scopesFlag is a list of scopes with commas or spaces between them; given
// again, it goes on.
type scopesFlag []string

func (f *scopesFlag) String() string { return strings.Join(*f, ",") }
func (f *scopesFlag) Type() string   { return "SCOPES" }

func (f *scopesFlag) Set(s string) error {
	list := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	if len(list) == 0 {
		return errors.New("want scopes, separated by commas")
	}
	*f = append(*f, list...)
	return nil
}

func (c *cli) tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print a valid access token",
		Long: "Print the access token of a connection, and nothing else, on stdout; refresh it first when it is due. " +
			"It is due before it ends by refresh_before, or by up to twice as much: the moment is drawn for each connection, so that those made together do not fall due together. " +
			"However many processes ask at once, it is refreshed once. A token that is still valid is printed, with a warning, if it cannot be refreshed; " +
			"with -force-refresh, or below -min-ttl, that is an error. The configuration is not read, and no browser is opened. If an agent runs, it is asked (see: oauthctl agent -help).",
		Example: "oauthctl token graph\ncurl -H \"$(oauthctl token -format=header graph)\" https://graph.example/v1.0/me\n" +
			"oauthctl token -format=curl graph | curl -K - https://graph.example/v1.0/me",
		Args: exactArgs(1, "the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.token(cmd.Context(), args[0], &f)
		},
		ValidArgsFunction: c.completeConnections,
	}
	f.register(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("format", completeFormats)
	return cmd
}

func completeFormats(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var list []string
	for _, f := range outlet.Formats() {
		list = append(list, f.Name+"\t"+f.Doc)
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

func (c *cli) token(ctx context.Context, name string, f *tokenFlags) error {
	c.older = f.older
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	o := c.outletOptions(f.user)
	if err := f.format.Check(o); err != nil {
		return fmt.Errorf("print the token of %s as %s: %w", a, f.format.Name, err)
	}
	if err := c.guardLog(f, o); err != nil {
		return err
	}
	f.opts.Scopes = f.scopes
	if t, err := c.askAgent(ctx, a, f.opts, f.lockTimeout); err != nil {
		return err
	} else if t != nil {
		return f.print(c, t, o)
	}
	return c.withTokens(ctx, f.lockTimeout, func(e *engine.Engine, _ *state.Store) (bool, error) {
		t, err := c.handOut(ctx, e, a, f.opts)
		if err != nil {
			return false, err
		}
		if err := f.print(c, t, o); err != nil {
			return false, err
		}
		return !t.Refreshed && t.Warning == "", nil
	})
}

func (f *tokenFlags) print(c *cli, t *engine.Token, o *outlet.Options) error {
	if err := f.format.Write(&c.out, t, o); err != nil {
		return fmt.Errorf("print the token of %s: %w", t.Addr, err)
	}
	return nil
}

// guardLog keeps a token out of the log of a job, before one is asked for. A pipe
// may lead to the log or to a variable, which nothing here can tell: only a
// terminal is surely the log, since nobody sits there.
func (c *cli) guardLog(f *tokenFlags, o *outlet.Options) error {
	if c.inCI() && isTerminal(c.Stdout) && !f.inLog {
		return advised("take it into a variable, as with $(oauthctl token NAME), or give -print if the log may have it",
			"stdout is a terminal and CI is set: the token would stand in the log of the job")
	}
	if !f.mask {
		return nil
	}
	if err := outlet.CheckMask(c.LookupEnv); err != nil {
		return advised("leave -mask out here", "-mask: %w", err)
	}
	o.Mask = c.Stderr
	return nil
}

func (c *cli) outletOptions(user string) *outlet.Options {
	return &outlet.Options{User: user, LookupEnv: c.LookupEnv, Stdin: c.Stdin, Rand: c.Rand, Append: appendFile}
}

// withTokens runs f with an engine over the state. If f says that it has only
// read, and the process ends now, closing the state is left to the kernel.
func (c *cli) withTokens(ctx context.Context, lockTimeout time.Duration, f func(*engine.Engine, *state.Store) (read bool, err error)) error {
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	read := false
	defer func() {
		if !read || !c.Ends {
			_ = store.Close()
		}
	}()
	o := engine.Options{Store: store, Now: c.Now, Rand: c.Rand, LockTimeout: lockTimeout, PID: os.Getpid(), Host: hostname(),
		Rescuer: c.rescuer(c.opened), Carry: c.carry()}
	done, err := c.connectStored(&o)
	if err != nil {
		return err
	}
	defer done()
	read, err = f(engine.New(o), store)
	return err
}

// handOut gets a token for somebody, with a warning if it is an old one.
func (c *cli) handOut(ctx context.Context, e *engine.Engine, a addr.Addr, o engine.TokenOptions) (*engine.Token, error) {
	t, err := c.obtain(ctx, e, a, o)
	if err != nil {
		return nil, err
	}
	if err := c.keepState(ctx); err != nil {
		return nil, err // before the token is used: what it costs is saved first
	}
	return t, nil
}

// obtain gets a token that is handed out when the state is kept: see keepState.
func (c *cli) obtain(ctx context.Context, e *engine.Engine, a addr.Addr, o engine.TokenOptions) (*engine.Token, error) {
	t, err := e.Token(ctx, a, o)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err // refreshed and saved, and nobody wants it any more
	}
	c.warnOld(t)
	return t, nil
}

// warnOld says why a token is an old one.
func (c *cli) warnOld(t *engine.Token) {
	if t.Warning != "" {
		fmt.Fprintf(c.Stderr, "Warning: %s\n", t.Warning)
	}
}

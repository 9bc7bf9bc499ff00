package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// tokenFlags are the flags of token, for the command tree and for the short way.
type tokenFlags struct {
	format      tokenFormat
	opts        engine.TokenOptions
	lockTimeout time.Duration
}

func (f *tokenFlags) register(fs *pflag.FlagSet) {
	f.format = tokenFormats[0]
	fs.Var(&f.format, "format", "print as `FORMAT`: "+strings.Join(formatNames(), ", "))
	fs.DurationVar(&f.opts.MinTTL, "min-ttl", 0, "refresh a token that is valid for less than `DURATION`")
	fs.BoolVar(&f.opts.ForceRefresh, "force-refresh", false, "refresh even if the token is valid")
	fs.DurationVar(&f.lockTimeout, "lock-timeout", 10*time.Second, "wait for another process at most `DURATION`")
}

// runToken is the short way: token is what scripts call a thousand times, so it
// runs before the command tree is built. Whatever is unusual about the command
// line (-help, a mistake) is left to the tree. The heap stays below the size at
// which the first collection would run.
func (c *cli) runToken(ctx context.Context) (code int, done bool) {
	leading := pflag.NewFlagSet("", pflag.ContinueOnError)
	leading.SetInterspersed(false)
	leading.SetOutput(io.Discard)
	leading.Usage = func() {}
	c.registerGlobals(leading)
	if leading.Parse(c.args) != nil || leading.Arg(0) != "token" {
		c.globals = globals{}
		return 0, false
	}
	var f tokenFlags
	fs := pflag.NewFlagSet("token", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.AddFlagSet(leading)
	f.register(fs)
	if fs.Parse(leading.Args()[1:]) != nil || fs.NArg() != 1 {
		c.globals = globals{}
		return 0, false
	}
	if err := c.checkDir(); err != nil {
		return c.finish(ctx, err), true
	}
	return c.finish(ctx, c.token(ctx, fs.Arg(0), &f)), true
}

func (c *cli) tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token NAME",
		Short: "Print a valid access token",
		Long: "Print the access token of a connection, and nothing else, on stdout; refresh it first when it is due. " +
			"However many processes ask at once, it is refreshed once. A token that is still valid is printed, with a warning, if it cannot be refreshed; " +
			"with -force-refresh, or below -min-ttl, that is an error. The configuration is not read, and no browser is opened.",
		Example: "oauthctl token graph\ncurl -H \"$(oauthctl token -format=header graph)\" https://graph.example/v1.0/me",
		Args:    exactArgs(1, "the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.token(cmd.Context(), args[0], &f)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	f.register(cmd.Flags())
	return cmd
}

func (c *cli) token(ctx context.Context, name string, f *tokenFlags) error {
	a, err := addr.Parse(name)
	if err != nil {
		return err
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	read := false // and nothing more
	defer func() {
		if !read || !c.Ends {
			_ = store.Close()
		}
	}()
	o := engine.Options{Store: store, Now: c.Now, Rand: c.Rand, LockTimeout: f.lockTimeout, PID: os.Getpid(), Host: hostname()}
	done, err := c.connectStored(&o)
	if err != nil {
		return err
	}
	defer done()
	t, err := engine.New(o).Token(ctx, a, f.opts)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // refreshed and saved, and nobody wants it any more
	}
	read = !t.Refreshed && t.Warning == ""
	if t.Warning != "" {
		fmt.Fprintf(c.Stderr, "Warning: %s\n", t.Warning)
	}
	if err := f.format.write(&c.out, t); err != nil {
		return fmt.Errorf("print the token of %s: %w", a, err)
	}
	return nil
}

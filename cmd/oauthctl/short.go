package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// shortCommand is a command that can be run without the command tree.
type shortCommand struct {
	register func(*pflag.FlagSet)
	accepts  func(*pflag.FlagSet) bool // the arguments; what it does not is explained by the tree
	run      func(context.Context, *pflag.FlagSet) error
}

// runShort is the short way: what scripts and programs call a thousand times
// runs before the command tree is built. Whatever is unusual about the command
// line (-help, a mistake) is left to the tree. The heap stays below the size at
// which the first collection would run.
func (c *cli) runShort(ctx context.Context) (code int, done bool) {
	leading := quietFlags("")
	leading.SetInterspersed(false)
	c.registerGlobals(leading)
	if leading.Parse(c.args) != nil {
		c.globals = globals{}
		return 0, false
	}
	cmd := c.short(leading.Arg(0))
	if cmd == nil {
		c.globals = globals{}
		return 0, false
	}
	fs := quietFlags(leading.Arg(0))
	fs.AddFlagSet(leading)
	cmd.register(fs)
	if fs.Parse(leading.Args()[1:]) != nil || !cmd.accepts(fs) {
		c.globals = globals{}
		return 0, false
	}
	if err := c.checkDir(); err != nil {
		return c.finish(ctx, err), true
	}
	return c.finish(ctx, cmd.run(ctx, fs)), true
}

// short finds a command that has the short way; nil: it has not.
func (c *cli) short(name string) *shortCommand {
	switch name {
	case "token":
		var f tokenFlags
		return &shortCommand{
			register: f.register,
			accepts:  func(fs *pflag.FlagSet) bool { return fs.NArg() == 1 },
			run:      func(ctx context.Context, fs *pflag.FlagSet) error { return c.token(ctx, fs.Arg(0), &f) },
		}
	case "exec":
		var f execFlags
		return &shortCommand{
			register: f.register,
			accepts:  func(fs *pflag.FlagSet) bool { return f.check(fs.Args(), fs.ArgsLenAtDash()) == "" },
			run: func(ctx context.Context, fs *pflag.FlagSet) error {
				return c.exec(ctx, fs.Args(), fs.ArgsLenAtDash(), &f)
			},
		}
	case "git-credential":
		return c.shortHelper(c.gitCredential)
	case "docker-credential":
		return c.shortHelper(c.dockerCredential)
	}
	return nil
}

func (c *cli) shortHelper(run func(context.Context, []string, *helperFlags) error) *shortCommand {
	var f helperFlags
	return &shortCommand{
		register: f.register,
		accepts:  func(fs *pflag.FlagSet) bool { return fs.NArg() == 1 || fs.NArg() == 2 },
		run:      func(ctx context.Context, fs *pflag.FlagSet) error { return run(ctx, fs.Args(), &f) },
	}
}

// quietFlags is a set of flags whose mistakes somebody else will explain.
func quietFlags(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// helperArgs are the arguments of the process. Under the name that git or docker
// gives its helpers, it is that helper.
func helperArgs(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	switch strings.TrimSuffix(filepath.Base(args[0]), ".exe") {
	case "git-credential-oauthctl":
		return append([]string{"git-credential"}, args[1:]...)
	case "docker-credential-oauthctl":
		return append([]string{"docker-credential"}, args[1:]...)
	}
	return args[1:]
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/console"
	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/state"
)

// App is the program as a value: everything that it gets from outside. Its zero
// fields are not usable; a test fills them, [osApp] takes them from the process.
type App struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	LookupEnv      func(string) (string, bool)
	Environ        func() []string // all of it, for the program that exec starts
	// Become puts another program into the place of this one, and returns only if
	// that fails, or where it cannot be done, with the program's exit code.
	Become func(p *program) (code int, err error)
	Now    func() time.Time
	Rand   io.Reader
	// Arm is called before anything is done that must not be cut off: from then
	// on an interrupt cancels the context of Run and does no more. May be nil.
	Arm func()
	// AtKill takes what has to be done before the process is ended in the middle
	// of its work: giving the terminal back. May be nil.
	AtKill func(f func())
	// PassphraseCost is the logarithm of what it takes to try a passphrase; 0: what
	// age takes.
	PassphraseCost int
	// Ends: the process ends with Run. What was opened to read is left to the
	// kernel, which closes it in no time.
	Ends bool
}

func osApp(args []string, in *interrupts) *App {
	return &App{
		Args: args, Arm: in.arm, AtKill: in.atKill, Ends: true, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		LookupEnv: os.LookupEnv, Environ: os.Environ, Become: become, Now: time.Now, Rand: rand.Reader,
	}
}

// Run runs the program once and returns its exit code.
func (a *App) Run(ctx context.Context) (code int) {
	c := &cli{App: a, args: normalise(a.Args), out: results{Writer: a.Stdout}}
	defer func() {
		if r := recover(); r != nil {
			code = c.crashed(r)
		}
		if c.person != nil {
			c.person.Close()
		}
		c.end()
	}()
	if len(a.Args) == 1 && a.Args[0] == helperArg {
		return c.runHelper(ctx)
	}
	var err error
	if c.args, err = c.withEnvArgs(c.args); err != nil {
		return c.finish(ctx, err)
	}
	if code, done := c.runShort(ctx); done {
		return code
	}
	if a.Ends {
		// Counted as used and never touched: the collector begins when 140 MiB more
		// are in use, not at 4, and goes on sooner than it would later on. A run that
		// ends in a second hardly needs it, and a large one keeps to less memory.
		ballast := make([]byte, 280<<20)
		defer runtime.KeepAlive(ballast)
		debug.SetGCPercent(50)
	}
	c.arm()
	cmd, err := c.root().ExecuteContextC(ctx)
	if err != nil && c.view == nil && c.wantsJSON(cmd) {
		c.view = c.newView(true, streams(cmd))
	}
	return c.finish(ctx, err)
}

// end closes and removes what is of this run alone.
func (c *cli) end() {
	for _, end := range c.ends {
		_ = end()
	}
	c.ends = nil
}

// cli is one run: the App's doors, the global options, and the view that the
// running command has chosen.
type cli struct {
	*App
	globals
	args    []string
	out     results
	into    *results // of -json-into; nil: none
	ends    []func() error
	view    view.View
	telling sync.Mutex // of event
	person  *console.Console
	opened  string      // the state that was opened last
	key     *identity   // what opens it, once it was found
	way     consentWay  // -consent of the running command; "": it has no such flag
	input   *inputFlags // whether the running command may ask; nil: it has no such flag
	fromFD  []byte      // what OAUTHCTL_PASSPHRASE_FD gave
	locks   lockFiles   // of it; nil: they cannot be shared
	older   bool        // -accept-rollback
	carried
}

// finish shows an error that nobody has shown yet and turns it into an exit code.
func (c *cli) finish(ctx context.Context, err error) int {
	switch kept := c.keepState(ctx); {
	case kept == nil:
	case err == nil:
		err = kept
	case c.opened == carriedPlace:
		c.showError(kept) // there is no other copy of it
	}
	if err == nil {
		err = c.out.err
	}
	if err == nil && c.into != nil {
		err = c.into.err
	}
	if err == nil {
		return exitDone
	}
	var shown *shownError
	if !errors.As(err, &shown) && !c.out.unread(err) {
		c.showError(err)
	}
	return exitCode(ctx, err)
}

func (c *cli) showError(err error) {
	if c.view == nil {
		c.view = c.newView(false, false)
	}
	c.view.Error(c.explained(readable(err)))
}

var errInterrupted = errors.New("interrupted; what was finished is saved")

// readable replaces an error that says nothing but that the context ended.
func readable(err error) error {
	if errors.Is(err, context.Canceled) && err.Error() == context.Canceled.Error() {
		return errInterrupted
	}
	return err
}

// explained takes the advice out of an error of the state that no engine has
// dressed, and says where there is no state.
func (c *cli) explained(err error) error {
	var dressed *engine.Error
	do := state.Advice(err)
	switch {
	case errors.As(err, &dressed):
		return err
	case errors.Is(err, state.ErrNoState):
		return advised("run: oauthctl apply", "there is no state in %s", c.opened)
	case do != "":
		return advised(do, "%s", strings.TrimSuffix(err.Error(), ": "+do))
	}
	return err
}

// advised is an error with what to do now.
func advised(do, format string, args ...any) error {
	return &engine.Error{Class: engine.ClassError, Err: fmt.Errorf(format, args...), Remedy: do}
}

// crashed ends a run that panicked. The panic's value and the arguments of the
// stack may hold anything, so only the places are printed.
func (c *cli) crashed(r any) int {
	if c.person != nil {
		c.person.Close()
	}
	fmt.Fprintf(c.Stderr, "oauthctl crashed (%T). This is a bug, and what was saved is safe. The places, without values:\n", r)
	_, _ = c.Stderr.Write(places(debug.Stack()))
	return exitError
}

func (a *App) arm() {
	if a.Arm != nil {
		a.Arm()
	}
}

// env is an environment variable, "" if it is not set.
func (a *App) env(name string) string {
	v, _ := a.LookupEnv(name)
	return v
}

// checkDir says early that -chdir names no directory.
func (c *cli) checkDir() error {
	if c.chdir == "" {
		return nil
	}
	info, err := os.Stat(c.chdir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "chdir", Path: c.chdir, Err: errors.New("not a directory")}
	}
	if err != nil {
		return fmt.Errorf("-chdir=%s: %w", c.chdir, errors.Unwrap(err))
	}
	return nil
}

// path is a path given by the user, below -chdir unless it is absolute.
func (c *cli) path(p string) string {
	if c.chdir == "" || p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.chdir, p)
}

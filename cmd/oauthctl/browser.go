package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/cli/browser"
)

// openBrowser opens a URL that has been checked, or says why it cannot.
func (c *cli) openBrowser(ctx context.Context, url string) error {
	if program := c.env("BROWSER"); program != "" {
		return c.startBrowser(ctx, program, url)
	}
	if why := c.noBrowser(); why != "" {
		return errors.New(why)
	}
	if launchers := launchersOf(runtime.GOOS); len(launchers) > 0 {
		return c.launch(ctx, launchers, url)
	}
	return browser.OpenURL(url)
}

// startBrowser runs the program that BROWSER names: a program, not a command
// line, with the URL as its one argument.
func (c *cli) startBrowser(ctx context.Context, program, url string) error {
	cmd := c.browserCommand(ctx, program, url)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("BROWSER: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// launch runs the first launcher that there is, and waits for what it says.
func (c *cli) launch(ctx context.Context, launchers []string, url string) error {
	for _, name := range launchers {
		if program, err := exec.LookPath(name); err == nil {
			return c.browserCommand(ctx, program, url).Run()
		}
	}
	return fmt.Errorf("none of %s is installed", strings.Join(launchers, ", "))
}

// launchersOf are the programs of a system that open a URL in the person's own
// browser; none where that is a call of the system.
func launchersOf(system string) []string {
	switch system {
	case "windows":
		return nil
	case "darwin":
		return []string{"open"}
	}
	return []string{"xdg-open", "x-www-browser", "www-browser", "wslview"}
}

// browserCommand is a program with a URL, and without our own variables: a
// browser outlives us, and hands its environment on to all that it starts.
func (c *cli) browserCommand(ctx context.Context, program, url string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, url)
	cmd.Env = withoutOwn(os.Environ())
	// stdout belongs to what was asked for; a launcher that talks does so on stderr.
	cmd.Stdout, cmd.Stderr = c.Stderr, c.Stderr
	return cmd
}

// withoutOwn takes OAUTHCTL_… out of an environment: the identity that opens the
// state, and the values of variables.
func withoutOwn(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		return strings.HasPrefix(strings.ToUpper(pair), "OAUTHCTL_")
	})
}

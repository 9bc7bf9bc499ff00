package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

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
	// stdout belongs to what was asked for; a launcher that talks does so on stderr.
	browser.Stdout, browser.Stderr = c.Stderr, c.Stderr
	return browser.OpenURL(url)
}

// startBrowser runs the program that BROWSER names: a program, not a command
// line, with the URL as its one argument.
func (c *cli) startBrowser(ctx context.Context, program, url string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, url)
	cmd.Stdout, cmd.Stderr = c.Stderr, c.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("BROWSER: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// noBrowser says why no browser can be opened here, "" if one may.
func (c *cli) noBrowser() string {
	switch {
	case c.env("SSH_CONNECTION") != "" || c.env("SSH_TTY") != "":
		return "this is an SSH session"
	case c.inCI():
		return "this is CI"
	case exists("/.dockerenv") || exists("/run/.containerenv"):
		return "this is a container"
	case runtime.GOOS == "linux" && c.env("DISPLAY") == "" && c.env("WAYLAND_DISPLAY") == "" && c.env("WSL_DISTRO_NAME") == "":
		return "there is no display"
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

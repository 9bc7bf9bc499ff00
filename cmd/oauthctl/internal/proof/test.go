package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	module = "github.com/oauthctl/oauthctl/"
	marker = "proof: " // begins the figures in what a test logs
)

// test runs a test of a package at full scale and prints the figures that it
// logs. A test that is not there, or that says nothing, proves nothing.
func (p *proof) test(ctx context.Context, pkg, name string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=20m", "-run=^"+name+"$", module+pkg)
	if !p.short {
		cmd.Env = append(os.Environ(), "OAUTHCTL_PROOF=full")
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	said := map[string]bool{}
	say := func(line string) {
		if !said[line] {
			p.say("%s", line)
		}
		said[line] = true
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if _, figures, ok := strings.Cut(line, marker); ok {
			say(figures)
		} else if _, why, ok := strings.Cut(line, "LEFT OUT: "); ok {
			say("LEFT OUT " + name + ": " + why)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s in %s: %w\n%s", name, pkg, err, out.String())
	case len(said) == 0:
		return errors.New(name + " in " + pkg + " says no figures")
	}
	return nil
}

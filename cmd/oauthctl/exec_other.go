//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// become starts the program and waits for it, since there is no exec(2) here.
// The console sends Ctrl-C to both, and the program decides what it means.
func become(p *program) (int, error) {
	if len(p.pipes) > 0 {
		return 0, errors.New("-fd needs a system with file descriptors that programs inherit")
	}
	signal.Ignore(os.Interrupt)
	cmd := exec.Command(p.path, p.argv[1:]...) //nolint:gosec // the person named it
	cmd.Args, cmd.Env = p.argv, p.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func isTooBig(error) bool { return false }

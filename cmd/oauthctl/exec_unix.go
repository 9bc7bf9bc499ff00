//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// become puts the program into the place of this one (exec(2)): it is the same
// process, so that signals, terminal, process group and exit code are its own.
func become(p *program) (int, error) {
	env := p.env
	for _, h := range p.pipes {
		path, err := inPipe(h)
		if err != nil {
			return 0, err
		}
		env = withTokensIn(env, []handover{{variable: h.variable, token: path}})
	}
	return 0, &os.PathError{Op: "exec", Path: p.path, Err: syscall.Exec(p.path, p.argv, env)}
}

// inPipe writes a token into a pipe whose reading end the program inherits, and
// returns the path of that end. Nobody reads while it is written: it has to fit.
func inPipe(h handover) (secret.Secret, error) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil { // inherited, unlike those of os.Pipe
		return "", err
	}
	if err := unix.SetNonblock(ends[1], true); err != nil {
		return "", err
	}
	text := []byte(h.token.Reveal())
	n, err := unix.Write(ends[1], text)
	if err == nil && n < len(text) {
		err = errors.New("the pipe does not take all of it")
	}
	if err := errors.Join(err, unix.Close(ends[1])); err != nil {
		return "", fmt.Errorf("hand over the token of %s: %w", h.addr, err)
	}
	return secret.Secret(fmt.Sprintf("/dev/fd/%d", ends[0])), nil
}

func isTooBig(err error) bool { return errors.Is(err, syscall.E2BIG) }

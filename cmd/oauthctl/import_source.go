package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// tokenSource says where a refresh token is read from: never from an argument,
// which every process of the machine can see.
type tokenSource struct {
	env, file string
	fd        int
}

const noFD = -1

func (t *tokenSource) register(fs *pflag.FlagSet) {
	fs.StringVar(&t.env, "from-env", "", "read the token from the environment variable `NAME` instead of stdin")
	fs.StringVar(&t.file, "from-file", "", "read the token from `FILE` instead of stdin")
	fs.IntVar(&t.fd, "from-fd", noFD, "read the token from the open descriptor `N` instead of stdin")
}

func (t *tokenSource) check() error {
	given := 0
	for _, set := range []bool{t.env != "", t.file != "", t.fd != noFD} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		return advised("leave all but one of them out", "-from-env, -from-file and -from-fd exclude each other")
	case t.fd != noFD && t.fd < 3:
		return advised("give the number of a descriptor that is open, 3 or more; stdin is read without -from-fd", "-from-fd=%d is none to read a token from", t.fd)
	}
	return nil
}

// readGiven reads the refresh token to import. A newline at its end is not a
// part of it; what else it holds has to be one.
func (c *cli) readGiven(ctx context.Context, from *tokenSource, in *inputFlags, a addr.Addr) (secret.Secret, error) {
	text, where, err := c.givenText(ctx, from, in, a)
	switch {
	case errors.Is(err, context.Canceled):
		return "", &codeError{exitInterrupted, errCancelled}
	case err != nil:
		return "", advised("see: oauthctl import -help", "read the refresh token from %s: %w", where, reasonOf(err))
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if problem := schema.CheckToken(secret.Secret(text)); problem != "" {
		return "", advised("give the token alone, without quotes, a name, or anything around it", "the refresh token from %s %s", where, problem)
	}
	return secret.Secret(text), nil
}

var errNotSet = errors.New("it is not set")

func (c *cli) givenText(ctx context.Context, from *tokenSource, in *inputFlags, a addr.Addr) (text, where string, err error) {
	switch {
	case from.env != "":
		text, ok := c.LookupEnv(from.env)
		if !ok {
			err = errNotSet
		}
		return text, "the environment variable " + from.env, err
	case from.file != "":
		raw, err := readToken(c.path(from.file))
		return string(raw), c.path(from.file), err
	case from.fd != noFD:
		f := os.NewFile(uintptr(from.fd), "-from-fd")
		defer f.Close() // only read
		text, err = readAllToken(f)
		return text, "the descriptor of -from-fd", err
	case isTerminal(c.Stdin):
		if !c.canAsk(in) {
			return "", "the terminal", errors.New("nobody can be asked here (CI, or -input=false)")
		}
		text, err = c.console().Ask(ctx, "Refresh token of "+a.String(), true)
		return text, "the terminal", err
	}
	text, err = readAllToken(c.Stdin)
	return text, "stdin", err
}

func readAllToken(r io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxToken+1))
	if err == nil && len(raw) > maxToken {
		err = errors.New("it is larger than a token")
	}
	return string(raw), err
}

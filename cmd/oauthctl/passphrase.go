package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

const (
	maxPassphrase = 4096
	tries         = 3 // of a person who is asked
)

// passphrase is one from the environment: itself, a file, or a descriptor that
// the parent has opened. "" if there is none.
func (c *cli) passphrase() (secret.Secret, error) {
	var raw []byte
	var err error
	switch {
	case c.env("OAUTHCTL_PASSPHRASE") != "":
		raw = []byte(c.env("OAUTHCTL_PASSPHRASE"))
	case c.env("OAUTHCTL_PASSPHRASE_FILE") != "":
		raw, err = readPrivate(c.path(c.env("OAUTHCTL_PASSPHRASE_FILE")))
	case c.env("OAUTHCTL_PASSPHRASE_FD") != "":
		raw, err = c.readDescriptor(c.env("OAUTHCTL_PASSPHRASE_FD"))
	default:
		return "", nil
	}
	if err != nil {
		return "", locked("read the passphrase: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if text == "" || len(text) > maxPassphrase {
		return "", locked("the passphrase that the environment names is empty, or longer than %d bytes", maxPassphrase)
	}
	return secret.Secret(text), nil
}

// readDescriptor reads a descriptor to its end, once in a run.
func (c *cli) readDescriptor(number string) ([]byte, error) {
	if c.fromFD != nil {
		return c.fromFD, nil
	}
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, errors.New("OAUTHCTL_PASSPHRASE_FD: want the number of an open descriptor, 3 or more")
	}
	f := os.NewFile(uintptr(fd), "OAUTHCTL_PASSPHRASE_FD")
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPassphrase+3))
	if err == nil {
		c.fromFD = raw
	}
	return raw, err
}

// canAskKey reports whether somebody is here to type a passphrase: by -input of
// the running command, or OAUTHCTL_INPUT where it has none.
func (c *cli) canAskKey() bool {
	if c.input != nil {
		return c.canAsk(c.input)
	}
	var in inputFlags
	_ = (*inputValue)(&in).Set(c.env("OAUTHCTL_INPUT")) // what is neither true nor false says nothing
	return c.canAsk(&in)
}

// unprotect opens a protected identity file: with the passphrase of the
// environment, or else with one that is asked for.
func (c *cli) unprotect(ctx context.Context, name, text string) (plain string, pass secret.Secret, err error) {
	pass, err = c.passphrase()
	switch {
	case err != nil:
		return "", "", err
	case pass != "":
		plain, err = seal.Unprotect(text, pass.Reveal())
		return plain, pass, wrongPassphrase(name, err)
	case !c.canAskKey():
		return "", "", state.WithAdvice(locked("%s is protected by a passphrase, and nobody can be asked here (no terminal, CI, or -input=false)", name),
			"set OAUTHCTL_PASSPHRASE or OAUTHCTL_PASSPHRASE_FILE, or run this on a terminal")
	}
	for range tries {
		answer, asked := c.console().Ask(ctx, "Passphrase of "+name, true)
		if asked != nil {
			return "", "", locked("ask for the passphrase of %s: %w", name, asked)
		}
		plain, err = seal.Unprotect(text, answer)
		if !errors.Is(err, seal.ErrWrongPassphrase) {
			return plain, secret.Secret(answer), wrongPassphrase(name, err)
		}
		fmt.Fprintln(c.Stderr, "The passphrase is wrong.")
	}
	return "", "", wrongPassphrase(name, err)
}

func wrongPassphrase(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, seal.ErrWrongPassphrase):
		return state.WithAdvice(locked("%s: %w", name, err), "try again with the right one; nobody can recover it, see: oauthctl key restore -help")
	}
	return locked("%s: %w", name, err)
}

// newPassphrase is the passphrase that something will be protected with: that
// of the environment, or one that is asked for twice.
func (c *cli) newPassphrase(ctx context.Context, what string) (secret.Secret, error) {
	pass, err := c.passphrase()
	if err != nil || pass != "" {
		return pass, err
	}
	if !c.canAskKey() {
		return "", advised("set OAUTHCTL_PASSPHRASE or OAUTHCTL_PASSPHRASE_FILE, or run this on a terminal",
			"nobody can be asked for a passphrase here (no terminal, CI, or -input=false)")
	}
	for range tries {
		first, err := c.console().Ask(ctx, "Passphrase for "+what, true)
		if err != nil {
			return "", err
		}
		again, err := c.console().Ask(ctx, "The same again", true)
		switch {
		case err != nil:
			return "", err
		case first == "":
			fmt.Fprintln(c.Stderr, "An empty passphrase protects nothing.")
		case first != again:
			fmt.Fprintln(c.Stderr, "They are not the same.")
		default:
			return secret.Secret(first), nil
		}
	}
	return "", errors.New("no passphrase was given twice alike, and nothing was changed")
}

// lockedKey is an error about a key that is there and does not open. It is
// [state.ErrNoKey], and leaves it to the store to say so.
type lockedKey struct{ error }

func (e lockedKey) Unwrap() error        { return e.error }
func (e lockedKey) Is(target error) bool { return target == state.ErrNoKey }

func locked(format string, args ...any) error { return lockedKey{fmt.Errorf(format, args...)} }

// once remembers what opening an identity gave: a person is asked once in a run.
func once(open func() ([]age.Identity, error)) func() ([]age.Identity, error) {
	var ids []age.Identity
	return func() (_ []age.Identity, err error) {
		if ids == nil {
			ids, err = open()
		}
		return ids, err
	}
}

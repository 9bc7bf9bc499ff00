package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

const (
	keyringPrefix   = "keyring:"
	keyringService  = "oauthctl"
	keyringDeadline = 3 * time.Second
)

// keyring is the keyring of the system, by the program that the system has for
// it. It holds identities by their recipients.
type keyring struct {
	name    string
	program string
	// The arguments. The value is never among them: it goes through stdin.
	get, set, remove func(account string) []string
	// stdin of set: the value, or a command line that holds it.
	input func(account, value string) string
	// absent reports whether a failed get means that there is no such entry.
	absent func(code int, stderr string) bool
}

// systemKeyring is the keyring of an operating system.
func systemKeyring(system string) (*keyring, bool) {
	switch system {
	case "darwin":
		find := func(verb string, more ...string) func(string) []string {
			return func(account string) []string {
				return append([]string{verb, "-s", keyringService, "-a", account}, more...)
			}
		}
		return &keyring{
			name: "the macOS keychain", program: "/usr/bin/security",
			get: find("find-generic-password", "-w"), remove: find("delete-generic-password"),
			set: func(string) []string { return []string{"-i"} },
			input: func(account, value string) string { // both are words of [a-zA-Z0-9-]
				return "add-generic-password -U -s " + keyringService + " -a " + account + " -w " + value + "\n"
			},
			absent: func(code int, _ string) bool { return code == 44 },
		}, true
	case "linux", "freebsd", "openbsd", "netbsd":
		attributes := func(verb ...string) func(string) []string {
			return func(account string) []string {
				return append(append([]string{}, verb...), "service", keyringService, "account", account)
			}
		}
		return &keyring{
			name: "the Secret Service keyring", program: "secret-tool",
			get: attributes("lookup"), remove: attributes("clear"), set: attributes("store", "--label=oauthctl identity"),
			input:  func(_, value string) string { return value },
			absent: func(code int, stderr string) bool { return code == 1 && strings.TrimSpace(stderr) == "" },
		}, true
	}
	return nil, false
}

// keyring is the keyring of this system, if it can be there at all.
func (c *cli) keyring() (*keyring, error) {
	k, ok := systemKeyring(runtime.GOOS)
	if !ok {
		return nil, advised("protect the identity with a passphrase instead: oauthctl key protect", "there is no keyring that this program can use on %s", runtime.GOOS)
	}
	if _, err := exec.LookPath(k.program); err != nil {
		do := "install it (Debian, Ubuntu: libsecret-tools), or protect the identity with a passphrase: oauthctl key protect"
		return nil, advised(do, "%s needs the program %s, which is not here", k.name, k.program)
	}
	if k.program == "secret-tool" && !c.sessionBus() {
		return nil, advised("log in to a desktop session, or start one for this command: dbus-run-session", "%s cannot be reached: there is no session bus", k.name)
	}
	return k, nil
}

// sessionBus reports whether there is a bus on which the keyring can be asked.
// Without one, every process would start its own.
func (a *App) sessionBus() bool {
	dir := a.env("XDG_RUNTIME_DIR")
	return a.env("DBUS_SESSION_BUS_ADDRESS") != "" || dir != "" && exists(filepath.Join(dir, "bus"))
}

// errNotInKeyring: the keyring answered, and has no such entry.
var errNotInKeyring = errors.New("it has no such entry")

// run starts the program of the keyring, and ends it at the deadline.
func (k *keyring) run(ctx context.Context, args []string, input string) ([]byte, error) {
	timed, cancel := context.WithTimeout(ctx, keyringDeadline)
	defer cancel()
	cmd := exec.CommandContext(timed, k.program, args...)
	cmd.Env = withoutOwn(os.Environ())
	cmd.WaitDelay = 100 * time.Millisecond
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case timed.Err() != nil:
		return nil, fmt.Errorf("no answer within %s: it may be locked, or wait for somebody", keyringDeadline)
	case errors.As(err, &exit) && k.absent(exit.ExitCode(), errs.String()):
		return nil, errNotInKeyring
	}
	// What the program says is not repeated: it may be the value.
	return nil, fmt.Errorf("%s: %w", filepath.Base(k.program), reasonOf(err))
}

// fetch is the identity that the keyring holds for a recipient.
func (k *keyring) fetch(ctx context.Context, recipient string) (secret.Secret, error) {
	out, err := k.run(ctx, k.get(recipient), "")
	if err == nil && len(bytes.TrimSpace(out)) == 0 {
		err = errNotInKeyring
	}
	return secret.Secret(out), err
}

// store puts an identity into the keyring and reads it back.
func (k *keyring) store(ctx context.Context, recipient string, value secret.Secret) error {
	if _, err := k.run(ctx, k.set(recipient), k.input(recipient, value.Reveal())); err != nil {
		return err
	}
	back, err := k.fetch(ctx, recipient)
	if err == nil && back != value {
		err = errors.New("it gave back something else than it was given")
	}
	return err
}

// fromKeyring is an identity that the keyring holds. It is asked when a state is
// sealed for this recipient; nothing else takes its place if it does not answer.
func (c *cli) fromKeyring(ctx context.Context, recipient string) age.Identity {
	return seal.Lazy(recipient, once(func() ([]age.Identity, error) {
		text, err := c.keyringText(ctx, recipient)
		if err != nil {
			return nil, err
		}
		return seal.ParseIdentities(text.Reveal())
	}))
}

func (c *cli) keyringText(ctx context.Context, recipient string) (secret.Secret, error) {
	k, err := c.keyring()
	if err != nil {
		return "", unreachable(err)
	}
	text, err := k.fetch(ctx, recipient)
	if err != nil {
		return "", keyringFailure(k, err)
	}
	return text, nil
}

func keyringFailure(k *keyring, err error) error {
	return state.WithAdvice(locked("the identity is in %s: %w", k.name, err),
		"unlock the keyring and try again, or put a backup in its place: oauthctl key restore -force FILE")
}

// unreachable is the error of a keyring that cannot be there, for one who needs
// the key in it.
func unreachable(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return locked("the identity is in a keyring: %w", err)
	}
	return state.WithAdvice(locked("the identity is in a keyring: %w", e.Err), e.Remedy)
}

// keyringPointer is what stands in the place of an identity that is in the keyring.
func keyringPointer(recipient string) []byte {
	return []byte("# The identity is in the keyring of this system, and not in this file.\n" + keyringPrefix + recipient + "\n")
}

// pointsToKeyring is the recipient that a pointer names.
func pointsToKeyring(text string) (recipient string, ok bool, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if recipient, ok = strings.CutPrefix(line, keyringPrefix); !ok {
			return "", false, nil
		}
		r, err := seal.ParseRecipient(recipient)
		if err != nil || !strings.HasPrefix(r.Name, "age1") {
			return "", true, errors.New("want keyring:age1…, with the public key of the identity")
		}
		return r.Name, true, nil
	}
	return "", false, nil
}

// keyFile reads the text of an identity: a file, or "keyring:age1…", which is
// its own text.
func keyFile(path string) (string, error) {
	if strings.HasPrefix(path, keyringPrefix) {
		return path, nil
	}
	text, err := readPrivate(path)
	return string(text), err
}

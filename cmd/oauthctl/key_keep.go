package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state/seal"
)

func (c *cli) keyProtectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "protect",
		Short: "Protect the key with a passphrase, or with another one",
		Long: "Encrypt the identity file with a passphrase, as age -p does. It is asked for on the terminal, or taken from " +
			"OAUTHCTL_PASSPHRASE or OAUTHCTL_PASSPHRASE_FILE. If the file has a passphrase, a new one is asked for after the old one.",
		Example: "oauthctl key protect",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			return c.keyProtect(cmd.Context())
		},
	}
}

func (c *cli) keyUnprotectCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "unprotect",
		Short:   "Take the passphrase off the key",
		Long:    "Write the identity file without its passphrase, so that nobody is asked any more. It stays a file that only you can read.",
		Example: "oauthctl key unprotect",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			return c.keyUnprotect(cmd.Context())
		},
	}
}

func (c *cli) keyMoveCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "move",
		Short: "Move the key into the keyring of the system, or out of it",
		Long: "Move the identity into the keyring of the system (the Secret Service on Linux, the keychain on macOS), or back into a file. " +
			"In the keyring's case the file stays as a pointer that holds no secret. If the keyring does not answer within three seconds, " +
			"commands that need the key end with 5; nothing weaker takes its place.",
		Example: "oauthctl key move -to=keyring\noauthctl key move -to=file",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			switch to {
			case "keyring":
				return c.keyToKeyring(cmd.Context())
			case "file":
				return c.keyToFile(cmd.Context())
			}
			return misused(cmd, "-to: want keyring or file")
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "where the key shall be: `PLACE` is keyring or file")
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions([]string{"keyring", "file"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ownKey is the identity in use, opened, if it is one that these commands may
// change: an age identity in a file of its own.
func (c *cli) ownKey(ctx context.Context) (*identity, error) {
	key, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	const do = "make one with: oauthctl init, or name one with -identity FILE"
	switch {
	case key.src.path == "":
		return nil, advised(do, "the identity comes from %s, and not from a file that can be changed", key.src.name)
	case strings.HasPrefix(key.src.path, keyringPrefix):
		return nil, advised("name the file that points to it, or leave the option out", "%s is no file", key.src.path)
	case key.src.borrowed || strings.HasPrefix(strings.TrimSpace(key.text), "-----BEGIN ") && !strings.Contains(key.text, "AGE ENCRYPTED FILE"):
		return nil, advised("use ssh-keygen -p for its passphrase; for a key of its own, run: oauthctl init", "%s is an SSH key, and stays as it is", key.src.path)
	}
	if real, err := filepath.EvalSymlinks(key.src.path); err == nil {
		key.src.path = real // a link to it stays one
	}
	return key, c.open(ctx, key)
}

func (c *cli) keyProtect(ctx context.Context) error {
	key, err := c.ownKey(ctx)
	if err != nil {
		return err
	}
	if key.keyring != "" {
		return advised("run first: oauthctl key move -to=file", "the identity is in the keyring, which guards it")
	}
	what := "the identity"
	if key.protected {
		if pass, err := c.passphrase(); err != nil || pass != "" {
			return errors.Join(err, advised("run this on a terminal, with no passphrase in the environment", "%s has a passphrase already", key.place()))
		}
		what = "the identity, a new one"
	}
	pass, err := c.newPassphrase(ctx, what)
	if err != nil {
		return err
	}
	text, err := c.protected(key.plain, pass)
	if err == nil {
		err = replaceFile(key.src.path, []byte(text))
	}
	if err != nil {
		return err
	}
	c.view.Note("%s opens with the passphrase only. Copies of the file from before, backups for instance, open without.", key.src.path)
	return nil
}

// protected is an identity with a passphrase that was proven to open it.
func (a *App) protected(plain, pass secret.Secret) (string, error) {
	text, err := seal.Protect(plain.Reveal(), pass.Reveal(), a.PassphraseCost)
	if err != nil {
		return "", err
	}
	back, err := seal.Unprotect(text, pass.Reveal())
	if err == nil && back != plain.Reveal() {
		err = errors.New("what was encrypted does not come back")
	}
	return text, err
}

func (c *cli) keyUnprotect(ctx context.Context) error {
	key, err := c.ownKey(ctx)
	if err != nil {
		return err
	}
	if !key.protected {
		return advised("see: oauthctl key show", "%s has no passphrase", key.src.path)
	}
	if err := replaceFile(key.src.path, []byte(key.plain.Reveal())); err != nil {
		return err
	}
	c.view.Note("%s opens without a passphrase.", key.src.path)
	return nil
}

// secretLine is the one line of an identity file that the keyring can hold.
func secretLine(plain secret.Secret) (line secret.Secret, recipient string, err error) {
	ids, err := seal.ParseIdentities(plain.Reveal())
	if err != nil {
		return "", "", err
	}
	for l := range strings.Lines(plain.Reveal()) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "AGE-SECRET-KEY-") {
			line = secret.Secret(l)
		}
	}
	if len(ids) != 1 || line == "" {
		return "", "", errors.New("the keyring takes one age identity, and there is something else in the file")
	}
	recipient, _ = seal.RecipientOf(ids[0])
	return line, recipient, nil
}

func (c *cli) keyToKeyring(ctx context.Context) error {
	key, err := c.ownKey(ctx)
	if err != nil {
		return err
	}
	if key.keyring != "" {
		c.view.Note("The identity is in the keyring already.")
		return nil
	}
	line, recipient, err := secretLine(key.plain)
	if err != nil {
		return fmt.Errorf("move %s: %w", key.src.path, err)
	}
	k, err := c.keyring()
	if err != nil {
		return err
	}
	if err := k.store(ctx, recipient, line); err != nil {
		return fmt.Errorf("move %s, which stays as it is: %w", key.src.path, keyringFailure(k, err))
	}
	if err := replaceFile(key.src.path, keyringPointer(recipient)); err != nil {
		return err
	}
	c.view.Note("The identity is in %s, under the name %s. %s only points there.", k.name, recipient, key.src.path)
	c.view.Note("Keep a backup elsewhere (oauthctl key backup FILE): a keyring goes with its machine.")
	return nil
}

func (c *cli) keyToFile(ctx context.Context) error {
	key, err := c.ownKey(ctx)
	if err != nil {
		return err
	}
	if key.keyring == "" {
		c.view.Note("The identity is in %s already.", key.src.path)
		return nil
	}
	text := "# public key: " + key.keyring + "\n" + strings.TrimSpace(key.plain.Reveal()) + "\n"
	if err := replaceFile(key.src.path, []byte(text)); err != nil {
		return err
	}
	c.view.Note("The identity is in %s, without a passphrase: see oauthctl key protect.", key.src.path)
	k, err := c.keyring()
	if err == nil {
		_, err = k.run(ctx, k.remove(key.keyring), "")
	}
	if err != nil {
		c.view.Note("It could not be removed from the keyring: %v", err)
	}
	return nil
}

// makeInKeyring makes an identity that never was in a file.
func (c *cli) makeInKeyring(ctx context.Context, path string) (recipient string, err error) {
	k, err := c.keyring()
	if err != nil {
		return "", err
	}
	text, recipient, err := newIdentity(c.Now())
	if err != nil {
		return "", err
	}
	line, _, err := secretLine(text)
	if err != nil {
		return "", err
	}
	if err := k.store(ctx, recipient, line); err != nil {
		return "", keyringFailure(k, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return recipient, writeNew(path, keyringPointer(recipient))
}

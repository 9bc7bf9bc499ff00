package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/state/seal"
)

func (c *cli) keyBackupCommand() *cobra.Command {
	var plain bool
	cmd := &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Write a copy of the key, with a passphrase",
		Long: "Write a copy of the identity to a new file of mode 0600, or to stdout if FILE is -. The copy has a passphrase: that of the identity, " +
			"if it has one, or one that is asked for or taken from OAUTHCTL_PASSPHRASE. With -no-passphrase it is the bare private key. " +
			"Whoever has it, and a copy of the state, has every token.",
		Example: "oauthctl key backup identity-backup.age\noauthctl key backup -no-passphrase - | lpr",
		Args:    exactArgs(1, "one file, or - for stdout"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.keyBackup(cmd.Context(), args[0], plain)
		},
	}
	cmd.Flags().BoolVar(&plain, "no-passphrase", false, "write the private key as it is")
	return cmd
}

func (c *cli) keyBackup(ctx context.Context, to string, plain bool) error {
	if to != "-" && exists(c.path(to)) {
		return advised("name another file", "%s exists, and is not overwritten", c.path(to))
	}
	key, err := c.find(ctx)
	if err != nil {
		return err
	}
	text := key.text
	if !key.protected || plain {
		if err := c.open(ctx, key); err != nil {
			return err
		}
		text = key.plain.Reveal()
	}
	if !key.protected && !plain {
		pass, err := c.newPassphrase(ctx, "the backup")
		if err != nil {
			return err
		}
		if text, err = c.protected(key.plain, pass); err != nil {
			return err
		}
	}
	if !strings.HasSuffix(text, "\n") && !strings.HasPrefix(text, "age-encryption.org/") {
		text += "\n"
	}
	if to == "-" {
		_, err := c.out.Write([]byte(text))
		return err
	}
	if err := writeNew(c.path(to), []byte(text)); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	c.view.Note("Wrote %s. To use it: oauthctl key restore FILE, or -identity FILE.", c.path(to))
	return nil
}

func (c *cli) keyRestoreCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup of the key in its place",
		Long: "Put a copy that key backup made, or any age identity, in the place of the identity, as it is: with its passphrase, if it has one. " +
			"An identity that is there already is overwritten by nothing; with -force it is kept beside the new one.",
		Example: "oauthctl key restore identity-backup.age",
		Args:    exactArgs(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.keyRestore(cmd.Context(), c.path(args[0]), force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "even if there is an identity, which is kept under another name")
	return cmd
}

func (c *cli) keyRestore(ctx context.Context, from string, force bool) error {
	path, err := c.identityFile()
	if err != nil {
		return err
	}
	if exists(path) && !force {
		return advised("compare it with: oauthctl key show; to replace it, give -force", "there is an identity in %s already", path)
	}
	text, err := readPrivate(from)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	plain := string(text)
	if seal.Protected(plain) {
		if plain, _, err = c.unprotect(ctx, from, plain); err != nil {
			return err
		}
	}
	ids, err := seal.ParseIdentities(plain)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if exists(path) {
		old, err := keepAside(path)
		if err != nil {
			return err
		}
		c.view.Note("The identity that was there is in %s.", old)
		err = replaceFile(path, text)
		if err != nil {
			return err
		}
	} else if err := writeNew(path, text); err != nil {
		return err
	}
	key := &identity{ids: ids}
	c.view.Note("The identity is in %s.", path)
	c.notePublic(strings.Join(key.recipients(), " "))
	return nil
}

// keepAside gives a file a second name that nothing has yet: it can be replaced
// then, and at every moment there is one under its own name.
func keepAside(path string) (string, error) {
	text, err := readPrivate(path)
	if err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		old := fmt.Sprintf("%s.old%d", path, i)
		if was, err := readPrivate(old); err == nil && string(was) == string(text) {
			return old, nil // kept by a run that was cut off
		}
		if err := writeNew(old, text); !errors.Is(err, fs.ErrExist) {
			return old, err
		}
	}
}

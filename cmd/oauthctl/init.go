package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) initCommand() *cobra.Command {
	var passphrase, keyring bool
	var input inputFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the key that opens the state",
		Long: "Make an age identity, the key that opens the state, if there is none, and tell git to leave the state alone. " +
			"It never overwrites anything, and no command needs it: apply does the same when it has to. " +
			"The identity is a file that only you can read; a passphrase or the keyring of the system guards it further.",
		Example: "oauthctl init\noauthctl init -passphrase",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view, c.input = c.newView(false, false), &input
			if passphrase && keyring {
				return misused(cmd, "-passphrase and -keyring contradict each other")
			}
			return c.initialise(cmd.Context(), passphrase, keyring)
		},
	}
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "protect the identity with a passphrase, asked for or from OAUTHCTL_PASSPHRASE")
	cmd.Flags().BoolVar(&keyring, "keyring", false, "keep the identity in the keyring of the system")
	input.register(cmd.Flags())
	return cmd
}

func (c *cli) initialise(ctx context.Context, passphrase, keyring bool) error {
	path, err := c.identityFile()
	if err != nil {
		return err
	}
	if exists(path) {
		if passphrase || keyring {
			return advised("run: oauthctl key protect, or: oauthctl key move -to=keyring", "there is an identity in %s already, and init changes nothing", path)
		}
		key, err := c.find(ctx)
		if err != nil && !errors.Is(err, state.ErrNoKey) {
			return err
		}
		c.view.Note("The identity is in %s already.", path)
		if err == nil { // else it is locked, and what was to be done here needs no key
			c.notePublic(strings.Join(key.recipients(), " "))
		}
		return c.ignoreState()
	}
	recipient, err := c.makeKept(ctx, path, passphrase, keyring)
	if err != nil {
		return err
	}
	c.view.Note("Made an identity in %s.", path)
	c.view.Note("Keep a copy in a safe place (oauthctl key backup FILE): without it the state cannot be opened, and every consent has to be given again.")
	c.notePublic(recipient)
	return c.ignoreState()
}

// makeKept makes an identity that is kept as it is wished.
func (c *cli) makeKept(ctx context.Context, path string, passphrase, keyring bool) (recipient string, err error) {
	var pass secret.Secret
	switch {
	case keyring:
		return c.makeInKeyring(ctx, path)
	case passphrase:
		if pass, err = c.newPassphrase(ctx, "the identity"); err != nil {
			return "", err
		}
	}
	return c.makeIdentity(path, pass)
}

func (c *cli) notePublic(recipient string) {
	c.view.Note("Its public half, for `encryption { recipients = […] }`: %s", recipient)
}

// gitIgnored is what does not belong into a repository. The state is encrypted,
// but it changes with every refresh.
var gitIgnored = []string{"/.oauthctl/", "/oauthctl.state*"}

// ignoreState adds the state to .gitignore if the directory is in a git work tree.
func (c *cli) ignoreState() error {
	if !inGit(c.path(".")) {
		return nil
	}
	file := c.path(".gitignore")
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		c.view.Note("%s is a symbolic link or no file, and stays as it is. It should hold: %s", file, strings.Join(gitIgnored, " "))
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var missing []string
	for _, line := range gitIgnored {
		if !hasLine(text, line) {
			missing = append(missing, line)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	text = append(text, strings.Join(missing, "\n")+"\n"...)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	c.view.Note("Added %s to %s.", strings.Join(missing, " and "), file)
	return nil
}

func hasLine(text []byte, line string) bool {
	for l := range strings.Lines(string(text)) {
		if strings.Trim(strings.TrimSpace(l), "/") == strings.Trim(line, "/") {
			return true
		}
	}
	return false
}

func inGit(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for {
		if exists(filepath.Join(dir, ".git")) {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

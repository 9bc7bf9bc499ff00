package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make the key that opens the state",
		Long: "Make an age identity, the key that opens the state, if there is none, and tell git to leave the state alone. " +
			"It never overwrites anything, and no command needs it: apply does the same when it has to.",
		Example: "oauthctl init",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(false, false)
			return c.initialise()
		},
	}
}

func (c *cli) initialise() error {
	path, err := c.identityFile()
	if err != nil {
		return err
	}
	recipient, err := makeIdentity(path, c.Now())
	switch {
	case errors.Is(err, fs.ErrExist):
		ids, err := c.ownRecipients()
		if err != nil {
			return err
		}
		c.view.Note("The identity is in %s already.", path)
		recipient = strings.Join(ids, " ")
	case err != nil:
		return err
	default:
		c.view.Note("Made an identity in %s.", path)
		c.view.Note("Keep a copy in a safe place: without it the state cannot be opened, and every consent has to be given again.")
	}
	c.view.Note("Its public half, for `encryption { recipients = […] }`: %s", recipient)
	return c.ignoreState()
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

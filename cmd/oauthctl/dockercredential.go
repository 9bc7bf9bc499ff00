package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) dockerCredentialCommand() *cobra.Command {
	var f helperFlags
	cmd := &cobra.Command{
		Use:   "docker-credential OPERATION [NAME]",
		Short: "Be a credential helper of docker",
		Long: "Answer docker's credential protocol with the access token of the connection whose hosts list the registry: exactly that host and port, " +
			"by https, or by http on this machine. The operation is get, list, store or erase. Nothing is stored here: docker login is not needed. " +
			"Under the name docker-credential-oauthctl the program is this helper.",
		Example: "ln -s \"$(command -v oauthctl)\" /usr/local/bin/docker-credential-oauthctl\necho registry.example:5000 | oauthctl docker-credential get",
		Args:    helperArguments("get", "list", "store", "erase"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.dockerCredential(cmd.Context(), args, &f)
		},
		ValidArgsFunction: c.completeHelper("get", "list", "store", "erase"),
	}
	f.register(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("connection", c.completeConnections)
	return cmd
}

// dockerCredential is one request of docker, which shows what a helper that
// fails has written on stdout.
func (c *cli) dockerCredential(ctx context.Context, args []string, f *helperFlags) error {
	c.older = f.older
	err := c.dockerRequest(ctx, args, f)
	var shown *shownError
	if err != nil && !errors.As(err, &shown) {
		_, _ = io.WriteString(&c.out, "oauthctl: "+strings.Join(strings.Fields(c.explained(readable(err)).Error()), " ")+"\n")
	}
	return err
}

func (c *cli) dockerRequest(ctx context.Context, args []string, f *helperFlags) error {
	switch args[0] {
	case "get":
		return c.dockerGet(ctx, args, f)
	case "list":
		return c.dockerList(ctx, args, f)
	case "store":
		return c.dockerStore(ctx, args, f)
	case "erase":
		return nil // nothing was stored
	}
	return fmt.Errorf("docker-credential has no operation %q", args[0])
}

func (c *cli) dockerGet(ctx context.Context, args []string, f *helperFlags) error {
	q, err := outlet.ReadDocker(c.Stdin)
	if err != nil {
		return fmt.Errorf("read what docker asks: %w", err)
	}
	if done, err := c.answerByAgent(ctx, f, args, q.Host, "docker-credential", f.username); done {
		return err
	}
	found := false
	err = c.withHelper(ctx, f, args, q.Host, func(e *engine.Engine, a addr.Addr) (bool, error) {
		if found = !a.IsZero(); !found {
			return true, nil
		}
		return c.answer(ctx, e, a, "docker-credential", f.username)
	})
	if err == nil && !found {
		_, err = io.WriteString(&c.out, outlet.DockerNotFound+"\n")
		return cmp.Or[error](err, &shownError{exitError})
	}
	return err
}

// dockerList says for which registries there is an answer.
func (c *cli) dockerList(ctx context.Context, args []string, f *helperFlags) error {
	named, err := f.named(args)
	if err != nil {
		return err
	}
	return c.withTokens(ctx, f.lockTimeout, func(_ *engine.Engine, store *state.Store) (bool, error) {
		records, err := c.helperRecords(ctx, store, named)
		if err != nil {
			return false, err
		}
		users := map[string]string{}
		for _, r := range records {
			for _, h := range r.Info.Hosts {
				users[h] = cmp.Or(f.username, outlet.DockerUser(r.Info.Preset))
			}
		}
		text, err := outlet.DockerList(users)
		if err == nil {
			_, err = io.WriteString(&c.out, text)
		}
		return true, err
	})
}

// dockerStore refuses what docker login wants to be kept, except for a registry
// that there is an answer for anyway.
func (c *cli) dockerStore(ctx context.Context, args []string, f *helperFlags) error {
	q, err := outlet.ReadDockerStored(c.Stdin)
	if err != nil {
		return fmt.Errorf("read what docker wants to store: %w", err)
	}
	found := false
	err = c.withHelper(ctx, f, args, q.Host, func(_ *engine.Engine, a addr.Addr) (bool, error) {
		found = !a.IsZero()
		return true, nil
	})
	if err == nil && !found {
		return advised("name another helper for it in credHelpers of docker's config.json", "oauthctl does not store credentials of docker login, and no connection has this registry among its hosts")
	}
	return err
}

// helperArguments wants an operation, and perhaps a connection.
func helperArguments(operations ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 || len(args) == 2 {
			return nil
		}
		return misused(cmd, "%s wants an operation (%s), and perhaps the name of a connection", cmd.CommandPath(), strings.Join(operations, ", "))
	}
}

// completeHelper completes an operation, and then a connection.
func (c *cli) completeHelper(operations ...string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return slices.Clone(operations), cobra.ShellCompDirectiveNoFileComp
		case 1:
			return c.completeConnections(cmd, args, word)
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

func (c *cli) gitCredentialCommand() *cobra.Command {
	var f helperFlags
	cmd := &cobra.Command{
		Use:   "git-credential OPERATION [NAME]",
		Short: "Be a credential helper of git",
		Long: "Answer git's credential protocol with the access token of the connection whose hosts list the server that git speaks to: exactly that host and port, " +
			"by https, or by http on this machine. For every other server it says nothing, so that git asks its other helpers. The operation is get, store or erase. " +
			"A token that git reports as refused (erase) is refreshed, if it is older than five minutes; store keeps nothing. " +
			"Under the name git-credential-oauthctl the program is this helper.",
		Example: "git config credential.https://git.example.com.helper '!oauthctl -chdir=/srv/oauth git-credential -connection=git'\n" +
			"printf 'protocol=https\\nhost=git.example.com\\n' | oauthctl git-credential get",
		Args: helperArguments("get", "store", "erase"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.gitCredential(cmd.Context(), args, &f)
		},
		ValidArgsFunction: c.completeHelper("get", "store", "erase"),
	}
	f.register(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("connection", c.completeConnections)
	return cmd
}

// gitCredential is one request of git. Operations that it does not know are
// ignored, as the protocol wants it.
func (c *cli) gitCredential(ctx context.Context, args []string, f *helperFlags) error {
	c.older = f.older
	q, err := outlet.ReadGit(c.Stdin)
	if err != nil {
		return fmt.Errorf("read what git asks: %w", err)
	}
	switch args[0] {
	case "get":
		user := cmp.Or(f.username, q.User)
		if done, err := c.answerByAgent(ctx, f, args, q.Host, "git-credential", user); done {
			return err
		}
		return c.withHelper(ctx, f, args, q.Host, func(e *engine.Engine, a addr.Addr) (bool, error) {
			if a.IsZero() {
				return true, nil
			}
			return c.answer(ctx, e, a, "git-credential", user)
		})
	case "erase":
		return c.withHelper(ctx, f, args, q.Host, func(e *engine.Engine, a addr.Addr) (bool, error) {
			if a.IsZero() {
				return true, nil
			}
			_, err := e.Refused(ctx, a, q.Password)
			return false, err
		})
	}
	return nil
}

// answer hands the token of a connection to a program, in its format.
func (c *cli) answer(ctx context.Context, e *engine.Engine, a addr.Addr, format, user string) (read bool, err error) {
	t, err := c.handOut(ctx, e, a, engine.TokenOptions{})
	if err != nil {
		return false, err
	}
	return !t.Refreshed && t.Warning == "", c.handOver(t, format, user)
}

func (c *cli) handOver(t *engine.Token, format, user string) error {
	f, _ := outlet.Named(format)
	if err := f.Write(&c.out, t, c.outletOptions(user)); err != nil {
		return fmt.Errorf("hand out the token of %s: %w", t.Addr, err)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/providers"
)

// maxExplained is how much of stdin explain reads.
const maxExplained = 64 << 10

func (c *cli) explainCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "explain CODE_OR_MESSAGE",
		Short: "Explain an error of a server",
		Long: "Explain an error of an authorization server: what it means, where it comes from, what to do about it, " +
			"and who is needed for that. The argument is a code (\"invalid_grant\", \"AADSTS65001\", \"65001\") or a whole message: " +
			"a sentence, a JSON body, the URL that the browser ended at. \"-\" reads it from the standard input. Nothing is sent anywhere.\n\n" +
			"A code that is not known is an error (exit code 1), with codes that are spelt like it.",
		Example: "oauthctl explain AADSTS65001",
		Args: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(strings.Join(args, " ")) == "" {
				return misused(cmd, "%s wants a code or a message", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			if text == "-" {
				b, err := io.ReadAll(io.LimitReader(c.Stdin, maxExplained))
				if err != nil {
					return fmt.Errorf("read the message from the standard input: %w", err)
				}
				text = string(b)
			}
			c.view = c.newView(json, false)
			return c.explain(text)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return errorCodes(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	jsonFlag(cmd, &json)
	cmd.AddCommand(c.explainScopeCommand())
	return cmd
}

// explain shows what is known of the codes in a message.
func (c *cli) explain(text string) error {
	found, unknown := providers.FindErrors(text)
	if len(found)+len(unknown) == 0 {
		return errors.New("no code of an error stands in the message; a code looks like invalid_grant or AADSTS65001")
	}
	c.view.KnownErrors(found, unknown)
	if len(found) == 0 {
		return &shownError{exitError}
	}
	return nil
}

func errorCodes() []string {
	var codes []string
	for _, e := range providers.Errors() {
		codes = append(codes, e.Code)
	}
	return codes
}

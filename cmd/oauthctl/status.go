package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) statusCommand() *cobra.Command {
	var json bool
	var warn warnFlag
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what expires when, and what needs a person",
		Long: "Show every connection of the state: what expires when, and what needs a person. " +
			"It needs no key, no configuration and no network, so that monitoring can run it anywhere. " +
			"With -warn, the exit code is 3 if a connection needs a person now, and else 2 if the consent of one ends within the time given.",
		Example: "oauthctl status -json\noauthctl status -warn=14d",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(json, false)
			return c.status(cmd.Context(), time.Duration(warn))
		},
	}
	jsonFlag(cmd, &json)
	cmd.Flags().Var(&warn, "warn", "exit with 2 if a consent ends within `DURATION`, such as 7d, and with 3 if one has ended")
	return cmd
}

func (c *cli) status(ctx context.Context, warn time.Duration) error {
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	rows, err := summaries(ctx, store)
	if err != nil {
		return err
	}
	c.view.Status(rows, store.Location(), warn, c.waiting(ctx, store, c.opened))
	if warn == 0 {
		return nil
	}
	ended, ending := view.Due(rows, c.Now(), warn)
	switch {
	case len(ended) > 0:
		return &shownError{exitNeedsPerson}
	case len(ending) > 0:
		return &shownError{exitChanges}
	}
	return nil
}

// warnFlag is a duration as in the configuration, with days.
type warnFlag time.Duration

func (f *warnFlag) String() string { return schema.FormatDuration(time.Duration(*f)) }
func (f *warnFlag) Type() string   { return "DURATION" }

func (f *warnFlag) Set(s string) error {
	d, err := schema.ParseDuration(s)
	if err != nil || d == 0 {
		return errors.New("want a duration such as 7d or 12h")
	}
	*f = warnFlag(d)
	return nil
}

// summaries are what is readable without a key; an absent state has none.
func summaries(ctx context.Context, store *state.Store) ([]state.Summary, error) {
	rows, err := readRows(ctx, store)
	if errors.Is(err, state.ErrNoState) {
		err = nil
	}
	return rows, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

// rewrap is a change of whom the state is encrypted for; nil is none.
type rewrap struct {
	plan.Recipients
	want []string
}

// checkRecipients reads encryption { recipients = … }.
func checkRecipients(cfg *schema.Config) ([]seal.Recipient, hcl.Diagnostics) {
	if len(cfg.Settings.Recipients) == 0 {
		return nil, nil
	}
	parsed, err := seal.ParseRecipients(cfg.Settings.Recipients)
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Subject: &cfg.Settings.Range, Summary: "Invalid recipient", Detail: err.Error() + "."}}
	}
	return parsed, nil
}

// rewrap compares whom the state is encrypted for with what the configuration
// says. A configuration that says nothing changes nothing.
func (s *session) rewrap(ctx context.Context) (*rewrap, error) {
	if len(s.cfg.Settings.Recipients) == 0 {
		return nil, nil
	}
	have, err := s.store.Recipients(ctx)
	if errors.Is(err, state.ErrNoState) {
		return nil, nil // it will be made for them
	}
	if err != nil {
		return nil, err
	}
	parsed, err := seal.ParseRecipients(s.cfg.Settings.Recipients)
	if err != nil {
		return nil, err
	}
	r := &rewrap{}
	for _, p := range parsed {
		r.want = append(r.want, p.Name)
		if !slices.Contains(have, p.Name) {
			r.Added = append(r.Added, p.Name)
		}
	}
	for _, h := range have {
		if !slices.Contains(r.want, h) {
			r.Removed = append(r.Removed, h)
		}
	}
	if r.Empty() {
		return nil, nil
	}
	if len(r.Removed) > 0 {
		rows, err := readRows(ctx, s.store)
		if err != nil {
			return nil, err
		}
		r.Resealed = len(rows)
	}
	return r, s.c.lockedOut(ctx, r.want)
}

// lockedOut is an error if none of our own identities could open the state any more.
func (c *cli) lockedOut(ctx context.Context, recipients []string) error {
	own, err := c.ownRecipients(ctx)
	if err != nil {
		return err
	}
	want, err := seal.ParseRecipients(recipients)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(want, func(r seal.Recipient) bool { return slices.Contains(own, r.Name) }) {
		return nil
	}
	return fmt.Errorf("encryption.recipients leaves you out: nothing could read what you are about to write; add %s", strings.Join(own, " or "))
}

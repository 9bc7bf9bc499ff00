package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/state"
)

// checkNarrow refuses scopes that the connection does not have (RFC 6749 §6: a
// refresh can ask for fewer, and not for others).
func checkNarrow(r *state.Record, scopes []string) error {
	for _, s := range scopes {
		if slices.Contains(r.Info.Granted, s) || slices.Contains(r.Info.Requested, s) {
			continue
		}
		return &Error{
			Class: ClassError, Addr: r.Addr, Doing: "narrow the token of " + r.Addr.String(),
			Err:    fmt.Errorf("the connection does not have the scope %s; it has %s", grant.Clean(s), cleanList(r.Info.Granted)),
			Remedy: "ask for some of those, or add the scope to the configuration and " + applyCommand(r.Addr),
		}
	}
	return nil
}

func cleanList(list []string) string {
	if len(list) == 0 {
		return "none that is known"
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = grant.Clean(s)
	}
	return strings.Join(out, ", ")
}

// narrowed ends a refresh that asked for fewer scopes. The narrow token is not
// kept. A refresh token that came with it is: it is for all scopes of the grant
// (RFC 6749 §6), and the old one may be spent.
func (e *Engine) narrowed(ctx context.Context, w *renewal, sent, got *state.Record) (*renewedToken, error) {
	kept := clone(sent)
	kept.Tokens.RefreshToken = got.Tokens.RefreshToken
	if !renewsItself(kept) {
		kept.RefreshExpiresAt = got.RefreshExpiresAt
	}
	kept.Status, kept.Info.Intent, kept.Info.Reject = got.Status, nil, nil
	if err := e.saveRenewed(ctx, w, sent, kept); err != nil {
		return nil, err
	}
	if more := grant.Beyond(got.Info.Granted, w.scopes); len(more) > 0 {
		return nil, &Error{
			Class: ClassError, Addr: w.addr, Doing: "narrow the token of " + w.addr.String(),
			Err:    errors.New("the server does not narrow tokens: asked for less, it granted " + cleanList(more) + " too"),
			Remedy: "declare a connection with fewer scopes for this use",
		}
	}
	return &renewedToken{record: got, refreshed: true}, nil
}

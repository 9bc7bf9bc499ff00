package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// feeds reports whether the next renewal of a record presents tokens of other connections.
func feeds(r *state.Record) bool { return asksAgain(r) && len(r.Info.Exchange.Feeders()) > 0 }

// fedAlike: what feeds a record is what fed it when it was looked at first.
func fedAlike(a, b *state.Record) bool {
	return !feeds(b) || feeds(a) && a.Info.Exchange.Subject == b.Info.Exchange.Subject && a.Info.Exchange.Actor == b.Info.Exchange.Actor
}

// feed gets the tokens of the connections that feed a record, each renewed first
// if it is due. The record is not locked meanwhile: what it waits for may take
// long, and may itself wait for others.
func (e *Engine) feed(ctx context.Context, w *renewal, r *state.Record) error {
	w.fed = grant.Fed{}
	if !feeds(r) {
		return nil
	}
	if err := notInCircle(w); err != nil {
		return err
	}
	for _, s := range []struct {
		from state.Source
		into *secret.Secret
	}{{r.Info.Exchange.Subject, &w.fed.Subject}, {r.Info.Exchange.Actor, &w.fed.Actor}} {
		if s.from.Connection == "" {
			continue
		}
		token, err := e.fetch(ctx, w, s.from)
		if err != nil {
			return err
		}
		*s.into = token
	}
	return nil
}

// notInCircle refuses connections that wait for themselves.
func notInCircle(w *renewal) error {
	if !slices.Contains(w.path, w.addr) {
		return nil
	}
	var names []string
	for _, a := range append(w.path[slices.Index(w.path, w.addr):], w.addr) {
		names = append(names, a.String())
	}
	return &Error{Class: ClassError, Addr: w.addr, Doing: w.doing(), Remedy: "let one of them present another token, and run oauthctl apply",
		Err: fmt.Errorf("connections feed each other in a circle: %s", strings.Join(names, " waits for "))}
}

// idTokenMargin is how long an ID token that is presented has to live on.
const idTokenMargin = 30 * time.Second

// fetch gets the token of a connection that feeds another.
func (e *Engine) fetch(ctx context.Context, w *renewal, from state.Source) (secret.Secret, error) {
	of, err := addr.Parse(from.Connection)
	if err != nil {
		return "", &Error{Class: ClassState, Addr: w.addr, Doing: w.doing(), Err: fmt.Errorf("what feeds it has no address: %w", err), Remedy: applyCommand(w.addr)}
	}
	up := renewal{addr: of, operation: w.operation, slot: w.slot, path: append(slices.Clip(w.path), w.addr)}
	out, err := e.renew(ctx, up)
	if err != nil {
		return "", fedBy(w, of, err)
	}
	token := tokenOf(out.record, from.Attribute)
	if from.Attribute == "id_token" && e.ended(token) { // it ends on its own, and comes anew with a refresh
		up.force = true
		if out, err = e.renew(ctx, up); err != nil {
			return "", fedBy(w, of, err)
		}
		if token = tokenOf(out.record, from.Attribute); e.ended(token) {
			return "", &Error{Class: ClassNeedsUser, Addr: w.addr, Doing: w.doing(), Remedy: "present its access_token instead, or " + replaceCommand(of),
				Err: fmt.Errorf("the ID token of %s, which feeds it, has ended, and a refresh brings no other", of)}
		}
	}
	if token.Empty() {
		return "", &Error{Class: ClassError, Addr: w.addr, Doing: w.doing(), Remedy: "present another token of it, and " + applyCommand(w.addr),
			Err: fmt.Errorf("%s, which feeds it, has no %s", of, from.Attribute)}
	}
	return token, nil
}

func (e *Engine) ended(token secret.Secret) bool {
	ends := grant.Ends(token)
	return !ends.IsZero() && !e.now().Add(idTokenMargin).Before(ends)
}

func tokenOf(r *state.Record, attribute string) secret.Secret {
	switch attribute {
	case "access_token":
		return r.Tokens.AccessToken
	case "refresh_token":
		return r.Tokens.RefreshToken
	case "id_token":
		return r.Tokens.IDToken
	}
	return ""
}

// fedBy says that it is another connection that has to be seen to. The class
// stays: a person who is needed there is needed for this one.
func fedBy(w *renewal, of addr.Addr, err error) error {
	var up *Error
	if !errors.As(err, &up) {
		return err
	}
	out := &Error{Class: up.Class, Addr: w.addr, Doing: w.doing(), Remedy: up.Remedy}
	if errors.Is(err, state.ErrNotFound) {
		out.Err, out.Remedy = fmt.Errorf("%s, which feeds it, is not in the state: %w", of, state.ErrNotFound), applyCommand(w.addr)
		return out
	}
	out.Err = fmt.Errorf("%s, which feeds it, gives no token: %w", of, err)
	return out
}

// fedFailure completes the failure of a renewal that presented the token of
// another connection: that is where a person, or a new token, is needed.
func (e *Engine) fedFailure(w *renewal, r *state.Record, g *grant.Error, failed error) error {
	var out *Error
	if !feeds(r) || g.Outcome != grant.Answered || !errors.As(failed, &out) {
		return failed
	}
	of, err := addr.Parse(r.Info.Exchange.Feeders()[0])
	if err != nil {
		return failed
	}
	again := *out
	switch {
	case g.Kind == grant.NeedsUser:
		again.Remedy = "the owner of the token has to sign in again: " + replaceCommand(of)
	case g.Kind == grant.Config && (g.Code == "invalid_grant" || g.Code == "invalid_request"):
		again.Remedy = "if the server does not take the token of " + of.String() + " any more, renew it: oauthctl refresh " + quote(of.String())
	}
	return &again
}

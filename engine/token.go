package engine

import (
	"context"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Token is an access token to hand out.
type Token struct {
	Addr        addr.Addr
	AccessToken secret.Secret
	TokenType   string
	ExpiresAt   time.Time // zero: unknown
	Scopes      []string
	Refreshed   bool
	Warning     string // a refresh that failed while the old token is still valid
}

// TokenOptions of Token.
type TokenOptions struct {
	MinTTL       time.Duration
	ForceRefresh bool
}

// Token returns a valid access token, refreshing it when it is due, exactly
// once however many callers ask. Errors: see Error.
func (e *Engine) Token(ctx context.Context, a addr.Addr, o TokenOptions) (*Token, error) {
	out, err := e.renew(ctx, renewal{addr: a, force: o.ForceRefresh, minTTL: o.MinTTL, operation: "refresh"})
	if err != nil {
		return nil, err
	}
	r := out.record
	return &Token{
		Addr: a, AccessToken: r.Tokens.AccessToken, TokenType: r.Tokens.TokenType, ExpiresAt: r.ExpiresAt,
		Scopes: r.Info.Granted, Refreshed: out.refreshed, Warning: out.warning,
	}, nil
}

// defaultMargin is the refresh_before of a connection that does not set it.
const defaultMargin = 5 * time.Minute

// margin is how long before its end a token counts as expired. It never takes
// more than half of a token's life, or a short-lived token would be due at once.
func margin(r *state.Record) time.Duration {
	m, limit := r.Info.RefreshBefore, time.Duration(0)
	if life := r.ExpiresAt.Sub(r.Info.ReceivedAt); !r.Info.ReceivedAt.IsZero() {
		limit = life / 2
		if m == 0 {
			limit = life / 10
		}
	}
	if m == 0 {
		m = defaultMargin
	}
	if limit > 0 {
		m = min(m, limit)
	}
	return m
}

// fresh: valid beyond the margin, and beyond what the caller asks for.
func fresh(r *state.Record, now time.Time, minTTL time.Duration) bool {
	if r.Tokens.AccessToken.Empty() {
		return false
	}
	return r.ExpiresAt.IsZero() || now.Add(max(margin(r), minTTL)).Before(r.ExpiresAt)
}

// usable: still valid, if only for a moment.
func usable(r *state.Record, now time.Time) bool {
	return !r.Tokens.AccessToken.Empty() && (r.ExpiresAt.IsZero() || now.Before(r.ExpiresAt))
}

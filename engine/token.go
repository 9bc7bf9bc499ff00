package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/schema"
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
	ReceivedAt  time.Time // zero: unknown
	Scopes      []string
	Account     string   // whose it is; "": unknown
	Hosts       []string // that helpers may hand it to
	Preset      string   // of its server; "": one of the user's own
	Refreshed   bool
	Warning     string // why the token is an old one, or does not live as long as was asked
}

// TokenOptions of Token.
type TokenOptions struct {
	MinTTL       time.Duration // refresh a token that does not live so long any more
	ForceRefresh bool          // refresh a token that is valid
	Scopes       []string      // a token for these alone, which is not kept; nil: the connection's own
}

// Token returns a valid access token, refreshing it when it is due, exactly
// once however many callers ask. If it is due only because of the connection's
// refresh_before and cannot be refreshed, it is still served, with a warning;
// with ForceRefresh, or below MinTTL, the old token is no answer, and the error
// says why there is no new one. Errors: see Error.
func (e *Engine) Token(ctx context.Context, a addr.Addr, o TokenOptions) (*Token, error) {
	w := renewal{addr: a, force: o.ForceRefresh, minTTL: o.MinTTL, operation: "refresh"}
	if len(o.Scopes) > 0 {
		w.force, w.narrow, w.scopes = true, true, o.Scopes
	}
	out, err := e.renew(ctx, w)
	if err != nil {
		return nil, err
	}
	r := out.record
	if left := r.ExpiresAt.Sub(e.now()); out.refreshed && out.warning == "" && !r.ExpiresAt.IsZero() && left < o.MinTTL {
		out.warning = fmt.Sprintf("the server's new token is valid for %s, less than the %s that were asked for",
			schema.FormatDuration(left.Round(time.Second)), schema.FormatDuration(o.MinTTL))
	}
	return &Token{
		Addr: a, AccessToken: r.Tokens.AccessToken, TokenType: r.Tokens.TokenType, ExpiresAt: r.ExpiresAt, ReceivedAt: r.Info.ReceivedAt,
		Scopes: r.Info.Granted, Account: r.Info.Account, Hosts: r.Info.Hosts, Preset: r.Info.Preset, Refreshed: out.refreshed, Warning: out.warning,
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

// early is how much sooner than the margin demands the token of a connection is
// refreshed: between nothing and once more the margin. The moment is drawn from
// the connection and the token, so that all processes agree about it, and
// connections that were made together do not fall due together.
func (e *Engine) early(r *state.Record, m time.Duration) time.Duration {
	life := r.ExpiresAt.Sub(r.Info.ReceivedAt)
	if r.Info.ReceivedAt.IsZero() || life <= 0 {
		return 0 // a token of an unknown age: the margin will do
	}
	room := min(m, life/2-m) // never sooner than in the middle of its life
	if room <= 0 {
		return 0
	}
	seed := fmt.Appendf(nil, "refresh\x00%s\x00%s\x00%d", e.o.Store.KnownLineage(), r.Addr, r.Info.ReceivedAt.UnixNano())
	sum := sha256.Sum256(seed)
	part := binary.BigEndian.Uint64(sum[:8]) >> 33 // 31 bits
	return time.Duration(float64(room) * float64(part) / (1 << 31))
}

// fresh: valid beyond the margin, drawn as early says, and beyond what the caller asks for.
func (e *Engine) fresh(r *state.Record, now time.Time, minTTL time.Duration) bool {
	return !r.Tokens.AccessToken.Empty() && e.lasts(r, now, minTTL)
}

// lasts is fresh of a record whose tokens nobody has opened.
func (e *Engine) lasts(r *state.Record, now time.Time, minTTL time.Duration) bool {
	m := margin(r)
	left := r.ExpiresAt.Sub(now)
	return r.ExpiresAt.IsZero() || left > max(2*m, minTTL) || left > max(m, minTTL) && left > m+e.early(r, m)
}

// usable: still valid, if only for a moment.
func usable(r *state.Record, now time.Time) bool {
	return !r.Tokens.AccessToken.Empty() && (r.ExpiresAt.IsZero() || now.Before(r.ExpiresAt))
}

package engine

import (
	"cmp"
	"maps"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// newRecord is the record of a grant that was just given.
func newRecord(c *grant.Client, g *grant.Grant, now time.Time) *state.Record {
	at := received(g, now)
	r := &state.Record{
		Summary: state.Summary{
			Addr: c.Addr, Status: state.StatusOK, UpdatedAt: now,
			ExpiresAt: g.ExpiresAt, RefreshExpiresAt: g.RefreshExpiresAt,
		},
		Info: &state.Info{
			Way: string(c.Settings.Way), Granted: g.Granted, Account: g.Account, Subject: g.Subject,
			AuthorizedAt: at, RefreshedAt: at, ReceivedAt: at,
		},
		Tokens: &state.Tokens{},
	}
	*r.Tokens = g.Tokens
	return r
}

func received(g *grant.Grant, now time.Time) time.Time {
	if g.ReceivedAt.IsZero() {
		return now
	}
	return g.ReceivedAt
}

// settle lays what the configuration says over a record: everything that a
// later refresh needs, and what the next plan will compare.
func settle(r *state.Record, c *grant.Client, prints map[string]string) {
	life := c.Lifetimes()
	i := r.Info
	moveEnd(r, life.Refresh)
	i.Preset = c.Preset.Base
	i.Provider, i.Title, i.Grant = c.Conn.Provider, title(c), c.Settings.Type
	i.Client = mergeClient(i.Client, c.StateClient())
	i.Requested, i.RedirectURI, i.Fingerprint = c.Scopes, c.Settings.RedirectURI, prints
	i.Hosts = c.Conn.Hosts
	i.Access, i.Refresh, i.RefreshBefore = life.Access, life.Refresh, life.RefreshBefore
	i.DependsOn = nil
	for _, a := range c.Conn.DependsOn {
		i.DependsOn = append(i.DependsOn, a.String())
	}
	r.Provider = c.Conn.Provider
	i.Exchange = c.Exchange()
	c.Keep(r.Tokens)
	settleEnds(r)
}

// moveEnd computes the end of a refresh token again if it was computed from the
// lifetime that was configured so far. What the server said stays.
func moveEnd(r *state.Record, life time.Duration) {
	i := r.Info
	if i.Refresh == life || i.Refresh == 0 || r.RefreshExpiresAt.IsZero() {
		return
	}
	from := r.RefreshExpiresAt.Add(-i.Refresh)
	if from.Sub(i.AuthorizedAt).Abs() > time.Second && from.Sub(i.ReceivedAt).Abs() > time.Second {
		return
	}
	r.RefreshExpiresAt = time.Time{}
	if life > 0 {
		r.RefreshExpiresAt = from.Add(life)
	}
}

// mergeClient keeps what discovery found where the configuration leaves it open.
func mergeClient(old, now state.Client) state.Client {
	open := now.TokenEndpoint == "" || now.RevocationEndpoint == "" || now.JWKSURI == ""
	now.Issuer = cmp.Or(now.Issuer, old.Issuer)
	now.TokenEndpoint = cmp.Or(now.TokenEndpoint, old.TokenEndpoint)
	now.RefreshEndpoint = cmp.Or(now.RefreshEndpoint, old.RefreshEndpoint)
	now.RevocationEndpoint = cmp.Or(now.RevocationEndpoint, old.RevocationEndpoint)
	now.IntrospectionEndpoint = cmp.Or(now.IntrospectionEndpoint, old.IntrospectionEndpoint)
	now.JWKSURI = cmp.Or(now.JWKSURI, old.JWKSURI)
	now.Auth = cmp.Or(now.Auth, old.Auth)
	now.Guarded = now.Guarded || old.Guarded && open
	if now.Auth == old.Auth {
		now.AssertionAlgorithm = cmp.Or(now.AssertionAlgorithm, old.AssertionAlgorithm)
	}
	return now
}

// settleEnds fills the ends that the server did not say from the configured
// lifetimes. Without a refresh token, a new consent is due when the access
// token ends.
func settleEnds(r *state.Record) {
	i := r.Info
	if r.ExpiresAt.IsZero() && i.Access > 0 && !i.ReceivedAt.IsZero() {
		r.ExpiresAt = i.ReceivedAt.Add(i.Access)
	}
	switch {
	case renewsItself(r):
		r.RefreshExpiresAt = time.Time{}
	case r.Tokens.RefreshToken.Empty():
		r.RefreshExpiresAt = r.ExpiresAt
	case r.RefreshExpiresAt.IsZero() && i.Refresh > 0 && !i.AuthorizedAt.IsZero():
		r.RefreshExpiresAt = i.AuthorizedAt.Add(i.Refresh)
	}
}

// renewsItself: a grant that needs neither a refresh token nor a person to be asked for again.
func renewsItself(r *state.Record) bool {
	return r.Info != nil && (r.Info.Grant == "client_credentials" || r.Info.Exchange != nil)
}

// asksAgain: the next renewal asks for such a grant again, and spends nothing.
func asksAgain(r *state.Record) bool {
	return renewsItself(r) && (r.Info.Exchange == nil || r.Tokens.RefreshToken.Empty())
}

// canRenew: a new access token can be had without a person.
func canRenew(r *state.Record) bool { return renewsItself(r) || !r.Tokens.RefreshToken.Empty() }

// renewed is a copy of a record with the answer of a refresh in it. What the
// answer leaves out stays (RFC 6749 §6: a new refresh token is optional).
func renewed(r *state.Record, g *grant.Grant, now time.Time) *state.Record {
	out := clone(r)
	t, old := &g.Tokens, r.Tokens
	rotated := !t.RefreshToken.Empty() && !t.RefreshToken.Equal(old.RefreshToken)
	out.Tokens.AccessToken = t.AccessToken
	out.Tokens.RefreshToken = cmp.Or(t.RefreshToken, old.RefreshToken)
	out.Tokens.IDToken = cmp.Or(t.IDToken, old.IDToken)
	out.Tokens.TokenType = cmp.Or(t.TokenType, old.TokenType)
	if len(t.Extra) > 0 {
		if out.Tokens.Extra == nil {
			out.Tokens.Extra = map[string]secret.Secret{}
		}
		maps.Copy(out.Tokens.Extra, t.Extra)
	}
	i := out.Info
	i.RefreshedAt, i.ReceivedAt = now, received(g, now)
	if len(g.Granted) > 0 {
		i.Granted = g.Granted
	}
	i.Account, i.Subject = cmp.Or(g.Account, i.Account), cmp.Or(g.Subject, i.Subject)
	i.Intent, i.Reject = nil, nil
	out.Status, out.ExpiresAt = state.StatusOK, g.ExpiresAt
	switch {
	case !g.RefreshExpiresAt.IsZero():
		out.RefreshExpiresAt = g.RefreshExpiresAt
	case rotated && i.Refresh > 0 && !i.Client.RefreshFixed:
		out.RefreshExpiresAt = i.ReceivedAt.Add(i.Refresh)
	}
	settleEnds(out)
	return out
}

// onto lays the answer of a refresh over a record, whose settings stay.
func onto(r, answer *state.Record) *state.Record {
	out := clone(r)
	t, own := out.Tokens, r.Tokens
	*t = *answer.Tokens
	t.ClientSecret, t.ClientKey, t.GrantKey = own.ClientSecret, own.ClientKey, own.GrantKey
	t.SubjectToken, t.ActorToken = own.SubjectToken, own.ActorToken
	i, from := out.Info, answer.Info
	i.Granted, i.Account, i.Subject = from.Granted, from.Account, from.Subject
	i.RefreshedAt, i.ReceivedAt = from.RefreshedAt, from.ReceivedAt
	i.Intent, i.Reject = nil, nil
	out.Status, out.ExpiresAt, out.RefreshExpiresAt = state.StatusOK, answer.ExpiresAt, answer.RefreshExpiresAt
	return out
}

// clone copies a record so far that its parts can be changed.
func clone(r *state.Record) *state.Record {
	out := *r
	if r.Info != nil {
		i := *r.Info
		out.Info = &i
	}
	if r.Tokens != nil {
		t := *r.Tokens
		t.Extra = maps.Clone(t.Extra)
		out.Tokens = &t
	}
	return &out
}

package engine

import (
	"context"
	"errors"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Known gives the attributes of connections as the state has them now, tokens
// included, and reads of it only what is asked for. problem says afterwards what kept
// it from reading.
func (e *Engine) Known(ctx context.Context) (known schema.Known, problem func() error) {
	var failed error
	seen := map[addr.Addr]cty.Value{}
	known = func(a addr.Addr) (cty.Value, bool) {
		v, ok := seen[a]
		if ok || failed != nil {
			return v, ok && v != cty.NilVal
		}
		rec, err := e.o.Store.Get(ctx, a, state.PartAll)
		switch {
		case err == nil:
			v = attributes(rec)
		case !errors.Is(err, state.ErrNotFound) && !errors.Is(err, state.ErrNoState):
			failed = e.failure("read the state", addr.Addr{}, err)
			return cty.NilVal, false
		}
		seen[a] = v
		return v, v != cty.NilVal
	}
	return known, func() error { return failed }
}

// attributes is a record as expressions see it. Tokens that were not opened are unknown.
func attributes(r *state.Record) cty.Value {
	v := map[string]cty.Value{
		"access_token":       cty.UnknownVal(cty.String).Mark(schema.Sensitive),
		"refresh_token":      cty.UnknownVal(cty.String).Mark(schema.Sensitive),
		"id_token":           cty.UnknownVal(cty.String).Mark(schema.Sensitive),
		"token_type":         cty.UnknownVal(cty.String),
		"extra":              cty.UnknownVal(cty.Map(cty.String)),
		"expires_at":         when(r.ExpiresAt),
		"refresh_expires_at": when(r.RefreshExpiresAt),
		"scopes":             cty.ListValEmpty(cty.String),
		"account":            cty.StringVal(""),
		"client_id":          cty.StringVal(""),
	}
	if i := r.Info; i != nil {
		v["account"], v["client_id"] = cty.StringVal(i.Account), cty.StringVal(i.Client.ClientID)
		if len(i.Granted) > 0 {
			v["scopes"] = list(i.Granted)
		}
	}
	if t := r.Tokens; t != nil {
		v["access_token"], v["refresh_token"], v["id_token"] = hidden(t.AccessToken), hidden(t.RefreshToken), hidden(t.IDToken)
		v["token_type"] = cty.StringVal(t.TokenType)
		v["extra"] = extra(t.Extra)
	}
	return cty.ObjectVal(v)
}

// when is a time in RFC 3339 and UTC, null if there is none.
func when(t time.Time) cty.Value {
	if t.IsZero() {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(t.UTC().Format(time.RFC3339))
}

func hidden(s secret.Secret) cty.Value {
	if s.Empty() {
		return cty.NullVal(cty.String).Mark(schema.Sensitive)
	}
	return cty.StringVal(s.Reveal()).Mark(schema.Sensitive)
}

func list(s []string) cty.Value {
	out := make([]cty.Value, len(s))
	for i, v := range s {
		out[i] = cty.StringVal(v)
	}
	return cty.ListVal(out)
}

// extra marks the members that are secrets by their names: some servers give
// further tokens.
func extra(m map[string]secret.Secret) cty.Value {
	if len(m) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	out := make(map[string]cty.Value, len(m))
	for k, s := range m {
		out[k] = cty.StringVal(s.Reveal())
		if schema.SensitiveName(k) {
			out[k] = out[k].Mark(schema.Sensitive)
		}
	}
	return cty.MapVal(out)
}

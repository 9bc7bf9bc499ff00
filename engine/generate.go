package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Generate writes blocks for connections that no block declares: those of the
// state, from what their records know, and those that import blocks name, of
// which nothing is known but the name. What a removed block speaks of is meant
// to go, and is left out. No secret is written, nor anything of a token.
func (e *Engine) Generate(ctx context.Context, cfg *schema.Config) (text []byte, of []addr.Addr, err error) {
	var in plan.Input
	if err := e.readState(ctx, &in); err != nil {
		return nil, nil, e.failure("read the state", addr.Addr{}, err)
	}
	if in.Records, _, err = plan.MoveRecords(in.Records, cfg.Moved); err != nil {
		return nil, nil, &Error{Class: ClassError, Doing: "plan", Err: err}
	}
	known := map[addr.Addr]bool{}
	for _, c := range cfg.Connections {
		known[c.Addr], known[c.Addr.Block()] = true, true
	}
	var drafts []schema.Draft
	for _, r := range in.Records {
		gone := slices.ContainsFunc(cfg.Removed, func(x schema.Removed) bool { return x.From.Contains(r.Addr) })
		if r.Addr.Kind == addr.KindConnection && !gone && !known[r.Addr.Block()] && r.Info != nil {
			drafts = append(drafts, draftOf(r))
		}
	}
	held := map[addr.Addr]bool{}
	for _, d := range drafts {
		held[d.Addr] = true
	}
	for _, im := range cfg.Imports {
		if !known[im.To.Block()] && !held[im.To] {
			drafts = append(drafts, schema.Draft{Addr: im.To, Notes: []string{
				"Nothing is known of it but the refresh token: fill in the provider (a provider block, or a preset: oauthctl providers) and the client that the token was given to.",
			}})
		}
	}
	slices.SortFunc(drafts, func(a, b schema.Draft) int { return addr.Compare(a.Addr, b.Addr) })
	for i := range drafts {
		d := &drafts[i]
		d.DependsOn = slices.DeleteFunc(d.DependsOn, func(a addr.Addr) bool { return !known[a] && !held[a] })
		of = append(of, d.Addr)
	}
	return cfg.Generate(e.lostProviders(cfg, in.Records, held), drafts), of, nil
}

// draftOf is what a record knows of the block that it came from.
func draftOf(r *state.Record) schema.Draft {
	i := r.Info
	d := schema.Draft{
		Addr: r.Addr, Provider: i.Provider, ClientID: i.Client.ClientID, ClientAuth: i.Client.Auth, Grant: i.Grant,
		Scopes: i.Requested, Lifetimes: schema.Lifetimes{Access: i.Access, Refresh: i.Refresh, RefreshBefore: i.RefreshBefore},
		Assertion: schema.Assertion{
			Algorithm: i.Client.AssertionAlgorithm, KeyID: i.Client.AssertionKeyID, Audience: i.Client.AssertionAudience,
			Lifetime: i.Client.AssertionLifetime, TokenFile: i.Client.AssertionFile, TokenEnv: i.Client.AssertionEnv,
		},
		Secret: i.Fingerprint["client_secret"] != "", Key: i.Fingerprint["private_key"] != "",
		Notes: []string{"Authorized at " + i.Client.TokenEndpoint + ". If the provider takes arguments (a tenant, say), they are not in the state."},
	}
	if i.RedirectURI != "" {
		d.RedirectURIs = []string{i.RedirectURI}
	}
	if strings.Contains(i.Account, "@") { // a display name is nothing to compare with
		d.Account = i.Account
	}
	if i.Fingerprint["resource"] != "" {
		d.Resource = i.Client.Resource
	}
	for _, name := range i.DependsOn {
		if a, err := addr.Parse(name); err == nil {
			d.DependsOn = append(d.DependsOn, a)
		}
	}
	if i.Fingerprint["authorize_params"] != "" {
		d.Notes = append(d.Notes, "Parameters of its authorization request (authorize_params, or those of the grant block) are not in the state: add them.")
	}
	return d
}

// lostProviders are the provider blocks that drafts name and that are gone.
func (e *Engine) lostProviders(cfg *schema.Config, records []*state.Record, drafts map[addr.Addr]bool) []schema.DraftProvider {
	var out []schema.DraftProvider
	seen := map[string]bool{}
	for _, r := range records {
		if !drafts[r.Addr] || seen[r.Info.Provider] || cfg.Providers[r.Info.Provider] != nil || e.o.Catalog.Named(r.Info.Provider) != nil {
			continue
		}
		seen[r.Info.Provider] = true
		p := schema.DraftProvider{Name: r.Info.Provider, Preset: r.Info.Preset}
		if p.Preset == "" || e.o.Catalog.Named(p.Preset) == nil {
			p.Preset, p.Issuer = "", r.Info.Client.Issuer
			if p.Issuer == "" {
				p.TokenEndpoint = r.Info.Client.TokenEndpoint
			}
		}
		out = append(out, p)
	}
	return out
}

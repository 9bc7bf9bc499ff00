package engine

import (
	"cmp"
	"context"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Orphan is a grant that nobody can use or revoke any more if the key of the
// state is lost: only its server can end it.
type Orphan struct {
	Addr   addr.Addr
	Title  string    // of the server, as people know it, else the name of the provider
	Host   string    // of the server; "": not known
	Revoke string    // what a person can do there; "": not known
	Docs   string    // URL of the vendor's documentation; "": not known
	Ends   time.Time // when it ends by itself; zero: not known
}

// Orphans lists the grants of the state. It needs no key and makes no request.
// What the state says without a key is little; the configuration, if there is
// one, says which servers they are at.
func (e *Engine) Orphans(ctx context.Context, cfg *schema.Config) ([]Orphan, error) {
	rows, err := e.o.Store.Summaries(ctx)
	if err != nil {
		return nil, e.failure("read the state", addr.Addr{}, err)
	}
	known := declared(cfg)
	var out []Orphan
	for _, r := range rows {
		if r.Addr.Kind == addr.KindSink || r.Status == state.StatusHandedOver {
			continue // nothing was granted, or another state has it
		}
		o := Orphan{Addr: r.Addr, Title: r.Provider, Ends: r.RefreshExpiresAt}
		if p := e.serverOf(cfg, known, r); p != nil {
			o.Title, o.Host, o.Docs = cmp.Or(p.Title, o.Title), p.Host(), p.Docs
			if p.Revocation == "none" { // else the note says what revoking by a token costs
				o.Revoke = p.RevocationNote
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// declared are the connections of a configuration by their addresses, and by
// those of their blocks: instances may not be known without its variables.
func declared(cfg *schema.Config) map[addr.Addr]*schema.Connection {
	known := map[addr.Addr]*schema.Connection{}
	if cfg != nil {
		for _, c := range cfg.Connections {
			known[c.Addr], known[c.Addr.Block()] = c, c
		}
	}
	return known
}

// serverOf is the server of a row: as the configuration has it, else the preset
// of that name; nil if neither is known.
func (e *Engine) serverOf(cfg *schema.Config, known map[addr.Addr]*schema.Connection, r state.Summary) *providers.Preset {
	conn := known[r.Addr]
	if conn == nil {
		conn = known[r.Addr.Block()]
	}
	if conn != nil && conn.Provider == r.Provider {
		if p, diags := e.o.Catalog.Resolve(cfg, conn); !diags.HasErrors() {
			return p
		}
	}
	if cfg != nil && cfg.Providers[r.Provider] != nil {
		return nil // a preset of that name is another server
	}
	return e.o.Catalog.Named(r.Provider)
}

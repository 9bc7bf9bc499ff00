package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Validate resolves every connection of the configuration against its preset
// and grant, without state and network.
func (e *Engine) Validate(ctx context.Context, cfg *schema.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	diags = append(diags, e.o.Catalog.Check(cfg)...)
	diags = append(diags, checkSinks(cfg)...)
	var mixed mixups
	for _, conn := range cfg.Connections {
		if ctx.Err() != nil {
			break
		}
		if cfg.Partial && slices.Contains(conn.Unknown, "provider") {
			continue // nothing says which server it is at
		}
		c, d := e.client(cfg, conn)
		diags = append(diags, d...)
		if !d.HasErrors() {
			mixed.add(c)
		}
	}
	return unique(append(diags, mixed.diags...))
}

// ValidateRest finds what [Engine.Validate] would find of a configuration with
// mistakes, so that all are told at once. found are those that are known. What one of
// them may be the cause of is left out: of a connection or a sink that they are about,
// everything but whether there is such a provider; and if any is about neither, sinks
// and what uses a provider block.
func (e *Engine) ValidateRest(ctx context.Context, cfg *schema.Config, found hcl.Diagnostics) hcl.Diagnostics {
	broken := map[addr.Addr]bool{}
	for _, d := range found {
		if d.Severity == hcl.DiagError {
			broken[schema.AddrOf(d).Block()] = true
		}
	}
	var diags hcl.Diagnostics
	for _, conn := range cfg.Connections {
		own := cfg.Providers[conn.Provider] != nil
		if ctx.Err() != nil || conn.Provider == "" || own && broken[addr.Addr{}] {
			continue
		}
		_, d := e.client(cfg, conn)
		if broken[conn.Addr.Block()] {
			d = slices.DeleteFunc(d, func(d *hcl.Diagnostic) bool { return d.Subject == nil || *d.Subject != conn.Ranges["provider"] })
		}
		diags = append(diags, d...)
	}
	for _, b := range cfg.Sinks {
		if !broken[b.Addr().Block()] && !broken[addr.Addr{}] {
			_, d := sink.Check(b, cfg.Partial)
			diags = append(diags, d...)
		}
	}
	return unique(diags)
}

// Plan computes what would happen. It makes no request, changes nothing, and
// opens no token but those that sinks publish. Without a state, it needs no identity.
func (e *Engine) Plan(ctx context.Context, cfg *schema.Config, o plan.Options) (*plan.Plan, hcl.Diagnostics, error) {
	in := plan.Input{Now: e.now(), Options: o}
	if err := e.readState(ctx, &in); err != nil {
		return nil, nil, e.failure("read the state", addr.Addr{}, err)
	}
	now := in.Records
	var err error
	if in.Records, in.Moved, err = plan.MoveRecords(in.Records, cfg.Moved); err != nil {
		return nil, nil, &Error{Class: ClassError, Doing: "plan", Err: err}
	}
	var diags hcl.Diagnostics
	if !o.Destroy {
		diags = e.o.Catalog.Check(cfg)
		wants, d, err := e.wants(ctx, cfg, &in)
		diags = unique(append(diags, d...))
		if err != nil {
			return nil, diags, e.failure("compare the configuration with the state", addr.Addr{}, err)
		}
		if diags.HasErrors() {
			return nil, diags, nil
		}
		in.Wants = wants
	} else {
		in.Wants = e.removable(cfg)
	}
	in.Removed = cfg.Removed
	in.Protected = func(a addr.Addr) bool {
		lc := cfg.Lifecycle(a)
		return lc != nil && lc.PreventDestroy
	}
	p, wrong, err := e.compute(ctx, cfg, &in, now)
	if err != nil {
		return nil, diags, e.failure("plan", addr.Addr{}, err)
	}
	diags = append(diags, prevented(cfg, p)...)
	diags = append(diags, importable(cfg, p)...)
	diags = append(diags, impassable(cfg, &in, p)...)
	if !o.Destroy {
		known := AfterPlan(p, knownRecords(in.Records))
		if !o.RefreshOnly {
			diags = append(diags, preconditions(cfg, p, known)...)
			diags = append(diags, wrong...)
		}
		p.Checks = cfg.Checks(known)
	}
	if diags.HasErrors() {
		return nil, diags, nil
	}
	return p, diags, nil
}

// compute makes the plan, and compares the outputs: now is the state before anything
// moves. The diagnostics are about outputs.
func (e *Engine) compute(ctx context.Context, cfg *schema.Config, in *plan.Input, now []*state.Record) (*plan.Plan, hcl.Diagnostics, error) {
	p, err := plan.Compute(*in)
	if err != nil {
		return nil, nil, err
	}
	outputs, diags, err := e.outputChanges(ctx, cfg, p, now, in.Records)
	if err == nil && len(outputs) > 0 && len(stateSinks(cfg)) > 0 { // they publish what is recorded, too
		in.Outputs = true
		p, err = plan.Compute(*in)
	}
	if err != nil {
		return nil, nil, err
	}
	p.Outputs = outputs
	return p, diags, nil
}

// readState fills what Compute has to know of the state.
func (e *Engine) readState(ctx context.Context, in *plan.Input) error {
	if e.o.Store == nil {
		return nil
	}
	lineage, serial, err := e.o.Store.Lineage(ctx)
	if errors.Is(err, state.ErrNoState) {
		return nil
	}
	if err != nil {
		return err
	}
	in.Lineage, in.Serial = lineage, serial
	in.Records, err = e.o.Store.All(ctx, state.PartInfo)
	return err
}

// wants turns the connections and sinks of the configuration into wants. What depends on
// other connections is evaluated with what the state knows of them.
func (e *Engine) wants(ctx context.Context, cfg *schema.Config, in *plan.Input) ([]plan.Want, hcl.Diagnostics, error) {
	var diags hcl.Diagnostics
	known := knownRecords(in.Records)
	var mixed mixups
	wants := make([]plan.Want, 0, len(cfg.Connections))
	digest := e.digests()
	for _, conn := range cfg.Connections {
		if err := ctx.Err(); err != nil {
			return nil, diags, err
		}
		var fromState []string
		if refers(conn) {
			before := conn.Unknown
			resolved, d := cfg.Resolve(conn.Addr, known)
			diags = append(diags, d...)
			if d.HasErrors() {
				continue
			}
			conn = resolved
			fromState = slices.DeleteFunc(slices.Clone(before), func(s string) bool { return slices.Contains(conn.Unknown, s) })
		}
		c, d := e.client(cfg, conn)
		diags = append(diags, d...)
		if d.HasErrors() {
			continue
		}
		mixed.add(c)
		var prints map[string]string
		if in.Lineage != "" {
			var err error
			if prints, err = fingerprint(ctx, c, digest); err != nil {
				return nil, diags, err
			}
		}
		problem := c.Choose(here(in.Options.Consent))
		w := want(c, prints)
		w.WayProblem = problem
		w.FromState, w.TriggeredBy, w.Import = fromState, conn.TriggeredBy, cfg.ImportTo(conn.Addr)
		if conn.Lifecycle != nil {
			w.Ignored = conn.Lifecycle.IgnoreChanges
		}
		wants = append(wants, w)
	}
	diags = append(diags, mixed.diags...)
	slices.SortFunc(wants, func(a, b plan.Want) int { return addr.Compare(a.Addr, b.Addr) })
	if diags.HasErrors() { // what a sink says then says nothing new
		return wants, append(diags, checkSinks(cfg)...), nil
	}
	sinks, d, err := e.sinkWants(ctx, cfg, in)
	return append(wants, sinks...), append(diags, d...), err // sinks come after connections
}

// refers: the connection uses attributes of others. What only comes after
// others (depends_on) is known without them.
func refers(conn *schema.Connection) bool { return len(conn.DependsOn) > 0 && len(conn.Unknown) > 0 }

// client is a connection at its server.
func (e *Engine) client(cfg *schema.Config, conn *schema.Connection) (*grant.Client, hcl.Diagnostics) {
	preset, diags := e.o.Catalog.Resolve(cfg, conn)
	if diags.HasErrors() {
		return nil, diags
	}
	c, d := grant.NewClient(conn, preset)
	diags = append(diags, d...)
	return c, append(diags, c.Expiring(e.now())...)
}

// want is what plan has to know of a client.
func want(c *grant.Client, prints map[string]string) plan.Want {
	sc := c.StateClient()
	life := c.Lifetimes()
	w := plan.Want{
		Addr: c.Addr, DependsOn: c.Conn.DependsOn, Provider: c.Conn.Provider, Title: title(c),
		Issuer: sc.Issuer, TokenEndpoint: sc.TokenEndpoint, ClientID: sc.ClientID, ClientAuth: sc.Auth, SecretEnds: c.Conn.SecretExpiresAt,
		Grant: c.Settings.Type, Interactive: c.Settings.Interactive, Way: string(c.Settings.Way), WayReason: c.Settings.WayReason,
		Scopes: c.Scopes, Added: c.Added, ScopeNames: c.ScopeNames, CanNarrow: !c.Settings.Interactive,
		RedirectURI: c.Settings.RedirectURI, Account: c.Conn.Account, Hosts: c.Hosts(), TokenHosts: c.Conn.Hosts,
		Access: life.Access, Refresh: life.Refresh, RefreshBefore: life.RefreshBefore,
		Fingerprint: prints, Client: &sc, Unknown: c.Unknown(), Notes: slices.Clone(c.Notes),
	}
	w.Exchange = c.Exchange()
	w.Revocable = c.Preset.RevocationEndpoint != "" || c.Preset.Revocation != "none" && c.Preset.Discovery != "none"
	return w
}

func title(c *grant.Client) string { return cmp.Or(c.Preset.Title, c.Preset.Name, c.Conn.Provider) }

// fingerprint digests what the user wrote that shapes a grant and cannot be
// read back from it, by attribute name.
func fingerprint(ctx context.Context, c *grant.Client, digest digester) (map[string]string, error) {
	out := map[string]string{}
	values := map[string]string{
		"client_secret":    c.Conn.ClientSecret.Reveal(),
		"private_key":      c.KeyID(), // the same key may be written in several ways
		"authorize_params": pairs(ownParams(c)),
		"resource":         strings.Join(c.Conn.Resource, "\n"),
	}
	maps.Copy(values, c.Fingerprints())
	for name, value := range values {
		if value == "" {
			continue
		}
		d, err := digest(ctx, name, value)
		if err != nil {
			return nil, err
		}
		out[name] = d
	}
	return out, nil
}

// digester makes keyed digests: see [state.Store.Digest].
type digester func(ctx context.Context, label, value string) (string, error)

// digests makes those of many connections, of which most may have the same secret.
func (e *Engine) digests() digester {
	type input struct{ label, value string }
	made := map[input]string{}
	return func(ctx context.Context, label, value string) (d string, err error) {
		in := input{label, value}
		d, ok := made[in]
		if !ok {
			if d, err = e.o.Store.Digest(ctx, label, value); err == nil {
				made[in] = d
			}
		}
		return d, err
	}
}

// ownParams are the parameters of the authorization request that the user
// wrote. Those of the preset may change with a new version of the catalogue,
// which is no reason to ask a person again.
func ownParams(c *grant.Client) map[string]string {
	own := maps.Clone(c.Settings.Params)
	maps.DeleteFunc(own, func(k, v string) bool {
		return c.Preset.AuthorizeParams[k] == v || c.Preset.OfflineParams[k] == v
	})
	return own
}

// pairs writes a map so that equal maps give equal strings.
func pairs(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(k + "\x00" + m[k] + "\x00")
	}
	return b.String()
}

// knownRecords gives the attributes of records without their tokens.
func knownRecords(records []*state.Record) schema.Known {
	find := func(a addr.Addr) (*state.Record, bool) {
		i, ok := slices.BinarySearchFunc(records, a, func(r *state.Record, a addr.Addr) int { return addr.Compare(r.Addr, a) })
		if !ok {
			return nil, false
		}
		return records[i], true
	}
	return func(a addr.Addr) (cty.Value, bool) {
		r, ok := find(a)
		if !ok {
			return cty.NilVal, false
		}
		return attributes(r), true
	}
}

// unique leaves out diagnostics that say the same of the same place: a block
// with for_each would repeat itself for every instance.
func unique(diags hcl.Diagnostics) hcl.Diagnostics {
	type key struct {
		summary, detail, file string
		line, column          int
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		k := key{summary: d.Summary, detail: d.Detail}
		if a := schema.AddrOf(d); a.Keyed {
			k.detail = strings.ReplaceAll(d.Detail, a.String(), a.Block().String())
		}
		if d.Subject != nil {
			k.file, k.line, k.column = d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column
		}
		again := seen[k]
		seen[k] = true
		return again
	})
}

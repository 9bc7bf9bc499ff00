package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// checkSinks decodes all sinks, without state and network.
func checkSinks(cfg *schema.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var over overwritten
	for _, b := range cfg.Sinks {
		s, d := sink.Check(b, cfg.Partial)
		diags = append(diags, d...)
		if s != nil {
			over.add(b, s)
		}
	}
	return append(diags, over.diags...)
}

// sinkWants turns the sinks of the configuration into wants. It opens the tokens
// of the connections that values come from, and of no others, to see whether
// what was published is still what there is.
func (e *Engine) sinkWants(ctx context.Context, cfg *schema.Config, in *plan.Input) ([]plan.Want, hcl.Diagnostics, error) {
	if len(cfg.Sinks) == 0 {
		return nil, nil, nil
	}
	var diags hcl.Diagnostics
	sinks := make([]*sink.Sink, len(cfg.Sinks))
	used := map[addr.Addr]bool{}
	var over overwritten
	for i, b := range cfg.Sinks {
		s, d := sink.Decode(b)
		diags = append(diags, d...)
		if sinks[i] = s; s == nil {
			continue
		}
		over.add(b, s)
		for _, a := range s.From {
			used[a] = true
		}
	}
	if diags = append(diags, over.diags...); diags.HasErrors() {
		return nil, diags, nil
	}
	held, err := e.heldBy(ctx, in, used)
	if err != nil {
		return nil, diags, err
	}
	// A token that is due is renewed by whoever publishes it, and by nobody else.
	// What else comes with the new token is not known then, wherever it is published.
	again := map[addr.Addr]bool{}
	for _, all := range []bool{false, true} {
		for i, b := range cfg.SinksWith(held.known(all, again)) {
			s, d := sink.Decode(b)
			if d.HasErrors() {
				return nil, append(diags, d...), nil
			}
			sinks[i] = s
		}
		for _, s := range sinks {
			for _, a := range s.From {
				again[a] = again[a] || len(s.Unknown) > 0 && held.due[a]
			}
		}
	}
	wants := make([]plan.Want, 0, len(sinks))
	for _, s := range sinks {
		if s.State != "" {
			w, err := e.stateWant(ctx, cfg, s, in)
			if err != nil {
				return nil, diags, err
			}
			wants = append(wants, w)
			continue
		}
		w, err := e.sinkWant(ctx, s, in, again)
		if err != nil {
			return nil, diags, err
		}
		wants = append(wants, w)
	}
	slices.SortFunc(wants, func(a, b plan.Want) int { return addr.Compare(a.Addr, b.Addr) })
	return wants, diags, nil
}

// holdings are the records that sinks use.
type holdings struct {
	records map[addr.Addr]*state.Record
	due     map[addr.Addr]bool // the access token is due, and can be renewed
}

func (e *Engine) heldBy(ctx context.Context, in *plan.Input, used map[addr.Addr]bool) (*holdings, error) {
	h := &holdings{records: map[addr.Addr]*state.Record{}, due: map[addr.Addr]bool{}}
	for _, r := range in.Records {
		if !used[r.Addr] {
			continue
		}
		at := r.Addr
		if from := in.Moved[at]; !from.IsZero() {
			at = from
		}
		full, err := e.o.Store.Get(ctx, at, state.PartAll)
		if errors.Is(err, state.ErrNotFound) {
			continue // somebody else has just taken it away
		}
		if err != nil {
			return nil, err
		}
		h.records[r.Addr] = full
		h.due[r.Addr] = full.Status == state.StatusOK && !e.fresh(full, e.now(), 0) && canRenew(full)
	}
	return h, nil
}

// known gives the attributes of the connections, without an access token that
// is due. With all, nothing is known of those in again that a renewal changes.
func (h *holdings) known(all bool, again map[addr.Addr]bool) schema.Known {
	return func(a addr.Addr) (cty.Value, bool) {
		r := h.records[a]
		if r == nil {
			return cty.NilVal, false
		}
		v := attributes(r).AsValueMap()
		switch {
		case all && again[a]:
			unopened := clone(r)
			unopened.Tokens = nil
			v = attributes(unopened).AsValueMap()
			v["expires_at"], v["refresh_expires_at"] = cty.UnknownVal(cty.String), cty.UnknownVal(cty.String)
		case h.due[a]:
			v["access_token"] = cty.UnknownVal(cty.String).Mark(schema.Sensitive)
		}
		return cty.ObjectVal(v), true
	}
}

// wantOf is what a sink wants before anything is compared.
func (e *Engine) wantOf(s *sink.Sink) plan.Want {
	w := plan.Want{
		Addr: s.Addr, DependsOn: s.DependsOn, Provider: s.Type, Hosts: s.Target.Hosts(e.publishing()), Unknown: s.Unknown,
		Sink: &plan.SinkWant{Place: s.Target.Place(), Names: s.Names, From: s.From, State: s.State != ""},
	}
	if e.o.PublishNothing {
		w.Notes = append(w.Notes, "nothing is published from the sandbox: it is only noted here that it would have been")
	}
	return w
}

func (e *Engine) sinkWant(ctx context.Context, s *sink.Sink, in *plan.Input, again map[addr.Addr]bool) (plan.Want, error) {
	w := e.wantOf(s)
	if len(s.Unknown) > 0 {
		for _, a := range s.From {
			if again[a] {
				w.Sink.Due = append(w.Sink.Due, a)
			}
		}
	}
	if in.Lineage == "" {
		return w, nil
	}
	var err error
	w.Sink.Settings, w.Sink.Digests, err = e.sinkDigests(ctx, s)
	return w, err
}

// sinkDigests are keyed digests of the place and of the values that are known.
func (e *Engine) sinkDigests(ctx context.Context, s *sink.Sink) (settings string, values map[string]string, err error) {
	label := "sink " + s.Addr.String()
	if settings, err = e.o.Store.Digest(ctx, label, s.Settings); err != nil {
		return "", nil, err
	}
	values = map[string]string{}
	for _, v := range s.Values {
		if values[v.Name], err = e.o.Store.Digest(ctx, label+" "+v.Name, v.Secret.Reveal()); err != nil {
			return "", nil, err
		}
	}
	for _, name := range s.Null { // no value: what has none now may have had one
		values[name] = ""
	}
	return settings, values, nil
}

// removable are the sinks that the configuration still knows how to reach, for a
// plan that takes everything away. A mistake in a sink does not stop that.
func (e *Engine) removable(cfg *schema.Config) []plan.Want {
	var wants []plan.Want
	for _, b := range cfg.Sinks {
		s, diags := sink.Decode(b)
		if diags.HasErrors() {
			continue
		}
		wants = append(wants, plan.Want{Addr: s.Addr, DependsOn: s.DependsOn, Provider: s.Type, Hosts: s.Target.Hosts(e.publishing()),
			Sink: &plan.SinkWant{Place: s.Target.Place(), Names: s.Names, From: s.From}})
	}
	slices.SortFunc(wants, func(a, b plan.Want) int { return addr.Compare(a.Addr, b.Addr) })
	return wants
}

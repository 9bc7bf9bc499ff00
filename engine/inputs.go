package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Inputs digests what the configuration wants of every connection that the plan
// changes, by address: what comes from files, variables, the environment, and
// the catalogue of this version. Equal inputs ask the same of the same server.
// What the state says does not count, so that a refresh changes nothing.
//
// digest is keyed: with a key of the state if there is one. Without a state,
// values that may be secret are left out.
func (e *Engine) Inputs(ctx context.Context, cfg *schema.Config, p *plan.Plan, digest func(text string) (string, error)) (map[string]string, error) {
	out := map[string]string{}
	if p.Options.Destroy {
		return out, nil
	}
	wants, diags, err := e.wants(ctx, cfg, &plan.Input{Lineage: p.Lineage, Options: p.Options})
	if err != nil {
		return nil, e.failure("read what the configuration wants", addr.Addr{}, err)
	}
	if diags.HasErrors() {
		return nil, &Error{Class: ClassError, Doing: "read what the configuration wants", Err: errorsOf(diags)}
	}
	for i := range wants {
		w := &wants[i]
		at, found := slices.BinarySearchFunc(p.Changes, w.Addr, func(c plan.Change, a addr.Addr) int { return addr.Compare(c.Addr, a) })
		if !found || p.Changes[at].Action == plan.NoOp {
			continue
		}
		if w.Sink != nil && len(p.Changes[at].Hosts) == 0 {
			w.Hosts = nil // where it was planned, nobody could tell
		}
		if p.Lineage == "" {
			w.Fingerprint, w.Client = nil, nil
		} else if p.Changes[at].Action == plan.Import {
			if err := e.printToken(ctx, cfg, w); err != nil {
				return nil, err
			}
		}
		text, err := json.Marshal(w)
		if err != nil {
			return nil, &Error{Class: ClassError, Addr: w.Addr, Doing: "digest what the configuration wants", Err: errors.New("it has no form in JSON")}
		}
		if out[w.Addr.String()], err = digest(string(text)); err != nil {
			return nil, e.failure("digest what the configuration wants", w.Addr, err)
		}
	}
	return out, nil
}

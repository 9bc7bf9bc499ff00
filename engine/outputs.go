package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Recorded is what the last apply recorded of the outputs; nil if nothing is.
func (e *Engine) Recorded(ctx context.Context) (*schema.Recorded, error) {
	rec, err := e.recorded(ctx)
	if rec == nil || err != nil {
		return nil, e.failure("read what is recorded of the outputs", addr.Addr{}, err)
	}
	return &schema.Recorded{Files: rec.Info.Outputs, Values: rec.Tokens.Extra}, nil
}

// recorded is the record itself; nil if there is none.
func (e *Engine) recorded(ctx context.Context) (*state.Record, error) {
	if e.o.Store == nil {
		return nil, nil
	}
	rec, err := e.o.Store.Get(ctx, addr.Outputs(), state.PartAll)
	if errors.Is(err, state.ErrNotFound) || errors.Is(err, state.ErrNoState) {
		return nil, nil
	}
	return rec, err
}

// outputChanges compares the outputs of the configuration after a plan with those
// recorded, as they are now. A plan for some connections takes outputs away only if
// it changes others: all of them are recorded at once.
// The diagnostics say what is wrong with those of the configuration. It stops no plan
// for some connections, such as that of a login: the end of an apply says it, too.
func (e *Engine) outputChanges(ctx context.Context, cfg *schema.Config, p *plan.Plan, now, after []*state.Record) (_ []plan.OutputChange, wrong hcl.Diagnostics, _ error) {
	selected := len(p.Options.Targets)+len(p.Options.Excludes) > 0
	if p.Options.Destroy && selected {
		return nil, nil, nil
	}
	rec, err := e.Recorded(ctx)
	if err != nil {
		return nil, nil, err
	}
	var was, will []plan.OutputSide // recorded, and as the configuration has them
	var former *schema.Config
	if !rec.Empty() {
		former, _ = cfg.Former(ctx, rec) // what has no value any more, such as that of a file that is gone, must not keep anybody from taking it away
		was, _ = outputSides(former, knownRecords(now), nil)
	}
	if !p.Options.Destroy {
		if will, wrong = outputSides(cfg, AfterPlan(p, knownRecords(after)), p); selected {
			wrong = nil
		}
	}
	changes := plan.CompareOutputs(was, will, func(name string) bool { // asked of few: all that an output needs may be much
		before, err := former.Record(name)
		after, failed := cfg.Record(name)
		return err == nil && failed == nil && before.Equal(after)
	})
	if selected && !slices.ContainsFunc(changes, func(c plan.OutputChange) bool { return c.Action != plan.DeleteOutput }) {
		return nil, wrong, nil
	}
	return changes, wrong, nil
}

// outputSides evaluates the outputs of a configuration. p is the plan that known is
// after, nil: none.
func outputSides(cfg *schema.Config, known schema.Known, p *plan.Plan) ([]plan.OutputSide, hcl.Diagnostics) {
	outs, diags := cfg.Outputs(known)
	sides := make([]plan.OutputSide, len(outs))
	for i, out := range outs {
		side := plan.OutputSide{Name: out.Name, Sensitive: out.Sensitive, Value: out.Value}
		for _, a := range out.DependsOn {
			if _, ok := known(a); !ok {
				side.Missing, side.Due = true, side.Due || p != nil && getsGrant(p, a)
			}
		}
		sides[i] = side
	}
	return sides, diags
}

// outputs evaluates the output blocks with what the state has now. What was
// destroyed has none.
func (e *Engine) outputs(ctx context.Context, cfg *schema.Config, p *plan.Plan, out *Outcome) error {
	if p.Options.Destroy {
		return nil
	}
	known := func(a addr.Addr) (cty.Value, bool) {
		rec, err := e.o.Store.Get(ctx, a, state.PartAll)
		if err != nil {
			return cty.NilVal, false
		}
		return attributes(rec), true
	}
	out.Checks = cfg.Checks(known)
	outs, diags := cfg.Outputs(known)
	out.Outputs = outs
	if diags.HasErrors() {
		return &Error{Class: ClassError, Doing: "evaluate the outputs", Err: diags}
	}
	return nil
}

// recordOutputs saves what the outputs need, unless it is there already. It needs
// nothing of what is going to be applied, and comes first: a sink that publishes the state has it in it.
// What was planned for some connections only changes it if the plan says so.
func (a *applier) recordOutputs(ctx context.Context) error {
	var r *schema.Recorded
	var err error
	switch {
	case len(a.p.Outputs) == 0 && (a.p.Options.Destroy || len(a.p.Options.Targets)+len(a.p.Options.Excludes) > 0):
		return nil
	case !a.p.Options.Destroy:
		r, err = a.cfg.Record()
	}
	if err == nil {
		err = a.record(ctx, r)
	}
	for range 2 {
		if !errors.Is(err, state.ErrConflict) {
			break
		}
		err = a.record(ctx, r) // another apply has recorded its own: the last one counts
	}
	return a.e.failure("record the outputs in the state", addr.Addr{}, err)
}

func (a *applier) record(ctx context.Context, r *schema.Recorded) error {
	rec, err := a.e.recorded(ctx)
	switch {
	case err != nil:
		return err
	case rec == nil && r.Empty():
		return nil
	case rec == nil:
		rec = &state.Record{Summary: state.Summary{Addr: addr.Outputs(), Status: state.StatusOK}, Info: &state.Info{}, Tokens: &state.Tokens{}}
	case r.Empty():
		return a.remove(ctx, rec)
	case r.Equal(&schema.Recorded{Files: rec.Info.Outputs, Values: rec.Tokens.Extra}):
		return nil
	}
	rec.UpdatedAt = a.e.now()
	rec.Info.Outputs, rec.Tokens.Extra = r.Files, r.Values
	return a.put(ctx, rec)
}

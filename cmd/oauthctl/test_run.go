package main

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// testRun is one run while it goes on.
type testRun struct {
	*testWorld
	r   *schema.TestRun
	cfg *schema.Config
	met map[int]bool // of r.Expected, what has failed
	out view.TestRun
}

// run carries out one run and judges it.
func (w *testWorld) run(ctx context.Context, r *schema.TestRun) view.TestRun {
	start := w.c.Now()
	t := &testRun{testWorld: w, r: r, met: map[int]bool{}, out: view.TestRun{File: w.file.Name, Name: r.Name, Status: view.TestPass, Sources: w.file.Sources}}
	w.later += r.After
	if t.prepare(ctx) && t.carryOut(ctx) {
		t.missing()
	}
	t.out.Elapsed = w.c.Now().Sub(start)
	return t.out
}

// problem notes what went wrong: an error stops the file, an assertion that
// fails does not.
func (t *testRun) problem(status view.TestStatus, diags hcl.Diagnostics, errs ...error) {
	if t.out.Status != view.TestError {
		t.out.Status = status
	}
	t.out.Diags, t.out.Errs = append(t.out.Diags, diags...), append(t.out.Errs, errs...)
}

// prepare reads the configuration with the values of the run, and sets what the
// sandbox does.
func (t *testRun) prepare(ctx context.Context) bool {
	src, err := t.c.source(&t.f.vars)
	if err != nil {
		t.problem(view.TestError, nil, err)
		return false
	}
	inputs, diags := t.file.Inputs(t.r, t.runs)
	for _, fault := range t.r.Faults {
		f, err := sandbox.ParseFault(fault.Text)
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid fault", Detail: "The " + err.Error() + ".", Subject: fault.Range.Ptr()})
			continue
		}
		t.server.Inject(f)
	}
	if diags.HasErrors() {
		t.problem(view.TestError, diags)
		return false
	}
	src.Vars = append(slices.Clone(src.Vars), inputs...)
	t.cfg, diags = schema.Load(ctx, src)
	t.cfg.AddTest(t.file)
	t.out.Sources = t.cfg.Sources
	if diags.HasErrors() {
		t.failed(diags)
		t.missing()
		return false
	}
	t.out.Diags = append(t.out.Diags, diags...)
	return true
}

// carryOut plans, applies if that is the command, and judges; false if what
// happened leaves nothing to judge.
func (t *testRun) carryOut(ctx context.Context) bool {
	s, err := t.session(ctx, t.cfg, t.r)
	if err != nil {
		t.problem(view.TestError, nil, err)
		return false
	}
	t.last = s
	p, diags, err := s.engine.Plan(ctx, t.cfg, plan.Options{
		Destroy: t.r.Mode == "destroy", RefreshOnly: t.r.Mode == "refresh-only",
		Targets: t.r.Targets, Excludes: t.r.Excludes, Replace: t.r.Replace,
	})
	if err != nil {
		t.problem(view.TestError, diags, err)
		return false
	}
	if diags.HasErrors() {
		t.failed(diags)
		t.missing()
		return false
	}
	t.out.Diags = append(t.out.Diags, diags...)
	if t.f.verbose {
		t.out.Plan = p
	}
	checks, outs := p.Checks, []schema.Output(nil)
	if t.r.Apply {
		if checks, err = t.apply(ctx, s, p); err != nil {
			t.problem(view.TestError, nil, err)
			return false
		}
	}
	known, problem := s.engine.Known(ctx) // the connections as the state has them now
	if !t.r.Apply {
		known = engine.AfterPlan(p, known)
	}
	if t.r.Mode != "destroy" {
		outs, _ = t.cfg.Outputs(known) // what is wrong with them has been said
	}
	t.checks(checks)
	t.judge(p, known, outs)
	if err := problem(); err != nil {
		t.problem(view.TestError, nil, err)
		return false
	}
	return true
}

func (t *testRun) apply(ctx context.Context, s *session, p *plan.Plan) ([]schema.CheckResult, error) {
	out, err := s.engine.Apply(ctx, t.cfg, p)
	if out == nil {
		return nil, err
	}
	for _, r := range out.Results {
		if r.State == engine.Done || r.State == engine.Skipped { // what was skipped waits for one that failed
			continue
		}
		if !t.expects(func(x schema.Expected) bool { return !x.Addr.IsZero() && x.Addr.Contains(r.Addr) }) {
			t.problem(view.TestError, nil, r.Err)
		}
	}
	if diags := (hcl.Diagnostics)(nil); errors.As(err, &diags) {
		t.failed(diags)
		err = nil
	}
	if t.f.verbose {
		t.out.Outputs = out.Outputs
	}
	return out.Checks, err
}

// failed takes the errors that are expected out of diagnostics; others end the run.
func (t *testRun) failed(diags hcl.Diagnostics) {
	for _, d := range diags {
		rule, of := schema.RuleOf(d), schema.AddrOf(d)
		if d.Severity == hcl.DiagError && t.expects(func(x schema.Expected) bool {
			return rule != "" && x.String() == rule || !x.Addr.IsZero() && !of.IsZero() && x.Addr.Contains(of)
		}) {
			continue
		}
		status := view.TestError
		if d.Severity == hcl.DiagWarning {
			status = t.out.Status
		}
		t.problem(status, hcl.Diagnostics{d})
	}
}

// expects notes that something failed, and reports whether it should.
func (t *testRun) expects(is func(schema.Expected) bool) bool {
	found := false
	for i, x := range t.r.Expected {
		if is(x) {
			t.met[i], found = true, true
		}
	}
	return found
}

// checks makes failures of the check blocks that do not hold.
func (t *testRun) checks(results []schema.CheckResult) {
	for _, r := range results {
		if r.Verdict != schema.Fail || t.expects(func(x schema.Expected) bool { return x.Kind == "check" && x.Name == r.Name }) {
			continue
		}
		for _, problem := range r.Problems {
			t.problem(view.TestFail, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Check failed: " + r.Name, Detail: problem, Subject: r.Range.Ptr()}})
		}
	}
}

func (t *testRun) judge(p *plan.Plan, known schema.Known, outs []schema.Output) {
	values := map[string]cty.Value{}
	for _, o := range outs {
		values[o.Name] = o.Value
		if o.Sensitive {
			values[o.Name] = o.Value.Mark(schema.Sensitive)
		}
	}
	outputs := cty.ObjectVal(values)
	if diags := t.cfg.Judge(t.file, t.r, schema.Facts{Known: known, Plan: engine.PlanValue(p), Outputs: outputs, Runs: t.runs}); diags.HasErrors() {
		t.problem(view.TestFail, diags)
	}
	t.runs[t.r.Name] = outputs
}

// missing reports what should have failed and did not.
func (t *testRun) missing() {
	for i, x := range t.r.Expected {
		if !t.met[i] && t.out.Status != view.TestError {
			t.problem(view.TestFail, hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: "Missing expected failure", Subject: x.Range.Ptr(),
				Detail: "The run expects " + x.String() + " to fail, and it did not.",
			}})
		}
	}
}

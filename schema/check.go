package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// checkBlock is a check block: assertions about the whole, which warn and stop nothing.
type checkBlock struct {
	name    string
	rng     hcl.Range
	asserts []rule
}

var checkSpec = &Spec{Blocks: []Nested{
	{Type: "assert", Spec: ruleSpec, Doc: "A condition that should hold."},
}}

var checkScope = scope{place: "a check block", variables: true, locals: true, connections: true}

// CheckResult is what a check block found.
type CheckResult struct {
	Name     string
	Verdict  Verdict  // Fail if one assertion does, else Unknown if one is
	Problems []string // what the assertions that fail say
	Range    hcl.Range
}

func (l *loader) declareChecks(blocks hcl.Blocks) {
	for _, b := range blocks {
		name := b.Labels[0]
		if !l.declare("check", name, b.LabelRanges[0], b.DefRange) {
			continue
		}
		c, diags := readBody(b.Body, checkSpec, "a check block", b.DefRange)
		k := &checkBlock{name: name, rng: b.DefRange}
		var more hcl.Diagnostics
		k.asserts, more = rules(c.blocks["assert"], "an assert block")
		diags = append(diags, more...)
		if len(c.blocks["assert"]) == 0 {
			diags = append(diags, errorAt(b.DefRange, "Check without assertions", "The check %q has no assert block, so it checks nothing. Add one, or remove the check.", name))
		}
		l.diags = append(l.diags, diags...)
		l.cfg.checks = append(l.cfg.checks, k)
	}
	slices.SortFunc(l.cfg.checks, func(a, b *checkBlock) int { return strings.Compare(a.name, b.name) })
}

// checkChecks finds the mistakes in assertions that can be seen before anything is known.
func (l *loader) checkChecks() {
	for _, k := range l.cfg.checks {
		for _, r := range k.asserts {
			_, _, diags := l.eval.judge(r, checkScope)
			l.diags = append(l.diags, diags...)
		}
	}
}

// Checks evaluates the check blocks, sorted by name. What goes wrong in an
// assertion is a problem that it found.
func (c *Config) Checks(known Known) []CheckResult {
	e := c.eval.with(known, nil)
	var out []CheckResult
	for _, k := range c.checks {
		r := CheckResult{Name: k.name, Verdict: Pass, Range: k.rng}
		for _, a := range k.asserts {
			v, problem, diags := e.judge(a, checkScope)
			for _, d := range append(diags, e.cache.takeProblems()...) {
				if d.Severity == hcl.DiagError {
					v, problem = Fail, d.Summary+": "+d.Detail
				}
			}
			switch {
			case v == Fail:
				r.Verdict = Fail
				r.Problems = append(r.Problems, problem)
			case v == Unknown && r.Verdict == Pass:
				r.Verdict = Unknown
			}
		}
		out = append(out, r)
	}
	return out
}

// outputConditions reports which preconditions of an output do not hold.
func (e *evaluator) outputConditions(o *outputBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range o.pre {
		v, problem, more := e.judge(r, outputScope)
		diags = append(diags, more...)
		if v == Fail {
			diags = append(diags, byRule(errorAt(r.condition.Expr.Range(), "Precondition failed", "The output %q cannot be shown: %s", o.name, problem), "output."+o.name))
		}
	}
	return diags
}

package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// rule is a condition with what to say if it does not hold: a precondition, a
// postcondition, or an assert block.
type rule struct {
	condition, message *attr
	rng                hcl.Range // of the block's header
}

var ruleSpec = &Spec{Attrs: []Attr{
	{Name: "condition", Kind: Static, Required: true, Doc: "An expression that is true if all is well."},
	{Name: "error_message", Kind: Static, Required: true, Doc: "What to tell a person if it is not."},
}}

// rules reads the blocks of one kind.
func rules(blocks hcl.Blocks, what string) ([]rule, hcl.Diagnostics) {
	var out []rule
	var diags hcl.Diagnostics
	for _, b := range blocks {
		c, more := readBody(b.Body, ruleSpec, what, b.DefRange)
		diags = append(diags, more...)
		if cond, msg := c.attrs["condition"], c.attrs["error_message"]; cond != nil && msg != nil {
			out = append(out, rule{cond, msg, b.DefRange})
		}
	}
	return out, diags
}

// Verdict is what became of a condition.
type Verdict string

// The verdicts. A condition about what is known only after apply is unknown.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown"
)

// judge evaluates a rule. The diagnostics are about the rule itself; if it
// fails, problem is what it says.
func (e *evaluator) judge(r rule, sc scope) (v Verdict, problem string, diags hcl.Diagnostics) {
	ok, _, diags := e.value(r.condition, sc)
	if diags.HasErrors() {
		return Unknown, "", diags
	}
	ok, _ = ok.Unmark()
	ok, err := convert.Convert(ok, cty.Bool)
	switch {
	case err != nil || ok.IsKnown() && ok.IsNull():
		return Unknown, "", append(diags, errorAt(r.condition.Expr.Range(), "Invalid condition", "The condition must be true or false."))
	case !ok.IsKnown():
		return Unknown, "", diags
	case ok.True():
		return Pass, "", diags
	}
	problem, more := e.message(r.message, sc)
	return Fail, problem, append(diags, more...)
}

// message is the text of an error_message.
func (e *evaluator) message(a *attr, sc scope) (string, hcl.Diagnostics) {
	v, _, diags := e.value(a, sc)
	switch {
	case IsSensitive(v):
		return "(the message is not shown because it has a sensitive value in it)", diags
	case isEphemeral(v):
		return "(the message is not shown because it has an ephemeral value in it)", diags
	}
	v, _ = v.UnmarkDeep()
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "(the message is not text)", diags
	}
	return s.AsString(), diags
}

// references are the connections that rules refer to.
func references(rules []rule) (refs []hcl.Traversal) {
	for _, r := range rules {
		refs = append(append(refs, r.condition.refs...), r.message.refs...)
	}
	return refs
}

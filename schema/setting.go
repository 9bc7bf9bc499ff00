package schema

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// setting is what an attribute is set to.
type setting struct {
	value cty.Value   // of the type of the attribute's kind; NilVal if it is not as the table wants it
	list  []string    // the same, if it is a list of strings: taking one out of a cty.Value is dear
	deps  []addr.Addr // connections that it comes from
}

// set evaluates one attribute, checks it and puts it into the object.
func (e *evaluator) set(o *Object, a *Attr, written *attr, sc scope) hcl.Diagnostics {
	s, diags := e.setting(a, written, sc)
	o.note(a.Name, s.deps)
	if a.Kind == Sensitive && len(s.deps) > 0 {
		if o.origins == nil {
			o.origins = map[string]Origin{}
		}
		o.origins[a.Name] = e.origin(written.Expr, s.deps)
	}
	if s.list != nil {
		if o.lists == nil {
			o.lists = map[string][]string{}
		}
		o.lists[a.Name] = s.list
	}
	if s.value == cty.NilVal {
		return diags
	}
	if s.value.IsKnown() && s.value.IsNull() {
		if a.Required && a.Kind != Any {
			diags = append(diags, errorAt(written.Expr.Range(), "Missing required argument",
				"The argument %q is required, but its value is null.", a.Name))
		}
		return diags
	}
	if !s.value.IsWhollyKnown() {
		o.Unknown = append(o.Unknown, a.Name)
	}
	o.Values[a.Name] = s.value
	return diags
}

// setting evaluates one attribute and checks its value. What refers to nothing
// is the same for all instances of a block, of which there may be thousands.
func (e *evaluator) setting(a *Attr, written *attr, sc scope) (setting, hcl.Diagnostics) {
	if s := written.same.Load(); s != nil {
		return *s, nil
	}
	s, diags := a.literal(written.Expr)
	if s.value == cty.NilVal && len(diags) == 0 {
		s, diags = e.called(a, written, sc)
	}
	if sc.each != nil && len(written.refs) == 0 && len(diags) == 0 {
		same := s
		written.same.Store(&same)
	}
	return s, diags
}

// calls are what attributes are set to by calls such as env("SECRET"), which may
// stand in thousands of blocks.
type calls struct {
	mu   sync.Mutex
	made map[call]setting
}

type call struct {
	attr *Attr
	text string // with literal arguments only
}

// called is evaluated, once for equal calls. One with mistakes is evaluated again:
// each has a place of its own.
func (e *evaluator) called(a *Attr, written *attr, sc scope) (setting, hcl.Diagnostics) {
	text, ok := literalCall(written.Expr)
	if !ok {
		return e.evaluated(a, written, sc)
	}
	key := call{a, text}
	e.calls.mu.Lock()
	s, ok := e.calls.made[key]
	e.calls.mu.Unlock()
	if ok {
		return s, nil
	}
	s, diags := e.evaluated(a, written, sc)
	if len(diags) == 0 {
		e.calls.mu.Lock()
		defer e.calls.mu.Unlock()
		e.calls.made[key] = s
	}
	return s, diags
}

// literalCall gives a text that is equal for equal calls with literal arguments.
func literalCall(expr hcl.Expression) (string, bool) {
	x, ok := expr.(*hclsyntax.FunctionCallExpr)
	if !ok || x.ExpandFinal {
		return "", false
	}
	text := append(make([]byte, 0, 64), x.Name...)
	for _, arg := range x.Args {
		v, ok := literalString(arg)
		if !ok {
			return "", false
		}
		text = strconv.AppendQuote(text, v.AsString())
	}
	return string(text), true
}

// literal gives the setting of an attribute that is written as a string, or as a
// list of them, as most are: what they give is plain without an evaluation.
func (a *Attr) literal(expr hcl.Expression) (s setting, diags hcl.Diagnostics) {
	switch a.Kind {
	case String, Duration:
		v, ok := literalString(expr)
		if !ok {
			return setting{}, nil
		}
		if diags = a.check(v, expr); len(diags) == 0 {
			s.value = v
		}
	case Strings, ScopeList:
		tuple, ok := expr.(*hclsyntax.TupleConsExpr)
		if !ok || len(tuple.Exprs) == 0 {
			return setting{}, nil
		}
		values := make([]cty.Value, len(tuple.Exprs))
		s.list = make([]string, len(tuple.Exprs))
		for i, item := range tuple.Exprs {
			if values[i], ok = literalString(item); !ok {
				return setting{}, nil
			}
			s.list[i] = values[i].AsString()
		}
		if diags = a.checkList(s.list, expr); !diags.HasErrors() {
			s.value = cty.ListVal(values)
		}
	}
	return s, diags
}

// literalString is the value of a string with nothing to evaluate in it.
func literalString(expr hcl.Expression) (v cty.Value, ok bool) {
	t, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return cty.NilVal, false
	}
	v, diags := t.Parts[0].Value(nil)
	return v, !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull()
}

// evaluated is setting by evaluation.
func (e *evaluator) evaluated(a *Attr, written *attr, sc scope) (s setting, diags hcl.Diagnostics) {
	sc.secret = a.Kind == Sensitive
	v, deps, diags := e.value(written, sc)
	s.deps = deps
	if e.known == nil && !written.traced.Swap(true) { // once for all instances, and not again when they are resolved
		switch a.Kind {
		case Sensitive:
			diags = append(diags, e.refuseLiteral(a.Name, written, sc)...)
		case StringMap:
			diags = append(diags, e.refuseLiteralParams(written, sc)...)
		}
	}
	if diags.HasErrors() {
		return s, diags
	}
	if !a.Ephemeral && isEphemeral(v) {
		return s, append(diags, refuseEphemeral(v, written.Expr.Range(), fmt.Sprintf("The argument %q", a.Name))...)
	}
	if !a.Kind.maySensitive() && IsSensitive(v) {
		return s, append(diags, errorAt(written.Expr.Range(), "Sensitive value in a plain argument",
			"The argument %q is shown in plans and kept in clear, so it cannot have a sensitive value. If the value is no secret, wrap it: %s = nonsensitive(…).", a.Name, a.Name))
	}
	if a.InAddress && IsSensitive(v) {
		return s, append(diags, errorAt(written.Expr.Range(), "Sensitive value in an address",
			"The argument %q becomes part of an address that is shown, opened in a browser and logged by servers, so it cannot have a sensitive value. If the value is no secret, wrap it: nonsensitive(…).", a.Name))
	}
	v, list, more := a.convert(v, written.Expr)
	s.list, diags = list, append(diags, more...)
	if !more.HasErrors() {
		s.value = v
	}
	return s, diags
}

package schema

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// object evaluates a body that has been sorted by the table.
func (e *evaluator) object(c *content, spec *Spec, sc scope) (*Object, hcl.Diagnostics) {
	o := &Object{
		Values:  make(map[string]cty.Value, len(c.attrs)),
		Ranges:  c.ranges,
		content: c,
		Range:   c.rng,
	}
	var diags hcl.Diagnostics
	for i := range spec.Attrs {
		a := &spec.Attrs[i]
		written, ok := c.attrs[a.Name]
		if !ok {
			continue
		}
		if a.Kind != Static {
			diags = append(diags, e.set(o, a, written, sc)...)
		}
	}
	if spec.Open {
		o.Rest = make(map[string]Arg, len(c.rest))
	}
	for _, name := range sortedKeys(c.rest) {
		written := c.rest[name]
		sc.secret = sensitiveName(name)
		v, deps, more := e.value(written, sc)
		diags = append(diags, more...)
		if isEphemeral(v) {
			diags = append(diags, refuseEphemeral(v, written.Expr.Range(), fmt.Sprintf("The argument %q", name))...)
		}
		o.deps = append(o.deps, deps...)
		o.Rest[name] = Arg{Value: v, Range: written.Expr.Range(), Name: written.NameRange}
		if !v.IsWhollyKnown() {
			o.Unknown = append(o.Unknown, name)
		}
	}
	for i := range spec.Blocks {
		n := &spec.Blocks[i]
		for _, b := range c.blocks[n.Type] {
			nested := NestedObject{Object: &Object{Range: b.DefRange}, Labels: b.Labels, Block: newBlock(b, e, sc)}
			if n.Spec != nil {
				inner, more := readBody(b.Body, n.Spec, "a "+n.Type+" block", b.DefRange)
				diags = append(diags, more...)
				nested.Object, more = e.object(inner, n.Spec, sc)
				diags = append(diags, more...)
				o.deps = append(o.deps, nested.deps...)
			}
			if o.Nested == nil {
				o.Nested = map[string][]NestedObject{}
			}
			o.Nested[n.Type] = append(o.Nested[n.Type], nested)
		}
	}
	slices.Sort(o.Unknown)
	return o, diags
}

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
		s, diags = e.evaluated(a, written, sc)
	}
	if sc.each != nil && len(written.refs) == 0 && len(diags) == 0 {
		same := s
		written.same.Store(&same)
	}
	return s, diags
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

// maySensitive says which kinds take sensitive values: those that are never
// shown. Everything else ends in plans and in the clear part of the state.
func (k Kind) maySensitive() bool { return k == Sensitive || k == StringMap || k == Any }

func (k Kind) ctyType() cty.Type {
	switch k {
	case Bool:
		return cty.Bool
	case Number:
		return cty.Number
	case Strings, ScopeList:
		return cty.List(cty.String)
	case StringMap:
		return cty.Map(cty.String)
	case Any, Static:
		return cty.DynamicPseudoType
	}
	return cty.String
}

func (k Kind) what() string {
	switch k {
	case Bool:
		return "true or false"
	case Number:
		return "a whole number"
	case Duration:
		return `a duration such as "90s", "5m", "1h30m" or "90d"`
	case Strings:
		return "a list of strings"
	case ScopeList:
		return "a list of strings, or one string with spaces between the scopes"
	case StringMap:
		return "a map of strings"
	}
	return "a string"
}

// convert gives the value the type of the attribute's kind and checks what can
// be checked of it without knowing more. A list of strings is given as such too.
func (a *Attr) convert(v cty.Value, expr hcl.Expression) (cty.Value, []string, hcl.Diagnostics) {
	rng := expr.Range()
	if a.Kind == ScopeList {
		if plain, marks := v.Unmark(); plain.IsKnown() && !plain.IsNull() && plain.Type() == cty.String {
			v = splitScopes(plain.AsString()).WithMarks(marks)
		}
	}
	out, err := convert.Convert(v, a.Kind.ctyType())
	if err != nil {
		return out, nil, hcl.Diagnostics{errorAt(rng, "Wrong type of value",
			"The argument %q must be %s, not %s.", a.Name, a.Kind.what(), typeName(v.Type()))}
	}
	plain := unmarked(out)
	if !plain.IsWhollyKnown() || plain.IsNull() {
		return out, nil, nil
	}
	if a.Kind != Strings && a.Kind != ScopeList {
		return out, nil, a.check(plain, expr)
	}
	list := make([]string, 0, plain.LengthInt())
	for _, e := range plain.AsValueSlice() {
		if e.IsNull() {
			return out, nil, hcl.Diagnostics{errorAt(rng, fmt.Sprintf("Invalid value for %s", a.Name), "The argument %q has an element that is null. Remove it.", a.Name)}
		}
		list = append(list, e.AsString())
	}
	return out, list, a.checkList(list, expr)
}

func splitScopes(s string) cty.Value {
	fields := strings.Fields(s)
	if len(fields) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	out := make([]cty.Value, len(fields))
	for i, f := range fields {
		out[i] = cty.StringVal(f)
	}
	return cty.ListVal(out)
}

func (a *Attr) check(v cty.Value, expr hcl.Expression) hcl.Diagnostics {
	invalid := func(detail string, args ...any) hcl.Diagnostics {
		return hcl.Diagnostics{errorAt(expr.Range(), fmt.Sprintf("Invalid value for %s", a.Name), detail, args...)}
	}
	switch a.Kind {
	case String:
		if s := v.AsString(); len(a.OneOf) > 0 && !slices.Contains(a.OneOf, s) {
			return invalid("The argument %q must be %s, not %q.%s", a.Name, joinOr(quoteAll(a.OneOf)), s, didYouMean(s, a.OneOf))
		}
	case Number:
		if i, acc := v.AsBigFloat().Int64(); acc != big.Exact || int64(int(i)) != i {
			return invalid("The argument %q must be a whole number.", a.Name)
		}
	case Duration:
		if _, err := ParseDuration(v.AsString()); err != nil {
			return invalid("The value of %q is wrong: %s.", a.Name, err)
		}
	case StringMap:
		for it := v.ElementIterator(); it.Next(); {
			if _, e := it.Element(); e.IsNull() && !a.Nulls {
				return invalid("The argument %q has an element that is null. Remove it.", a.Name)
			}
		}
	}
	return nil
}

func (a *Attr) checkList(list []string, expr hcl.Expression) hcl.Diagnostics {
	if a.Kind == ScopeList {
		return checkScopes(list, expr)
	}
	return nil
}

// checkScopes checks the scope tokens (RFC 6749 §3.3).
func checkScopes(scopes []string, expr hcl.Expression) hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := map[string]bool{}
	for i, s := range scopes {
		at := func() hcl.Range { return elementRange(expr, i) }
		switch {
		case s == "":
			diags = append(diags, errorAt(at(), "Empty scope", "A scope must have at least one character. Remove the empty element."))
		case strings.ContainsAny(s, " \t\r\n"):
			diags = append(diags, errorAt(at(), "Several scopes in one element",
				"The scope %q has spaces in it. Write each scope as an element of its own, or all of them as one string.", s))
		case strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }):
			diags = append(diags, errorAt(at(), "Invalid scope",
				"The scope %q has characters that a scope cannot have: only printable ASCII without space, quote and backslash is allowed (RFC 6749 §3.3).", s))
		case seen[s]:
			diags = append(diags, warningAt(at(), "Scope listed twice", "The scope %q is listed more than once. Remove one of them.", s))
		}
		seen[s] = true
	}
	return diags
}

// elementRange is where element i of a list is written, or the whole expression.
func elementRange(expr hcl.Expression, i int) hcl.Range {
	if items, diags := hcl.ExprList(expr); !diags.HasErrors() && i < len(items) {
		return items[i].Range()
	}
	return expr.Range()
}

// typeName names a type for a person.
func typeName(ty cty.Type) string {
	switch {
	case ty == cty.Bool:
		return "true or false"
	case ty.IsTupleType():
		return "a list"
	case ty.IsObjectType():
		return "an object"
	case ty.IsCollectionType() && ty.ElementType().IsPrimitiveType():
		return "a " + ty.FriendlyName() + "s"
	}
	return "a " + ty.FriendlyName()
}

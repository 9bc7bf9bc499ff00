package schema

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
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

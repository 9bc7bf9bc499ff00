package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// elements evaluates a for_each: what each.value is for each.key. It is not ok if
// that cannot be told; why is reported to a, unless it is no mistake, since only a
// part of what the configuration needs is there.
func (l *loader) elements(a addr.Addr, forEach *attr, sc scope) (each map[string]cty.Value, ok bool) {
	fail := func(detail string, args ...any) {
		l.diags = append(l.diags, about(a, hcl.Diagnostics{errorAt(forEach.Expr.Range(), "Invalid for_each", detail, args...)})...)
	}
	v, diags := l.eval.marked(forEach, sc)
	l.diags = append(l.diags, about(a, diags)...)
	if diags.HasErrors() {
		return nil, false
	}
	v, marks := v.Unmark() // the marks of keys are on the whole, those of values are not
	ty := v.Type()
	switch {
	case hasMark(marks, Sensitive):
		fail("The value is sensitive, but the keys of for_each become part of addresses, which are shown. If the keys are no secret, wrap them: nonsensitive(…).")
	case hasMark(marks, ephemeral{}):
		fail("The value is ephemeral, but the keys of for_each become part of addresses, which are kept in the state.")
	case v.IsNull():
		fail("The value is null. Give a map, or a set of strings; an empty one makes no instances.")
	case !v.IsKnown():
		l.unnamed(fail)
	case ty.IsSetType() && (ty.ElementType() == cty.String || v.LengthInt() == 0), ty.IsMapType(), ty.IsObjectType():
		return l.byKey(v, fail)
	case ty.IsTupleType() || ty.IsListType():
		fail("The value is a list. Its elements have no keys; make a set of it: for_each = toset(…).")
	case ty.IsSetType():
		fail("The value is %s. Only a set of strings has keys that can be written in an address.", typeName(ty))
	default:
		fail("The value is %s. Give a map, or a set of strings: toset([\"a\", \"b\"]).", typeName(ty))
	}
	return nil, false
}

// unnamed reports keys that are not known, which is no mistake in a part.
func (l *loader) unnamed(fail func(string, ...any)) {
	if !l.src.Partial {
		fail("The value is not known before other connections have been applied, so the instances cannot be named. Use keys that are written in the configuration.")
	}
}

// byKey lists elements by their keys.
func (l *loader) byKey(v cty.Value, fail func(string, ...any)) (each map[string]cty.Value, ok bool) {
	set, null := v.Type().IsSetType(), false
	each = make(map[string]cty.Value, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if set {
			k = e
		}
		switch {
		case !k.IsKnown():
			l.unnamed(fail)
			return nil, false
		case k.IsNull():
			null = true
		default:
			each[k.AsString()] = e
		}
	}
	if null {
		fail("The set has a null element. Remove it.")
		return nil, false
	}
	return each, true
}

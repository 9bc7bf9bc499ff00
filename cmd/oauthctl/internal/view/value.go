package view

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Outputs implements View.
func (h *human) Outputs(outs []schema.Output) {
	p := h.out()
	defer p.flush()
	p.outputs(outs)
}

func (p *page) outputs(outs []schema.Output) {
	wide := 0
	for _, o := range outs {
		wide = max(wide, Width(Safe(o.Name)))
	}
	for _, o := range outs {
		v := secret.Placeholder
		if !o.Sensitive {
			v = value(o.Value, "")
		}
		p.line(pad(Safe(o.Name), wide), " = ", v)
	}
}

// Value implements View.
func (h *human) Value(v cty.Value, typ string) {
	p := h.out()
	defer p.flush()
	if typ != "" {
		p.line(Safe(typ))
		return
	}
	p.line(value(v, ""))
}

// value writes a value in the syntax of the configuration.
func value(v cty.Value, indent string) string {
	if v == cty.NilVal {
		return "null"
	}
	if v.IsMarked() {
		return secret.Placeholder
	}
	switch t := v.Type(); {
	case !v.IsKnown():
		return knownAfter
	case v.IsNull():
		return "null"
	case t == cty.String:
		return quote(v.AsString())
	case t == cty.Number:
		return numeral(v.AsBigFloat())
	case t == cty.Bool:
		return strconv.FormatBool(v.True())
	case t.IsObjectType() || t.IsMapType():
		return fields(v, indent)
	case v.CanIterateElements():
		return elements(v, indent)
	}
	return "(" + Safe(v.Type().FriendlyName()) + ")"
}

func numeral(f *big.Float) string {
	if f.IsInt() {
		return f.Text('f', 0)
	}
	return f.Text('g', -1)
}

// quote writes a string as HCL would read it, with what is invisible escaped.
func quote(s string) string {
	return `"` + Safe(strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(s)) + `"`
}

func fields(v cty.Value, indent string) string {
	if v.LengthInt() == 0 {
		return "{}"
	}
	in := indent + "  "
	type field struct{ name, value string }
	var all []field
	wide := 0
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		name := quote(k.AsString())
		all = append(all, field{name, value(e, in)})
		wide = max(wide, Width(name))
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, f := range all {
		b.WriteString(in + pad(f.name, wide) + " = " + f.value + "\n")
	}
	b.WriteString(indent + "}")
	return b.String()
}

func elements(v cty.Value, indent string) string {
	if v.LengthInt() == 0 {
		return "[]"
	}
	in := indent + "  "
	var b strings.Builder
	b.WriteString("[\n")
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		b.WriteString(in + value(e, in) + ",\n")
	}
	b.WriteString(indent + "]")
	return b.String()
}

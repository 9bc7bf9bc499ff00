package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Addr is the address of a sink block.
func (b *Block) Addr() addr.Addr { return b.scope.addr }

// With is the block as it is when connections have the attributes that known
// gives. It may be called from several goroutines.
func (b *Block) With(known Known) *Block {
	out := *b
	out.eval = b.eval.with(known, nil)
	return &out
}

// SinksWith are all sinks [Block.With] what is known. They share what they evaluate, so
// that what many refer to is evaluated once; only one may be decoded at a time.
func (c *Config) SinksWith(known Known) []*Block {
	e := c.eval.with(known, nil)
	out := make([]*Block, len(c.Sinks))
	for i, b := range c.Sinks {
		one := *b
		one.eval = e
		out[i] = &one
	}
	return out
}

// DependsOn are the connections that the values come from, and those of depends_on, sorted.
func (o *Object) DependsOn() []addr.Addr { return sortAddrs(slices.Clone(o.deps)) }

// From are the connections that the value of one attribute comes from, sorted.
func (o *Object) From(name string) []addr.Addr { return o.from[name] }

// Secrets returns a StringMap attribute whose members need not all be known. A
// member without a value is null.
func (o *Object) Secrets(name string) map[string]Secret {
	v, ok := o.Values[name]
	if !ok {
		return nil
	}
	v, _ = v.UnmarkDeep()
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	out := make(map[string]Secret, v.LengthInt())
	for k, e := range v.AsValueMap() {
		m := Secret{Known: e.IsKnown()}
		if m.Null = m.Known && e.IsNull(); m.Known && !m.Null {
			m.Value = secret.Secret(e.AsString())
		}
		out[k] = m
	}
	return out
}

// Secret is a value that may not be known yet.
type Secret struct {
	Value       secret.Secret
	Known, Null bool
}

// Settings writes down what the object says of the attributes of the table, in a
// form that is the same whenever they are, and without those that are secrets.
func (o *Object) Settings(spec *Spec) (string, error) {
	out := map[string]any{}
	for i := range spec.Attrs {
		a := &spec.Attrs[i]
		v, ok := o.Values[a.Name]
		if !ok || a.Kind == Sensitive || !o.Has(a.Name) {
			continue
		}
		v, _ = v.UnmarkDeep()
		text, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return "", fmt.Errorf("write down %s: it has no form in JSON", a.Name)
		}
		out[a.Name] = json.RawMessage(text)
	}
	for i := range spec.Blocks {
		n := &spec.Blocks[i]
		var list []any
		for _, nested := range o.Nested[n.Type] {
			if n.Spec == nil {
				continue
			}
			text, err := nested.Settings(n.Spec)
			if err != nil {
				return "", err
			}
			list = append(list, nested.Labels, json.RawMessage(text))
		}
		if len(list) > 0 {
			out[n.Type] = list
		}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// after takes in what depends_on says.
func (b *Block) after(c *content, o *Object) hcl.Diagnostics {
	a := c.attrs["depends_on"]
	if a == nil {
		return nil
	}
	refs, diags := dependsOn(a)
	diags = append(diags, b.eval.checkRefs(a, b.scope)...)
	o.deps = append(o.deps, b.eval.dependencies(refs, nil)...)
	return diags
}

// note remembers which connections the value of an attribute came from.
func (o *Object) note(name string, deps []addr.Addr) {
	o.deps = append(o.deps, deps...)
	if len(deps) == 0 {
		return
	}
	if o.from == nil {
		o.from = map[string][]addr.Addr{}
	}
	o.from[name] = deps
}

// ErrorAt is an error about the place where an attribute is written, or about
// the whole body if it is not written there.
func (o *Object) ErrorAt(name, summary, detail string, args ...any) *hcl.Diagnostic {
	at, ok := o.Ranges[name]
	if !ok {
		at = o.Range
	}
	return errorAt(at, summary, detail, args...)
}

// UnknownKind is the diagnostic about the first label of a block that names none
// of the kinds there are.
func (b *Block) UnknownKind(what string, kinds []string) *hcl.Diagnostic {
	at := b.Range
	if len(b.LabelRange) > 0 {
		at = b.LabelRange[0]
	}
	d := errorAt(at, "Unknown kind of "+what, "There is no kind of %s named %q.%s", what, b.Labels[0], orList(didYouMean(b.Labels[0], kinds), " There are ", kinds))
	d.Extra = DiagExtra{Addr: b.scope.addr}
	return d
}

package providers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// layers are decoded bodies of one kind, the user's before the preset's: what
// stands in an earlier one replaces what stands in a later one.
type layers []*schema.Object

// at is the index of the first layer that sets the attribute, or len(l).
func (l layers) at(name string) int {
	for i, o := range l {
		if o.Has(name) {
			return i
		}
	}
	return len(l)
}

// top is the first layer that sets the attribute, or nil.
func (l layers) top(name string) *schema.Object {
	if i := l.at(name); i < len(l) {
		return l[i]
	}
	return nil
}

func (l layers) has(name string) bool { return l.at(name) < len(l) }

func (l layers) str(name string) string {
	if o := l.top(name); o != nil {
		return o.String(name)
	}
	return ""
}

func (l layers) boolean(name string) bool {
	o := l.top(name)
	return o != nil && o.Bool(name)
}

func (l layers) strings(name string) []string {
	if o := l.top(name); o != nil {
		return o.Strings(name)
	}
	return nil
}

func (l layers) stringMap(name string) map[string]string {
	o := l.top(name)
	if o == nil {
		return nil
	}
	m := o.StringMap(name)
	maps.DeleteFunc(m, func(_, v string) bool { return v == "" }) // RFC 6749 §3.1: empty is omitted
	if len(m) == 0 {
		return nil
	}
	return m
}

// nested are the nested blocks of a type that may stand once.
func (l layers) nested(blockType string) layers {
	var out layers
	for _, o := range l {
		for _, n := range o.Nested[blockType] {
			out = append(out, n.Object)
		}
	}
	return out
}

// rangeOf is where the effective value of an attribute is written, or fallback
// if that is not in the user's configuration.
func (l layers) rangeOf(name string, user int, fallback hcl.Range) *hcl.Range {
	if i := l.at(name); i < user {
		if r, ok := l[i].Ranges[name]; ok {
			return r.Ptr()
		}
	}
	return fallback.Ptr()
}

// chain is a provider block together with the presets below it, decoded as far
// as that is possible before the arguments have values.
type chain struct {
	name   string
	base   string // the preset directly below a user's block, or the preset itself; "" from scratch
	blocks []*schema.Block
	user   int    // how many of the blocks are the user's: 1 or 0
	layers layers // with unknown arguments
	args   []Argument
	given  map[string]schema.Arg // arguments that the blocks themselves set
	diags  hcl.Diagnostics
}

// maxChain is how many presets may build on each other.
const maxChain = 4

// chain follows preset attributes downward from a block, once per block. base is
// the name of the preset if the block is one of the catalogue.
func (c *Catalog) chain(block *schema.Block, base string) *chain {
	if ch, ok := c.chains[block]; ok {
		return ch
	}
	ch := &chain{base: base, given: map[string]schema.Arg{}}
	if len(block.Labels) > 0 {
		ch.name = block.Labels[0]
	}
	if base == "" {
		ch.user = 1
	}
	c.chains[block] = ch
	arguments := map[string]cty.Value{"arg": cty.DynamicVal}
	for b := block; b != nil && !ch.diags.HasErrors(); {
		o, diags := b.Decode(Spec(), arguments)
		ch.diags = append(ch.diags, diags...)
		if diags.HasErrors() {
			return ch
		}
		ch.blocks = append(ch.blocks, b)
		ch.layers = append(ch.layers, o)
		b = c.below(ch, o)
	}
	ch.diags = append(ch.diags, ch.collect()...)
	return ch
}

// below is the block of the preset that o builds on, or nil.
func (c *Catalog) below(ch *chain, o *schema.Object) *schema.Block {
	name := o.String("preset")
	if name == "" {
		return nil
	}
	if ch.base == "" {
		ch.base = name
	}
	if len(ch.blocks) > maxChain {
		ch.diags = append(ch.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Presets build on each other",
			Detail: fmt.Sprintf("The preset %q builds on itself or on too many others.", name),
		})
		return nil
	}
	b, diags := c.block(name)
	for _, d := range diags {
		if d.Subject == nil {
			d.Subject = o.Ranges["preset"].Ptr()
		}
	}
	ch.diags = append(ch.diags, diags...)
	return b
}

// build decodes the chain with the values of the arguments and makes a Preset of
// it. fallback is the place for errors that are not in the user's text.
func (c *Catalog) build(ch *chain, v values, fallback hcl.Range) *resolved {
	r := &resolved{}
	if ch.user > 0 {
		fallback = ch.blocks[0].Range
	}
	var ls layers
	for i, b := range ch.blocks {
		o, diags := b.Decode(Spec(), map[string]cty.Value{"arg": v.object()})
		r.diags = append(r.diags, diags...)
		if diags.HasErrors() {
			return r
		}
		if i < ch.user && !v.partial {
			unknown := checkKnown(o)
			if v.open && len(unknown) > 0 {
				v.partial = true
			} else {
				r.diags = append(r.diags, unknown...)
			}
		}
		ls = append(ls, o)
	}
	a := assembly{chain: ch, layers: ls, fallback: fallback, partial: v.partial}
	r.preset = a.preset()
	r.preset.Partial = v.partial
	if len(v.known) > 0 {
		r.preset.Args = v.known
	}
	a.check(r.preset)
	r.diags = append(r.diags, a.diags...)
	return r
}

// checkKnown refuses values that only an apply would tell. Sensitive ones are
// refused by schema already.
func checkKnown(o *schema.Object) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, name := range o.Unknown {
		diags = append(diags, notKnown("The attribute "+name, o.Ranges[name]))
	}
	for _, blockType := range slices.Sorted(maps.Keys(o.Nested)) {
		for _, n := range o.Nested[blockType] {
			diags = append(diags, checkKnown(n.Object)...)
		}
	}
	return diags
}

func notKnown(what string, r hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Server not known before apply",
		Detail: what + " depends on a connection that has not been applied. " +
			"A plan names every host that will be spoken to, so the server must be known before: use a variable or a literal.",
		Subject: r.Ptr(),
	}
}

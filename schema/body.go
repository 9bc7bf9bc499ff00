package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// content is a body sorted by a Spec, nothing evaluated yet.
type content struct {
	attrs  map[string]*attr
	rest   map[string]*attr // not in the Spec; only if it is open
	blocks map[string]hcl.Blocks
	rng    hcl.Range // where something that is missing is reported
}

// attr is an attribute with what is known of it before evaluation.
type attr struct {
	*hcl.Attribute
	refs   []hcl.Traversal         // what its expression refers to
	traced atomic.Bool             // literals have been looked for
	same   atomic.Pointer[setting] // what all instances of its block have; nil: not known
}

func newAttr(a *hcl.Attribute) *attr { return &attr{Attribute: a, refs: a.Expr.Variables()} }

// readBody sorts a body by the table. what names the body in messages
// ("a connection block"), header is where it starts.
func readBody(body hcl.Body, spec *Spec, what string, header hcl.Range) (*content, hcl.Diagnostics) {
	c := &content{attrs: map[string]*attr{}, blocks: map[string]hcl.Blocks{}, rng: header}
	found, remain, diags := body.PartialContent(spec.bodySchema())
	explainLabels(diags, spec)
	for name, a := range found.Attributes {
		c.attrs[name] = newAttr(a)
	}
	for _, b := range found.Blocks {
		c.blocks[b.Type] = append(c.blocks[b.Type], b)
	}
	diags = append(diags, unknownBlocks(body, spec, what)...)

	rest := restOf(body, remain, spec)
	if spec.Open {
		c.rest = make(map[string]*attr, len(rest))
	}
	for _, name := range sortedKeys(rest) {
		switch a := rest[name]; {
		case spec.hints.of(name) != "":
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument", spec.hints.of(name)))
		case slices.ContainsFunc(spec.Blocks, func(n Nested) bool { return n.Type == name }):
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument",
				"In %s, %q is a block, not an argument: write %s { … } without an equals sign.", what, name, name))
		case spec.Open:
			c.rest[name] = newAttr(a)
		default:
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument",
				"An argument named %q is not expected in %s.%s", name, what, didYouMean(name, spec.names())))
		}
	}
	diags = append(diags, c.count(spec, what, rest)...)
	return c, diags
}

// explainLabels says how a block whose labels are wrong is written.
func explainLabels(diags hcl.Diagnostics, spec *Spec) {
	for _, d := range diags {
		for _, n := range spec.Blocks {
			if strings.HasPrefix(d.Summary, "Missing ") && strings.HasSuffix(d.Summary, " for "+n.Type) ||
				d.Summary == "Extraneous label for "+n.Type {
				header := n.Type
				for _, label := range n.Labels {
					header += " " + strconv.Quote(strings.ToUpper(label))
				}
				d.Detail = fmt.Sprintf("Write it as: %s { … }.", header)
			}
		}
	}
}

// count reports attributes that are missing and blocks that stand too often.
// rest is what is there and not in the table: perhaps a misspelt one, which then
// is the mistake to tell.
func (c *content) count(spec *Spec, what string, rest hcl.Attributes) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, a := range spec.Attrs {
		if _, ok := c.attrs[a.Name]; !a.Required || ok {
			continue
		}
		switch near := Suggest(a.Name, sortedKeys(rest)); {
		case near == "":
			diags = append(diags, errorAt(c.rng, "Missing required argument",
				"The argument %q is required in %s, but it is not set.", a.Name, what))
		case spec.Open: // else it has been told
			diags = append(diags, errorAt(rest[near].NameRange, "Unsupported argument",
				"An argument named %q is not expected in %s. Did you mean %q? It is required.", near, what, a.Name))
		}
	}
	for _, n := range spec.Blocks {
		blocks := c.blocks[n.Type]
		if n.Max == 0 || len(blocks) <= n.Max {
			continue
		}
		first := blocks[0].DefRange
		for _, b := range blocks[n.Max:] {
			diags = append(diags, errorAt(b.DefRange, fmt.Sprintf("Too many %s blocks", n.Type),
				"Only %d %s block is allowed in %s. The first is at %s; remove this one.", n.Max, n.Type, what, place(first)))
		}
	}
	return diags
}

// unknownBlocks names every block that the table does not list. In JSON a block
// looks like an attribute and is reported as one.
func unknownBlocks(body hcl.Body, spec *Spec, what string) hcl.Diagnostics {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	var diags hcl.Diagnostics
	for _, b := range native.Blocks {
		known := slices.ContainsFunc(spec.Blocks, func(n Nested) bool { return n.Type == b.Type })
		switch {
		case known:
		case spec.hints.of(b.Type) != "":
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type", spec.hints.of(b.Type)))
		case slices.ContainsFunc(spec.Attrs, func(a Attr) bool { return a.Name == b.Type }):
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type",
				"In %s, %q is an argument, not a block: write %s = … with an equals sign.", what, b.Type, b.Type))
		default:
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type",
				"Blocks of type %q are not expected in %s.%s", b.Type, what, didYouMean(b.Type, spec.names())))
		}
	}
	return diags
}

func (s *Spec) bodySchema() *hcl.BodySchema {
	out := &hcl.BodySchema{
		Attributes: make([]hcl.AttributeSchema, 0, len(s.Attrs)),
		Blocks:     make([]hcl.BlockHeaderSchema, 0, len(s.Blocks)),
	}
	for _, a := range s.Attrs {
		out.Attributes = append(out.Attributes, hcl.AttributeSchema{Name: a.Name})
	}
	for _, n := range s.Blocks {
		out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: n.Type, LabelNames: n.Labels})
	}
	return out
}

func (s *Spec) names() []string {
	out := make([]string, 0, len(s.Attrs)+len(s.Blocks))
	for _, a := range s.Attrs {
		out = append(out, a.Name)
	}
	for _, n := range s.Blocks {
		out = append(out, n.Type)
	}
	return out
}

// place writes a position as diagnostics do.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

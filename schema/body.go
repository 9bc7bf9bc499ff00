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
	ranges map[string]hcl.Range // of the expressions of all attributes
	rng    hcl.Range            // where something that is missing is reported
}

// attr is an attribute with what is known of it before evaluation.
type attr struct {
	hcl.Attribute
	refs   []hcl.Traversal         // what its expression refers to
	traced atomic.Bool             // literals have been looked for
	same   atomic.Pointer[setting] // what all instances of its block have; nil: not known
}

func newAttr(a *hcl.Attribute) *attr {
	out := &attr{Attribute: *a}
	if native, ok := a.Expr.(hclsyntax.Expression); !ok || mayRefer(native) {
		out.refs = a.Expr.Variables()
	}
	return out
}

// mayRefer is false for expressions that plainly refer to nothing, which spares
// them the walk that finds out what they refer to.
func mayRefer(expr hclsyntax.Expression) bool {
	switch x := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return false
	case *hclsyntax.TemplateExpr:
		return !x.IsStringLiteral()
	case *hclsyntax.TupleConsExpr:
		return slices.ContainsFunc(x.Exprs, mayRefer)
	case *hclsyntax.FunctionCallExpr:
		return slices.ContainsFunc(x.Args, mayRefer)
	}
	return true
}

// readBody sorts a body by the table. what names the body in messages
// ("a connection block"), header is where it starts.
func readBody(body hcl.Body, spec *Spec, what string, header hcl.Range) (*content, hcl.Diagnostics) {
	c := &content{rng: header}
	rest, diags := c.take(body, spec)
	explainLabels(diags, spec)
	diags = append(diags, unknownBlocks(body, spec, what)...)
	if spec.Open {
		c.rest = make(map[string]*attr, len(rest))
	}
	for _, name := range sortedKeys(rest) {
		switch a := rest[name]; {
		case spec.hints.of(name) != "":
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument", spec.hints.of(name)))
		case spec.nested(name) != nil:
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument",
				"In %s, %q is a block, not an argument: write %s { … } without an equals sign.", what, name, name))
		case spec.Open:
			c.rest[name], c.ranges[name] = newAttr(a), a.Expr.Range()
		default:
			diags = append(diags, errorAt(a.NameRange, "Unsupported argument",
				"An argument named %q is not expected in %s.%s", name, what, didYouMean(name, spec.names())))
		}
	}
	diags = append(diags, c.count(spec, what, rest)...)
	return c, diags
}

// take takes what the table lists, and gives the attributes that it does not list.
func (c *content) take(body hcl.Body, spec *Spec) (rest hcl.Attributes, diags hcl.Diagnostics) {
	native, ok := body.(*hclsyntax.Body)
	if ok && spec.fits(native.Blocks) {
		return c.takeNative(native, spec), nil
	}
	found, remain, diags := body.PartialContent(spec.bodySchema())
	c.room(len(found.Attributes))
	for _, a := range found.Attributes {
		c.add(a)
	}
	for _, b := range found.Blocks {
		c.addBlock(b)
	}
	return restOf(body, remain, spec), diags
}

// takeNative is take without the tables that PartialContent makes for every body.
func (c *content) takeNative(body *hclsyntax.Body, spec *Spec) hcl.Attributes {
	var rest hcl.Attributes
	c.room(len(body.Attributes))
	for name, a := range body.Attributes {
		if spec.has(name) {
			c.add(a.AsHCLAttribute())
			continue
		}
		if rest == nil {
			rest = hcl.Attributes{}
		}
		rest[name] = a.AsHCLAttribute()
	}
	for _, b := range body.Blocks {
		if spec.nested(b.Type) != nil {
			c.addBlock(b.AsHCLBlock())
		}
	}
	return rest
}

// room makes room for so many attributes.
func (c *content) room(n int) {
	c.attrs, c.ranges = make(map[string]*attr, n), make(map[string]hcl.Range, n)
}

func (c *content) add(a *hcl.Attribute) {
	c.attrs[a.Name], c.ranges[a.Name] = newAttr(a), a.Expr.Range()
}

func (c *content) addBlock(b *hcl.Block) {
	if c.blocks == nil {
		c.blocks = map[string]hcl.Blocks{}
	}
	c.blocks[b.Type] = append(c.blocks[b.Type], b)
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
		switch {
		case spec.nested(b.Type) != nil:
		case spec.hints.of(b.Type) != "":
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type", spec.hints.of(b.Type)))
		case spec.has(b.Type):
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type",
				"In %s, %q is an argument, not a block: write %s = … with an equals sign.", what, b.Type, b.Type))
		default:
			diags = append(diags, errorAt(b.TypeRange, "Unsupported block type",
				"Blocks of type %q are not expected in %s.%s", b.Type, what, didYouMean(b.Type, spec.names())))
		}
	}
	return diags
}

func (s *Spec) has(attr string) bool {
	return slices.ContainsFunc(s.Attrs, func(a Attr) bool { return a.Name == attr })
}

func (s *Spec) nested(blockType string) *Nested {
	for i := range s.Blocks {
		if s.Blocks[i].Type == blockType {
			return &s.Blocks[i]
		}
	}
	return nil
}

// fits reports whether the blocks that the table lists have as many labels as it
// says. What is wrong with others, PartialContent says.
func (s *Spec) fits(blocks hclsyntax.Blocks) bool {
	return !slices.ContainsFunc(blocks, func(b *hclsyntax.Block) bool {
		n := s.nested(b.Type)
		return n != nil && len(n.Labels) != len(b.Labels)
	})
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

package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Block is a block whose body its owner decodes with [Block.Decode].
type Block struct {
	Type       string
	Labels     []string
	Range      hcl.Range   // of the header
	LabelRange []hcl.Range // of each label

	body  hcl.Body
	eval  *evaluator
	scope scope
}

func newBlock(b *hcl.Block, e *evaluator, sc scope) *Block {
	return &Block{Type: b.Type, Labels: b.Labels, Range: b.DefRange, LabelRange: b.LabelRanges, body: b.Body, eval: e, scope: sc}
}

// Decode evaluates the body by the table. extra adds variables to the scope
// (for example "arg" in provider blocks).
func (b *Block) Decode(spec *Spec, extra map[string]cty.Value) (*Object, hcl.Diagnostics) {
	sc := b.scope
	sc.extra = extra
	body, diags := b.eval.expand(b.body, sc)
	if written := dynamics(b.body); len(written) > 0 { // the expanded body cannot tell what is not expected in it
		sc.iterators = iterators(written)
		known := *spec
		known.Blocks = append(slices.Clone(spec.Blocks), dynamicNested)
		if body == b.body {
			spec = &known
		}
		diags = append(diags, unknownBlocks(b.body, &known, "a "+b.Type+" block")...)
		diags = append(diags, spec.dynamicTypes(written, "a "+b.Type+" block")...)
	}
	c, more := readBody(body, spec, "a "+b.Type+" block", b.Range)
	diags = append(diags, more...)
	o, more := b.eval.object(c, spec, sc)
	diags = append(append(diags, more...), b.after(c, o)...)
	return o, about(sc.addr, append(diags, b.eval.cache.takeProblems()...))
}

// Needs lists the connections that the block refers to, sorted.
func (b *Block) Needs() []addr.Addr {
	var refs []connRef
	for _, a := range allAttrs(b.body) {
		refs = append(refs, b.eval.connRefs(a.refs)...)
	}
	return b.eval.dependencies(refs, nil)
}

// ParseBlocks parses text that is not part of a configuration (the embedded
// presets) into its top-level blocks of the given type, with one label each; the scope has functions only.
func ParseBlocks(filename string, text []byte, blockType string) ([]*Block, hcl.Diagnostics) {
	file, diags := parseFile(filename, text)
	if file == nil {
		return nil, diags
	}
	spec := &Spec{Blocks: []Nested{{Type: blockType, Labels: []string{"name"}}}}
	c, more := readBody(file.Body, spec, "this file", file.Body.MissingItemRange())
	diags = append(diags, more...)
	e := newEvaluator(nil, nil)
	var blocks []*Block
	for _, b := range c.blocks[blockType] {
		blocks = append(blocks, newBlock(b, e, scope{place: "a preset"}))
	}
	return blocks, diags
}

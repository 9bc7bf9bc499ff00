package schema

import (
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// dynamicNested lists dynamic blocks in the tables of bodies that can have them.
// They are expanded before the body is sorted.
var dynamicNested = Nested{Type: "dynamic", Labels: []string{"block_type"}, Doc: "Makes a nested block for each element of for_each, from its content block."}

// dynamics are the dynamic blocks that stand directly in a body.
func dynamics(body hcl.Body) hcl.Blocks {
	if native, ok := body.(*hclsyntax.Body); ok && !slices.ContainsFunc(native.Blocks, func(b *hclsyntax.Block) bool { return b.Type == "dynamic" }) {
		return nil // nearly always
	}
	c, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: dynamicNested.Labels}}})
	return c.Blocks
}

// expand gives the body with a block for each element in the place of its
// dynamic blocks; the body itself if it has none. How many blocks there are has
// to be known before anything is applied.
func (e *evaluator) expand(body hcl.Body, sc scope) (hcl.Body, hcl.Diagnostics) {
	blocks := dynamics(body)
	if len(blocks) == 0 {
		return body, nil
	}
	sc.place, sc.connections = "the for_each of a dynamic block", false
	var diags hcl.Diagnostics
	var refs []hcl.Traversal
	for _, b := range blocks {
		for _, a := range allAttrs(b.Body) {
			outer := a.Name == "for_each"
			for _, t := range a.refs {
				switch t.RootName() {
				case "var", "local", "each":
					refs = append(refs, t)
				case "connection":
					if d := e.checkRef(t, sc); outer && d != nil {
						diags = append(diags, d)
					}
				}
			}
		}
	}
	for _, t := range refs {
		if d := e.checkRef(t, sc); d != nil {
			diags = append(diags, d)
		}
	}
	if diags.HasErrors() {
		return body, diags
	}
	ctx := e.context(refs, sc)
	for _, b := range blocks {
		each, _ := b.Body.JustAttributes()
		if a := each["for_each"]; e.guessed && a != nil {
			if v, problems := a.Expr.Value(ctx); !problems.HasErrors() && !v.IsKnown() {
				return body, nil // a value is missing that validate needs not
			}
		}
	}
	return dynblock.Expand(body, ctx, dynblock.OptCheckForEach(checkDynamic)), nil
}

func checkDynamic(v cty.Value, expr hcl.Expression, _ *hcl.EvalContext) hcl.Diagnostics {
	switch {
	case IsSensitive(v):
		return hcl.Diagnostics{errorAt(expr.Range(), "Invalid for_each", "The value is sensitive, but how many blocks there are is shown. If that is no secret, wrap it: nonsensitive(…).")}
	case !v.IsKnown():
		return hcl.Diagnostics{errorAt(expr.Range(), "Invalid for_each", "The value is not known before other connections have been applied, so the blocks cannot be counted.")}
	}
	return nil
}

// dynamicConnection expands the dynamic blocks of one instance.
func (e *evaluator) dynamicConnection(b *connectionBlock, sc scope) (*connectionBlock, hcl.Diagnostics) {
	if len(b.content.blocks["dynamic"]) == 0 {
		return b, nil
	}
	body, diags := e.expand(b.block.Body, sc)
	same := body == b.block.Body
	diags = append(diags, connectionSpec.dynamicTypes(b.content.blocks["dynamic"], "a connection block")...)
	if diags.HasErrors() || same {
		return b, diags
	}
	c, more := readBody(body, connectionSpec, "a connection block", b.block.DefRange)
	delete(c.blocks, "lifecycle")
	delete(c.blocks, "dynamic")
	out := *b
	out.content, out.grant, out.iterators = c, nil, iterators(b.content.blocks["dynamic"])
	for _, g := range c.blocks["grant"] {
		out.grant = append(out.grant, allAttrs(g.Body)...)
	}
	return &out, append(diags, more...)
}

// isExpanded: the body has been through expand. Such bodies hide nothing that
// was taken from them, and do not give the iterators to what is left.
func isExpanded(body hcl.Body) bool {
	if _, native := body.(*hclsyntax.Body); native {
		return false
	}
	return reflect.TypeOf(body) == reflect.TypeOf(dynblock.Expand(hcl.EmptyBody(), nil))
}

// restOf gives the attributes that a table does not list. remain is what is
// left of the body when those in the table have been taken.
func restOf(body, remain hcl.Body, spec *Spec) hcl.Attributes {
	rest, _ := remain.JustAttributes() // complains of the blocks that unknownBlocks has named already
	if !isExpanded(body) {
		return rest
	}
	known, want := spec.names(), &hcl.BodySchema{}
	for _, name := range sortedKeys(rest) {
		if name != "dynamic" && !slices.Contains(known, name) {
			want.Attributes = append(want.Attributes, hcl.AttributeSchema{Name: name})
		}
	}
	found, _, _ := body.PartialContent(want)
	return found.Attributes
}

// dynamicTypes reports dynamic blocks for what is no block of the body.
func (s *Spec) dynamicTypes(blocks hcl.Blocks, what string) hcl.Diagnostics {
	var types []string
	for _, n := range s.Blocks {
		if n.Type != "dynamic" && n.Type != "lifecycle" {
			types = append(types, n.Type)
		}
	}
	var diags hcl.Diagnostics
	for _, b := range blocks {
		if !slices.Contains(types, b.Labels[0]) {
			diags = append(diags, errorAt(b.LabelRanges[0], "Unsupported block type",
				"Blocks of type %q are not expected in %s.%s", b.Labels[0], what, didYouMean(b.Labels[0], types)))
		}
	}
	return diags
}

// iterators says where the values of the iterators of dynamic blocks are written.
func iterators(blocks hcl.Blocks) map[string]hcl.Expression {
	var out map[string]hcl.Expression
	for _, b := range blocks {
		attrs := map[string]*attr{}
		for _, a := range allAttrs(b.Body) {
			if attrs[a.Name] == nil { // those of the block itself come first
				attrs[a.Name] = a
			}
		}
		name, each := b.Labels[0], attrs["for_each"]
		if it := attrs["iterator"]; it != nil {
			name = hcl.ExprAsKeyword(it.Expr)
		}
		if each == nil || name == "" {
			continue
		}
		if out == nil {
			out = map[string]hcl.Expression{}
		}
		out[name] = each.Expr
	}
	return out
}

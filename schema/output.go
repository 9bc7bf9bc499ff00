package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// outputBlock is an output block.
type outputBlock struct {
	name    string
	rng     hcl.Range
	content *content
	pre     []rule
}

var outputScope = scope{place: "an output block", variables: true, locals: true, connections: true}

func (l *loader) declareOutputs(blocks hcl.Blocks) {
	for _, b := range blocks {
		name := b.Labels[0]
		if !l.declare("output", name, b.LabelRanges[0], b.DefRange) {
			continue
		}
		c, diags := readBody(b.Body, outputSpec, "an output block", b.DefRange)
		o := &outputBlock{name: name, rng: b.DefRange, content: c}
		if d := c.attrs["depends_on"]; d != nil {
			_, more := dependsOn(d)
			diags = append(diags, more...)
		}
		var more hcl.Diagnostics
		o.pre, more = rules(c.blocks["precondition"], "a precondition block")
		diags = append(diags, more...)
		delete(c.blocks, "precondition")
		l.diags = append(l.diags, diags...)
		l.outputs = append(l.outputs, o)
	}
	slices.SortFunc(l.outputs, func(a, b *outputBlock) int { return strings.Compare(a.name, b.name) })
	l.cfg.outputs = l.outputs
}

// checkOutputs evaluates all outputs once, to find their mistakes early.
func (l *loader) checkOutputs() {
	for _, o := range l.outputs {
		if d := o.content.attrs["depends_on"]; d != nil {
			l.diags = append(l.diags, l.eval.checkRefs(d, outputScope)...)
		}
		_, diags := l.eval.output(o)
		l.diags = append(l.diags, diags...)
		for _, r := range o.pre {
			_, _, diags := l.eval.judge(r, outputScope)
			l.diags = append(l.diags, diags...)
		}
	}
}

func (e *evaluator) output(o *outputBlock) (Output, hcl.Diagnostics) {
	obj, diags := e.object(o.content, outputSpec, outputScope)
	var needs []addr.Addr
	if a := o.content.attrs["value"]; a != nil {
		_, needs, _ = e.value(a, outputScope)
	}
	out := Output{Name: o.name, Description: obj.String("description"), Sensitive: obj.Bool("sensitive"), Value: cty.DynamicVal, DependsOn: needs, Range: o.rng}
	v, ok := obj.Values["value"]
	if !ok {
		if !diags.HasErrors() {
			out.Value = cty.NullVal(cty.DynamicPseudoType)
		}
		return out, diags
	}
	if IsSensitive(v) && !out.Sensitive {
		diags = append(diags, errorAt(obj.Ranges["value"], "Output of a sensitive value",
			"The value of the output %q comes from something sensitive. Add sensitive = true to the block, or wrap the value if it is no secret: nonsensitive(…).", o.name))
		return out, diags
	}
	out.Value, _ = v.UnmarkDeep()
	return out, diags
}

// Outputs evaluates the output blocks, sorted by name.
func (c *Config) Outputs(known Known) ([]Output, hcl.Diagnostics) {
	var outs []Output
	var diags hcl.Diagnostics
	e := c.eval.with(known, nil)
	for _, o := range c.outputs {
		out, more := e.output(o)
		failed := e.outputConditions(o)
		if failed.HasErrors() {
			out.Value = cty.DynamicVal
		}
		outs = append(outs, out)
		diags = append(append(diags, more...), failed...)
	}
	return outs, tidy(append(diags, e.cache.takeProblems()...))
}

package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A secret that is written in a configuration is read by everybody who reads the
// configuration, and stays in its history. refuseLiteral follows a sensitive
// attribute back to where its value is written: through locals, for_each,
// defaults of variables, and functions that hand an argument on.
func (e *evaluator) refuseLiteral(name string, a *attr, sc scope) hcl.Diagnostics {
	t := &tracer{e: e, sc: sc, seen: map[string]bool{}}
	t.trace(a.Expr, nil)
	if len(t.found) == 0 {
		return nil
	}
	for _, r := range t.found {
		e.sources.hide(r)
	}
	where := ""
	if at := t.found[0]; !a.Expr.Range().Overlaps(at) {
		where = fmt.Sprintf(" The value comes from %s.", place(at))
	}
	return hcl.Diagnostics{errorAt(a.Expr.Range(), "Secret written in the configuration",
		"The argument %q is a secret, so it must not be written in a file that others read.%s Use env(%q), or a variable with sensitive = true and no default.",
		name, where, strings.ToUpper(name))}
}

// refuseLiteralParams does the same for members of a map whose names say that they are secret.
func (e *evaluator) refuseLiteralParams(a *attr, sc scope) hcl.Diagnostics {
	var diags hcl.Diagnostics
	pairs, problems := hcl.ExprMap(a.Expr)
	if problems.HasErrors() {
		return nil
	}
	for _, p := range pairs {
		if k := constant(p.Key); k.Type() == cty.String && sensitiveName(k.AsString()) {
			member := &attr{Attribute: hcl.Attribute{Name: k.AsString(), Expr: p.Value}}
			diags = append(diags, e.refuseLiteral(k.AsString(), member, sc)...)
		}
	}
	return diags
}

// step is a key on the way into an object; nil stands for any.
type step *string

type tracer struct {
	e     *evaluator
	sc    scope
	seen  map[string]bool // locals on the way
	depth int
	found []hcl.Range
}

// trace looks for literals that become the part of an expression's value that
// path leads to.
func (t *tracer) trace(expr hcl.Expression, path []step) {
	if t.depth++; t.depth > 2*maxDepth {
		return
	}
	defer func() { t.depth-- }()
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok { // as most are
		t.call(call, path)
		return
	}
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		t.members(pairs, path)
		return
	}
	if items, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, item := range items {
			t.trace(item, tail(path))
		}
		return
	}
	native := nativeExpr(expr)
	if native == nil { // a number or the like, in JSON
		t.ifConstant(expr, path)
		return
	}
	switch x := native.(type) {
	case *hclsyntax.ParenthesesExpr:
		t.trace(x.Expression, path)
	case *hclsyntax.TemplateWrapExpr:
		t.trace(x.Wrapped, path)
	case *hclsyntax.ConditionalExpr:
		t.trace(x.TrueResult, path)
		t.trace(x.FalseResult, path)
	case *hclsyntax.ScopeTraversalExpr:
		t.reference(x.Traversal, path)
	case *hclsyntax.RelativeTraversalExpr:
		t.trace(x.Source, append(steps(x.Traversal), path...))
	case *hclsyntax.IndexExpr:
		t.trace(x.Collection, append([]step{stepOf(constant(x.Key))}, path...))
	case *hclsyntax.FunctionCallExpr:
		t.call(x, path)
	case *hclsyntax.ForExpr:
		t.trace(x.ValExpr, tail(path))
	default:
		t.ifConstant(native, path)
	}
}

func (t *tracer) members(pairs []hcl.KeyValuePair, path []step) {
	if len(path) == 0 {
		return
	}
	for _, p := range pairs {
		k := constant(p.Key)
		if path[0] == nil || k.Type() != cty.String || k.AsString() == *path[0] {
			t.trace(p.Value, path[1:])
		}
	}
}

// reference goes on where a local, a variable or for_each is written.
func (t *tracer) reference(tr hcl.Traversal, path []step) {
	name := attrStep(tr, 1)
	if name == "" {
		return
	}
	path = append(steps(tr[2:]), path...)
	switch tr.RootName() {
	case "local":
		if l := t.e.locals[name]; l != nil && !t.seen[name] {
			t.seen[name] = true
			t.trace(l.Expr, path)
			delete(t.seen, name)
		}
	case "var":
		if v := t.e.variables[name]; v != nil && v.defaultExpr != nil {
			t.trace(v.defaultExpr.Expr, path)
		}
	case "each":
		if name == "value" && t.sc.forEach != nil {
			t.trace(t.sc.forEach.Expr, append([]step{nil}, path...))
		}
	default:
		if from := t.sc.iterators[tr.RootName()]; name == "value" && from != nil {
			t.trace(from, append([]step{nil}, path...))
		}
	}
}

// call knows the functions that hand an argument on. What env and file give is
// written elsewhere; of any other function it is asked whether it depends on
// anything that is.
func (t *tracer) call(x *hclsyntax.FunctionCallExpr, path []step) {
	switch x.Name {
	case "file", "fileexists":
	case "env":
		for _, a := range x.Args[min(1, len(x.Args)):] {
			t.trace(a, path)
		}
	case "try", "coalesce", "sensitive", "nonsensitive", "tostring", "trimspace", "chomp", "one", "merge", "tomap", "toset", "tolist":
		for _, a := range x.Args {
			t.trace(a, path)
		}
	case "lookup":
		if len(x.Args) > 1 {
			t.trace(x.Args[0], append([]step{stepOf(constant(x.Args[1]))}, path...))
		}
		for _, a := range x.Args[min(2, len(x.Args)):] {
			t.trace(a, path)
		}
	default:
		t.ifConstant(x, path)
	}
}

// ifConstant takes the expression as a literal if it depends on nothing.
func (t *tracer) ifConstant(expr hcl.Expression, path []step) {
	native, ok := expr.(hclsyntax.Expression)
	if len(expr.Variables()) > 0 || ok && callsOutside(native) {
		return
	}
	v, diags := evaluate(expr, t.e.base)
	if diags.HasErrors() {
		return
	}
	v, _ = v.UnmarkDeep()
	if len(path) == 0 && (!v.IsKnown() || v.IsNull() || v.Type() == cty.String && v.AsString() == "") {
		return
	}
	t.found = append(t.found, expr.Range())
}

func callsOutside(expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && (call.Name == "env" || call.Name == "file" || call.Name == "fileexists") {
			found = true
		}
		return nil
	})
	return found
}

// constant is the value of a key, or NilVal's type-less stand-in if it is none.
func constant(expr hcl.Expression) cty.Value {
	v, diags := expr.Value(nil)
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() || v.IsMarked() {
		return cty.DynamicVal
	}
	return v
}

func stepOf(v cty.Value) step {
	if v.Type() != cty.String || !v.IsKnown() {
		return nil
	}
	s := v.AsString()
	return &s
}

func steps(tr hcl.Traversal) []step {
	out := make([]step, 0, len(tr))
	for i := range tr {
		var s step
		if name := attrStep(tr, i); name != "" {
			s = &name
		}
		out = append(out, s)
	}
	return out
}

func tail(path []step) []step {
	if len(path) == 0 {
		return nil
	}
	return path[1:]
}

package schema

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Typed is an expression that stands in no file of the configuration: somebody
// types it.
type Typed struct {
	Name string // for messages, in the place of a file name
	Line int    // of its first line, from 1
	Text string
}

// Evaluate gives an expression its value, which is marked with [Sensitive] where
// it is. type(x) as a whole expression gives the type of x instead of a value.
func (c *Config) Evaluate(t Typed, known Known) (v cty.Value, typ string, diags hcl.Diagnostics) {
	expr, diags := c.parseTyped(t)
	if diags.HasErrors() {
		return cty.DynamicVal, "", diags
	}
	call, isType := expr.(*hclsyntax.FunctionCallExpr)
	if isType = isType && call.Name == "type" && len(call.Args) == 1; isType {
		expr = call.Args[0]
	}
	e := c.eval.with(known, nil)
	sc := scope{place: "this expression", variables: true, locals: true, connections: true}
	v, _, diags = e.value(newAttr(&hcl.Attribute{Expr: expr, Range: expr.Range()}), sc)
	diags = tidy(append(diags, e.cache.takeProblems()...))
	if isType && !diags.HasErrors() {
		return cty.NilVal, typeexpr.TypeString(v.Type()), diags
	}
	return v, "", diags
}

func (c *Config) parseTyped(t Typed) (hclsyntax.Expression, hcl.Diagnostics) {
	// Empty lines before it give everything its place.
	text := []byte(strings.Repeat("\n", t.Line-1) + t.Text)
	file := c.Sources.add(t.Name, text)
	if d := checkBytes(t.Name, text); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	start := hcl.Pos{Line: t.Line, Column: 1, Byte: t.Line - 1}
	tokens, _ := hclsyntax.LexExpression([]byte(t.Text), t.Name, start) // what is wrong here, the parser says better
	if d := checkTokens(tokens); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(t.Text), t.Name, start)
	file.broken = diags.HasErrors()
	return expr, firstOfString(diags)
}

// Continues reports whether an expression goes on in the next line: a bracket,
// or a heredoc, is open.
func Continues(text string) bool {
	tokens, _ := hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos)
	open := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOHeredoc:
			open++
		case hclsyntax.TokenCHeredoc:
			open--
		default:
			open += bracket(t.Type)
		}
	}
	return open > 0
}

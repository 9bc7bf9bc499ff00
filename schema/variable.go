package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variableDecl is a variable block before it has a value.
type variableDecl struct {
	*Variable
	constraint  cty.Type // with optional attributes
	defaults    *typeexpr.Defaults
	typed       bool // a type is written
	unsure      bool // the block has mistakes, such as a misspelt sensitive: the value may be a secret
	nullable    bool
	hasDefault  bool
	fallback    cty.Value
	defaultExpr *attr
	validations []validation
}

type validation struct{ condition, message *attr }

func (l *loader) declareVariables(blocks hcl.Blocks) {
	for _, b := range blocks {
		name := b.Labels[0]
		if !l.declare("variable", name, b.LabelRanges[0], b.DefRange) {
			continue
		}
		v := &variableDecl{
			Variable: &Variable{Name: name, Type: cty.DynamicPseudoType, Value: cty.DynamicVal, Range: b.DefRange},
			nullable: true,
		}
		c, diags := readBody(b.Body, variableSpec, "a variable block", b.DefRange)
		v.unsure = diags.HasErrors()
		l.diags = append(l.diags, diags...)
		o, diags := l.eval.object(c, variableSpec, scope{place: "a variable block"})
		v.unsure = v.unsure || diags.HasErrors()
		l.diags = append(l.diags, diags...)
		v.Description, v.Sensitive, v.Ephemeral = o.String("description"), o.Bool("sensitive"), o.Bool("ephemeral")
		if o.Has("nullable") {
			v.nullable = o.Bool("nullable")
		}
		l.variableType(v, c.attrs["type"])
		l.variableDefault(v, c.attrs["default"])
		l.variableValidations(v, c.blocks["validation"])
		l.cfg.Variables[name] = v.Variable
		l.eval.variables[name] = v
		l.variables = append(l.variables, v)
	}
}

func (l *loader) variableType(v *variableDecl, a *attr) {
	if a == nil {
		return
	}
	if native, ok := a.Expr.(hclsyntax.Expression); !ok {
		// JSON: the string is parsed as an expression only now.
		if text, diags := a.Expr.Value(nil); !diags.HasErrors() && text.Type() == cty.String && text.IsKnown() && !text.IsNull() {
			if err := checkExpression(text.AsString()); err != nil {
				l.diags = append(l.diags, errorAt(a.Expr.Range(), "Invalid type", "%s", err))
				return
			}
		}
	} else if tmpl, ok := native.(*hclsyntax.TemplateExpr); ok && tmpl.IsStringLiteral() {
		l.diags = append(l.diags, errorAt(a.Expr.Range(), "Invalid type", "A type is written without quotes, such as type = string or type = list(string)."))
		return
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
	for _, d := range diags {
		d.Summary = "Invalid type"
		if word := hcl.ExprAsKeyword(a.Expr); word != "" {
			d.Detail += didYouMean(word, []string{"string", "number", "bool", "any"})
		}
	}
	l.diags = append(l.diags, diags...)
	if !diags.HasErrors() {
		v.Type, v.defaults, v.typed = ty.WithoutOptionalAttributesDeep(), defaults, true
		v.constraint = ty
	}
}

func (l *loader) variableDefault(v *variableDecl, a *attr) {
	if a == nil {
		return
	}
	v.hasDefault, v.defaultExpr, v.fallback = true, a, cty.DynamicVal
	val, _, diags := l.eval.value(a, scope{place: "a default: it has to be a constant"})
	if !diags.HasErrors() {
		var err error
		if val, err = v.convert(val); err != nil {
			diags = append(diags, errorAt(a.Expr.Range(), "Invalid default",
				"The default of the variable %q does not fit its type: %s.", v.Name, err))
		} else {
			v.fallback = val
		}
	}
	if v.Sensitive {
		l.cfg.Sources.hide(a.Expr.Range())
	}
	l.diags = append(l.diags, diags...)
}

// convert gives a value the variable's type, optional attributes filled in.
func (v *variableDecl) convert(val cty.Value) (cty.Value, error) {
	if val.IsNull() && !v.nullable {
		return val, fmt.Errorf("the value must not be null")
	}
	if !v.typed {
		return val, nil
	}
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	return convert.Convert(val, v.constraint)
}

func (l *loader) variableValidations(v *variableDecl, blocks hcl.Blocks) {
	for _, b := range blocks {
		c, diags := readBody(b.Body, validationSpec, "a validation block", b.DefRange)
		l.diags = append(l.diags, diags...)
		cond, msg := c.attrs["condition"], c.attrs["error_message"]
		if cond == nil || msg == nil {
			continue
		}
		refersToSelf := false
		for _, t := range cond.refs {
			refersToSelf = refersToSelf || t.RootName() == "var" && attrStep(t, 1) == v.Name
		}
		if !refersToSelf {
			l.diags = append(l.diags, errorAt(cond.Expr.Range(), "Condition about something else",
				"The condition must refer to var.%s, the variable that it checks.", v.Name))
			continue
		}
		v.validations = append(v.validations, validation{cond, msg})
	}
}

// validate checks the value by the rules of the block.
func (l *loader) validate(v *variableDecl) {
	for _, rule := range v.validations {
		sc := scope{place: "a validation block", variables: true}
		ok, _, diags := l.eval.value(rule.condition, sc)
		l.diags = append(l.diags, diags...)
		if diags.HasErrors() {
			continue
		}
		ok, _ = ok.Unmark()
		ok, err := convert.Convert(ok, cty.Bool)
		switch {
		case err != nil || ok.IsNull():
			l.diags = append(l.diags, errorAt(rule.condition.Expr.Range(), "Invalid condition", "The condition must be true or false."))
		case !ok.IsKnown() || ok.True(), v.unsure: // the message might tell
		default:
			l.diags = append(l.diags, byRule(errorAt(v.Range, "Invalid value for variable",
				"The value of var.%s is refused: %s\nThe rule is at %s.", v.Name, l.message(rule.message, sc), place(rule.condition.Expr.Range())), "var."+v.Name))
		}
	}
}

func (l *loader) message(a *attr, sc scope) string {
	v, _, diags := l.eval.value(a, sc)
	l.diags = append(l.diags, diags...)
	switch {
	case IsSensitive(v):
		return "(the message is not shown because it has a sensitive value in it)"
	case isEphemeral(v):
		return "(the message is not shown because it has an ephemeral value in it)"
	}
	v, _ = v.UnmarkDeep()
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "(the message is not text)"
	}
	return s.AsString()
}

package schema

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFileFunc renders a file of the configuration directory. It has the
// functions of the language but those that render.
func (l *loader) templateFileFunc() function.Function {
	return templateFunc("path", func(path string) (string, string, map[string]function.Function, error) {
		text, err := l.text(path)
		fs := maps.Clone(l.eval.functions)
		delete(fs, "templatefile")
		delete(fs, "templatestring")
		return filepath.ToSlash(path), text, fs, err
	})
}

// templateStringFunc renders a text. Whoever gives the text may not look
// outside: it has the pure functions only.
func templateStringFunc() function.Function {
	return templateFunc("template", func(text string) (string, string, map[string]function.Function, error) {
		return "the template", text, pureFunctions(), nil
	})
}

// templateFunc is a function of something that read turns into the name and the
// text of a template, and of an object with what the template may refer to.
func templateFunc(param string, read func(string) (name, text string, fs map[string]function.Function, err error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: param, Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType, AllowMarked: true},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if vars, _ := args[1].Unmark(); vars.IsKnown() && !vars.IsNull() && !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
				return cty.NilType, function.NewArgErrorf(1, "want an object with what the template refers to, such as { name = var.name }")
			}
			return cty.String, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name, text, fs, err := read(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			vars, marks := args[1].Unmark()
			given := vars.AsValueMap()
			for name, v := range given {
				given[name] = v.WithMarks(marks)
			}
			return render(name, text, &hcl.EvalContext{Functions: fs, Variables: given})
		},
	})
}

// render evaluates a template that has passed the guards of files.
func render(name, text string, ctx *hcl.EvalContext) (cty.Value, error) {
	none := cty.UnknownVal(cty.String)
	if d := checkBytes(name, []byte(text)); d != nil {
		return none, errors.New(strings.TrimSuffix(d.Detail, "."))
	}
	tokens, _ := hclsyntax.LexTemplate([]byte(text), name, hcl.InitialPos) // what is wrong here, the parser says better
	if d := checkTokens(tokens); d != nil {
		return none, errors.New(strings.TrimSuffix(d.Detail, "."))
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return none, templateError(diags[0], true)
	}
	secret := false
	for _, t := range expr.Variables() {
		v, ok := ctx.Variables[t.RootName()]
		if !ok {
			hint := ""
			if meant := Suggest(t.RootName(), sortedKeys(ctx.Variables)); meant != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", meant)
			}
			return none, fmt.Errorf("the template refers to %q at %s, which is not among the names that it is given%s", t.RootName(), place(t.SourceRange()), hint)
		}
		secret = secret || IsSensitive(v)
	}
	v, diags := evaluate(expr, ctx)
	if diags.HasErrors() {
		return none, templateError(diags[0], !secret)
	}
	return asText(v)
}

// asText makes a string of what a template gives: one that is a single ${…} gives
// a value of any type.
func asText(v cty.Value) (cty.Value, error) {
	plain, marks := v.Unmark()
	switch {
	case plain.IsKnown() && plain.IsNull():
		return cty.UnknownVal(cty.String), errors.New("the template gives null, and not text")
	case plain.Type() == cty.String:
		return v, nil
	case !plain.IsKnown():
		return cty.UnknownVal(cty.String).WithMarks(marks), nil
	case plain.Type() == cty.Number:
		return cty.StringVal(plain.AsBigFloat().Text('f', -1)).WithMarks(marks), nil
	case plain.Type() == cty.Bool:
		return cty.StringVal(fmt.Sprint(plain.True())).WithMarks(marks), nil
	}
	return cty.UnknownVal(cty.String), fmt.Errorf("the template gives %s, and not text", typeName(plain.Type()))
}

// templateError says where in a template something is wrong. The detail may
// quote values.
func templateError(d *hcl.Diagnostic, detail bool) error {
	at := "the template is wrong: "
	if d.Subject != nil {
		at = "the template is wrong at " + place(*d.Subject) + ": "
	}
	if !detail {
		return errors.New(at + d.Summary + "; the reason is not shown, because a value is sensitive")
	}
	return errors.New(at + d.Summary + "; " + strings.TrimSuffix(d.Detail, "."))
}

package schema

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// given is a value for a variable and where it comes from.
type given struct {
	text string // from -var or the environment: how it reads depends on the variable's type
	expr hcl.Expression
	from string // for messages: "-var", "OAUTHCTL_VAR_tenant", a file
	rng  *hcl.Range

	asked bool // by -var or -var-file, in this very call
}

// assignVariables gives every variable its value.
func (l *loader) assignVariables(ctx context.Context) {
	values := map[string]given{}
	if l.src.recorded == nil { // which has them all
		before := len(l.diags)
		l.gather(values)
		l.valuesLost = l.diags[before:].HasErrors()
	}
	for _, v := range l.variables {
		g, ok := values[v.Name]
		if ctx.Err() != nil {
			return
		}
		l.assign(v, g, ok)
	}
	vars := make(map[string]cty.Value, len(l.variables))
	for _, v := range l.variables {
		vars[v.Name] = v.Value
	}
	l.eval.base.Variables["var"] = cty.ObjectVal(vars)
	for _, v := range l.variables {
		l.validate(v)
	}
}

// gather collects values from outside, weakest source first.
func (l *loader) gather(values map[string]given) {
	for _, v := range l.variables {
		if text, ok := l.lookup("OAUTHCTL_VAR_" + v.Name); ok {
			values[v.Name] = given{text: text, from: "OAUTHCTL_VAR_" + v.Name}
		}
	}
	for _, name := range l.autoFiles() {
		text, err := readBelow(l.dir(), name)
		l.varFile(values, given{from: filepath.ToSlash(filepath.Join(l.dir(), name))}, text, err)
	}
	for _, in := range l.src.Vars {
		switch {
		case in.File != "":
			text, err := readVarFile(in.File)
			l.varFile(values, given{from: filepath.ToSlash(in.File), asked: true}, text, err)
		case l.eval.variables[in.Name] == nil && in.Arg != nil:
			l.diags = append(l.diags, errorAt(in.Arg.Name, "Value for an undeclared variable",
				"The test gives a value for %q, but the configuration declares no such variable.%s", in.Name, didYouMean(in.Name, sortedKeys(l.eval.variables))))
		case in.Arg != nil:
			values[in.Name] = given{expr: hcl.StaticExpr(in.Arg.Value, in.Arg.Range), from: "the test", rng: in.Arg.Range.Ptr(), asked: true}
		case l.eval.variables[in.Name] == nil:
			l.diags = append(l.diags, &hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  "Value for an undeclared variable",
				Detail: fmt.Sprintf("-var gives a value for %q, but the configuration declares no such variable.%s Declare it with: variable %q {}",
					in.Name, didYouMean(in.Name, sortedKeys(l.eval.variables)), in.Name),
			})
		default:
			values[in.Name] = given{text: in.Value, from: "-var", asked: true}
		}
	}
}

// terraformValue says where Terraform would find a value of a variable; "": nowhere.
func (l *loader) terraformValue(name string) string {
	if _, ok := l.lookup("TF_VAR_" + name); ok {
		return fmt.Sprintf(" TF_VAR_%s, which is set, is Terraform's.", name)
	}
	if _, err := os.Lstat(filepath.Join(l.dir(), "terraform.tfvars")); err == nil {
		return " The file terraform.tfvars is Terraform's; here it is called oauthctl.oauthvars."
	}
	return ""
}

func (l *loader) lookup(name string) (string, bool) {
	if l.src.LookupEnv == nil {
		return "", false
	}
	return l.src.LookupEnv(name)
}

func (l *loader) dir() string {
	if l.src.File != "" {
		return filepath.Dir(l.src.File)
	}
	return filepath.Clean(l.src.Dir)
}

// autoFiles names the files with values that are read without being asked for.
func (l *loader) autoFiles() []string {
	entries, err := os.ReadDir(l.dir())
	if err != nil {
		return nil
	}
	var first, auto []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "oauthctl.oauthvars", name == "oauthctl.oauthvars.json":
			first = append(first, name)
		case strings.HasPrefix(name, "."):
		case strings.HasSuffix(name, ".auto.oauthvars"), strings.HasSuffix(name, ".auto.oauthvars.json"):
			auto = append(auto, name)
		}
	}
	slices.Sort(first)
	slices.Sort(auto)
	return append(first, auto...)
}

// readVarFile reads a file that was named on the command line. Unlike the files
// of a configuration it may be a pipe: -var-file=<(sops -d secrets).
func readVarFile(name string) ([]byte, error) {
	f, err := os.Open(name) //nolint:gosec // the person named it
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errNotRegular
	}
	return readCapped(f)
}

// varFile takes the values of a file; of says what they have in common.
func (l *loader) varFile(values map[string]given, of given, text []byte, err error) {
	name := of.from
	if err != nil {
		l.diags = append(l.diags, unreadable(name, err))
		return
	}
	l.cfg.Sources.add(name, text).values = true
	f, diags := parseFile(name, text)
	l.diags = append(l.diags, diags...)
	if f == nil {
		return
	}
	attrs, diags := f.Body.JustAttributes()
	for _, d := range diags {
		d.Detail = "A file with values has only lines of the form NAME = VALUE; blocks belong into *.hcl files."
	}
	l.diags = append(l.diags, diags...)
	for _, n := range sortedKeys(attrs) {
		a := attrs[n]
		if l.eval.variables[n] == nil {
			l.diags = append(l.diags, warningAt(a.NameRange, "Value for an undeclared variable",
				"The file gives a value for %q, but the configuration declares no such variable.%s Declare it, or remove the line.", n, didYouMean(n, sortedKeys(l.eval.variables))))
			continue
		}
		of.expr, of.rng = a.Expr, a.Expr.Range().Ptr()
		values[n] = of
	}
}

// assign decides on the value of one variable.
func (l *loader) assign(v *variableDecl, g given, ok bool) {
	val, found := l.planned(v, g, ok)
	switch {
	case !found:
		val = l.valueOf(v, g, ok)
	case v.Ephemeral && l.src.recorded != nil: // what comes of it is not known any more
		val = cty.UnknownVal(val.Type())
	}
	if v.Sensitive || v.unsure {
		l.eval.secrets.learn(val.Mark(Sensitive))
	}
	if v.Sensitive {
		val = val.Mark(Sensitive)
	}
	if v.Ephemeral {
		val = val.Mark(ephemeral{})
	}
	v.Value = val
}

// valueOf is the value of a variable of which none was saved.
func (l *loader) valueOf(v *variableDecl, g given, ok bool) cty.Value {
	val := cty.DynamicVal
	switch {
	case ok:
		val = l.read(v, g)
	case v.hasDefault:
		val = v.fallback
	case l.src.MakeUp && (v.Sensitive || v.Ephemeral):
		val = v.invented()
		l.madeUp("var." + v.Name)
	case l.src.Partial:
		val = cty.UnknownVal(v.Type)
	case l.valuesLost: // it may have been in the file that cannot be read
	case l.src.Prompt != nil && l.diags.HasErrors(): // nobody types values for what fails anyway
	case l.src.Prompt != nil:
		text, err := l.src.Prompt(v.Variable)
		if err != nil {
			l.diags = append(l.diags, errorAt(v.Range, "No value for required variable", "The variable %q was asked for: %s.", v.Name, err))
			break
		}
		val = l.read(v, given{text: text, from: "the answer"})
	default:
		l.diags = append(l.diags, errorAt(v.Range, "No value for required variable",
			"The variable %q has no default. Give a value with -var %s=VALUE, in an .oauthvars file, or in the environment as OAUTHCTL_VAR_%s.%s", v.Name, v.Name, v.Name, l.terraformValue(v.Name)))
	}
	if val.IsNull() && val.IsKnown() && !v.nullable {
		val = cty.UnknownVal(v.Type)
	}
	return val
}

// read gives a value the variable's type.
func (l *loader) read(v *variableDecl, g given) cty.Value {
	subject := v.Range
	if g.rng != nil {
		subject = *g.rng
	}
	fail := func(what string, reason any) cty.Value {
		switch {
		case v.Sensitive:
			reason = "the reason is not shown, because the variable is sensitive"
		case v.unsure:
			reason = "the reason is not shown, because its block has mistakes, and may say that it is sensitive"
		}
		l.diags = append(l.diags, errorAt(subject, "Invalid value for variable", "The value of var.%s from %s %s: %s.",
			v.Name, g.from, what, strings.TrimSuffix(fmt.Sprint(reason), ".")))
		return cty.UnknownVal(v.Type)
	}
	var val cty.Value
	switch {
	case g.expr != nil:
		var diags hcl.Diagnostics
		val, diags = g.expr.Value(&hcl.EvalContext{})
		for _, d := range diags {
			d.Detail += " A file with values has constants only."
		}
		l.eval.secrets.clean(diags)
		l.diags = append(l.diags, diags...)
		if diags.HasErrors() {
			return cty.UnknownVal(v.Type)
		}
	case v.Type.IsPrimitiveType() || v.Type == cty.DynamicPseudoType:
		val = cty.StringVal(g.text)
	default:
		expr, problem := parseText(g.text)
		if problem != "" {
			return fail("cannot be read as an expression", problem)
		}
		var diags hcl.Diagnostics
		if val, diags = expr.Value(nil); diags.HasErrors() {
			return fail("has to be a constant", diags[0].Detail)
		}
	}
	if val.IsNull() && !v.nullable && v.hasDefault {
		return v.fallback
	}
	out, err := v.convert(val)
	if err != nil {
		return fail("does not fit its type", err)
	}
	return out
}

// parseText parses one expression that does not stand in a file.
func parseText(text string) (hclsyntax.Expression, string) {
	if d := checkBytes("value", []byte(text)); d != nil {
		return nil, d.Detail
	}
	if err := checkExpression(text); err != nil {
		return nil, err.Error()
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "value", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags[0].Summary + "; " + diags[0].Detail
	}
	return expr, ""
}

// madeUp invents a value for the sandbox.
func (v *variableDecl) invented() cty.Value {
	val, err := v.convert(invent(v.Type, v.Name))
	if err != nil {
		return cty.NullVal(v.Type)
	}
	return val
}

func invent(ty cty.Type, name string) cty.Value {
	switch {
	case ty == cty.Number:
		return cty.NumberIntVal(1)
	case ty == cty.Bool:
		return cty.True
	case ty.IsListType() || ty.IsSetType():
		return cty.TupleVal([]cty.Value{invent(ty.ElementType(), name)})
	case ty.IsMapType():
		return cty.ObjectVal(map[string]cty.Value{"made-up": invent(ty.ElementType(), name)})
	case ty.IsTupleType():
		var elems []cty.Value
		for _, t := range ty.TupleElementTypes() {
			elems = append(elems, invent(t, name))
		}
		return cty.TupleVal(elems)
	case ty.IsObjectType():
		attrs := map[string]cty.Value{}
		for n, t := range ty.AttributeTypes() {
			attrs[n] = invent(t, name+"-"+n)
		}
		return cty.ObjectVal(attrs)
	}
	return cty.StringVal(madeUpPrefix + name)
}

package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// TestFile is a file of tests of a configuration: *.oauthtest.hcl.
type TestFile struct {
	Name    string
	Runs    []*TestRun
	Sources *Sources // the file alone

	text []byte
	vars map[string]*attr
	eval *evaluator // of what stands in the file before there is a configuration
}

// TestRun is one run block: a plan or an apply, and what has to be true of it.
type TestRun struct {
	Name     string
	Apply    bool
	Mode     string // "normal", "refresh-only", "destroy"
	Targets  []addr.Addr
	Replace  []addr.Addr
	Excludes []addr.Addr
	After    time.Duration // how far the clock goes on before it
	Consent  string        // what the person of the sandbox does: one of Consents
	Account  string        // who that is; "": whom the configuration asks for
	Faults   []Fault
	Expected []Expected
	Range    hcl.Range

	asserts []rule
	vars    map[string]*attr
}

// Fault is a fault of the sandbox as it is written.
type Fault struct {
	Text  string
	Range hcl.Range
}

// Expected is an element of expect_failures.
type Expected struct {
	Kind  string    // "var", "output", "check", "connection"
	Name  string    // of the first three
	Addr  addr.Addr // of a connection
	Range hcl.Range
}

// String writes it as it stands in the file.
func (x Expected) String() string {
	if x.Kind == string(addr.KindConnection) {
		return x.Addr.String()
	}
	return x.Kind + "." + x.Name
}

// The words of a run block.
var (
	testCommands = []string{"apply", "plan"}
	testModes    = []string{"normal", "refresh-only", "destroy"}
	testConsents = []string{"allow", "deny", "wrong_account", "nobody"}
)

// TestLanguage returns the tables of the blocks of a file of tests, by type.
func TestLanguage() map[string]Nested {
	out := map[string]Nested{}
	for _, n := range testFileSpec.Blocks {
		out[n.Type] = n
	}
	return out
}

var testFileSpec = &Spec{Blocks: []Nested{
	{Type: "variables", Max: 1, Spec: &Spec{Open: true}, Doc: "Values of variables, for all runs of the file."},
	{Type: "run", Labels: []string{"name"}, Spec: testRunSpec, Doc: "One plan or apply, and what has to be true of it."},
}}

var testRunSpec = &Spec{
	Attrs: []Attr{
		{Name: "command", Kind: Static, OneOf: testCommands, Default: "apply", Doc: "What is done."},
		{Name: "after", Kind: Duration, Default: `"0s"`, Doc: "How far the clock goes on before the run, for this run and those after it."},
		{Name: "expect_failures", Kind: Static, Doc: "What has to fail: var.NAME, output.NAME and check.NAME by their conditions, connection.NAME in any way."},
	},
	Blocks: []Nested{
		{Type: "variables", Max: 1, Spec: &Spec{Open: true}, Doc: "Values of variables for this run. They may refer to var.NAME of the file and to outputs of runs before it: run.NAME.OUTPUT."},
		{Type: "plan_options", Max: 1, Spec: testPlanSpec, Doc: "How it is planned."},
		{Type: "sandbox", Max: 1, Spec: testSandboxSpec, Doc: "What the sandbox does during the run."},
		{Type: "assert", Spec: ruleSpec, Doc: "A condition that has to hold afterwards."},
	},
}

var testPlanSpec = &Spec{Attrs: []Attr{
	{Name: "mode", Kind: Static, OneOf: testModes, Default: "normal", Doc: "As -refresh-only and -destroy."},
	{Name: "target", Kind: Static, Doc: "As -target: a list of connections."},
	{Name: "replace", Kind: Static, Doc: "As -replace: a list of connections."},
	{Name: "exclude", Kind: Static, Doc: "As -exclude: a list of connections."},
}}

var testSandboxSpec = &Spec{Attrs: []Attr{
	{Name: "consent", Kind: String, OneOf: testConsents, Default: `"allow"`, Doc: "What the person does who is asked to consent: somebody else may sign in, or nobody be there."},
	{Name: "account", Kind: String, Default: "whom the connection asks for", Doc: "Who signs in."},
	{Name: "faults", Kind: Strings, Doc: "Requests that go wrong, as ROLE:KIND[:after][:COUNT][:DURATION], such as \"token:503\"."},
}}

// ReadTest reads a file of tests, which stands in or below the directory dir.
func ReadTest(dir, name string) (*TestFile, hcl.Diagnostics) {
	shown := filepath.ToSlash(filepath.Join(dir, name))
	f := &TestFile{Name: shown, Sources: newSources()}
	f.eval = newEvaluator(nil, f.Sources)
	text, err := readBelow(dir, name)
	if err != nil {
		return f, hcl.Diagnostics{unreadable(shown, err)}
	}
	f.text = text
	source := f.Sources.add(shown, text)
	file, diags := parseFile(shown, text)
	if source.broken = diags.HasErrors(); source.broken {
		return f, diags
	}
	c, diags := readBody(file.Body, testFileSpec, "a file of tests", file.Body.MissingItemRange())
	f.vars = map[string]*attr{}
	for _, b := range c.blocks["variables"] {
		inner, more := readBody(b.Body, &Spec{Open: true}, "a variables block", b.DefRange)
		diags = append(diags, more...)
		maps.Copy(f.vars, inner.rest)
	}
	seen := map[string]hcl.Range{}
	for _, b := range c.blocks["run"] {
		name := b.Labels[0]
		if first, ok := seen[name]; ok || !addr.IsName(name) {
			d := errorAt(b.LabelRanges[0], "Invalid name", "The name of a run starts with a letter or underscore and continues with letters, digits, underscores and dashes.")
			if ok {
				d = errorAt(b.DefRange, "Duplicate run", "There is already a run named %q at %s. Rename one of them.", name, place(first))
			}
			diags = append(diags, d)
			continue
		}
		seen[name] = b.DefRange
		r, more := f.run(b)
		diags = append(diags, more...)
		f.Runs = append(f.Runs, r)
	}
	if len(f.Runs) == 0 && !diags.HasErrors() {
		diags = append(diags, errorAt(file.Body.MissingItemRange(), "File without tests", "The file has no run block, so it tests nothing. Write one: run \"NAME\" { … }."))
	}
	return f, tidy(diags)
}

func (f *TestFile) run(b *hcl.Block) (*TestRun, hcl.Diagnostics) {
	const what = "a run block"
	r := &TestRun{Name: b.Labels[0], Apply: true, Mode: testModes[0], Consent: testConsents[0], Range: b.DefRange, vars: map[string]*attr{}}
	c, diags := readBody(b.Body, testRunSpec, what, b.DefRange)
	for _, vb := range c.blocks["variables"] {
		inner, more := readBody(vb.Body, &Spec{Open: true}, "a variables block", vb.DefRange)
		diags = append(diags, more...)
		r.vars = inner.rest
	}
	var more hcl.Diagnostics
	r.asserts, more = rules(c.blocks["assert"], "an assert block")
	diags = append(diags, more...)
	for _, pb := range c.blocks["plan_options"] {
		diags = append(diags, r.planOptions(pb)...)
	}
	delete(c.blocks, "variables")
	delete(c.blocks, "assert")
	delete(c.blocks, "plan_options")
	o, more := f.eval.object(c, testRunSpec, scope{place: what})
	diags = append(diags, more...)
	r.After = o.Duration("after")
	if r.After < 0 {
		diags = append(diags, errorAt(o.Ranges["after"], "Invalid value for after", "The clock goes on, and never back."))
	}
	if a := c.attrs["command"]; a != nil {
		word, more := keyword(a, testCommands)
		diags = append(diags, more...)
		r.Apply = word != "plan"
	}
	for _, n := range o.Nested["sandbox"] {
		if n.Has("consent") {
			r.Consent = n.String("consent")
		}
		r.Account = n.String("account")
		for i, text := range n.Strings("faults") {
			r.Faults = append(r.Faults, Fault{text, elementRange(n.content.attrs["faults"].Expr, i)})
		}
	}
	if a := c.attrs["expect_failures"]; a != nil {
		r.Expected, more = expectations(a)
		diags = append(diags, more...)
	}
	if len(r.asserts) == 0 && len(r.Expected) == 0 && !r.Apply && !diags.HasErrors() {
		diags = append(diags, warningAt(b.DefRange, "Run without assertions", "The run %q has neither assert blocks nor expect_failures: it only shows that a plan can be made.", r.Name))
	}
	return r, diags
}

func (r *TestRun) planOptions(b *hcl.Block) hcl.Diagnostics {
	c, diags := readBody(b.Body, testPlanSpec, "a plan_options block", b.DefRange)
	if a := c.attrs["mode"]; a != nil {
		word, more := keyword(a, testModes)
		diags = append(diags, more...)
		r.Mode = word
	}
	for name, list := range map[string]*[]addr.Addr{"target": &r.Targets, "replace": &r.Replace, "exclude": &r.Excludes} {
		a := c.attrs[name]
		if a == nil {
			continue
		}
		items, problems := hcl.ExprList(a.Expr)
		if problems.HasErrors() {
			diags = append(diags, errorAt(a.Expr.Range(), "Invalid "+name, "Write a list of connections: %s = [connection.NAME].", name))
			continue
		}
		for _, item := range items {
			t, problems := hcl.AbsTraversalForExpr(item)
			of, ok := connectionAddr(t)
			if problems.HasErrors() || !ok {
				diags = append(diags, errorAt(item.Range(), "Invalid "+name, `Each element names a connection as a whole: connection.NAME or connection.NAME["key"].`))
				continue
			}
			*list = append(*list, of)
		}
	}
	return diags
}

// keyword reads one of some words, with or without quotes.
func keyword(a *attr, words []string) (string, hcl.Diagnostics) {
	word := hcl.ExprAsKeyword(a.Expr)
	if word == "" {
		if v, diags := a.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			word = v.AsString()
		}
	}
	if slices.Contains(words, word) {
		return word, nil
	}
	return words[0], hcl.Diagnostics{errorAt(a.Expr.Range(), "Invalid value for "+a.Name,
		"The argument %q must be %s.%s", a.Name, joinOr(words), didYouMean(word, words))}
}

// connectionAddr is the address that connection.NAME or connection.NAME["key"] names.
func connectionAddr(t hcl.Traversal) (addr.Addr, bool) {
	if len(t) < 2 || len(t) > 3 || t.RootName() != "connection" || attrStep(t, 1) == "" || len(t) == 3 && !isIndex(t[2]) {
		return addr.Addr{}, false
	}
	a := addr.Connection(attrStep(t, 1))
	if len(t) == 3 {
		a = a.Instance(attrStep(t, 2))
	}
	return a, true
}

func expectations(a *attr) ([]Expected, hcl.Diagnostics) {
	items, problems := hcl.ExprList(a.Expr)
	if problems.HasErrors() {
		return nil, hcl.Diagnostics{errorAt(a.Expr.Range(), "Invalid expect_failures", "Write a list: expect_failures = [var.NAME, check.NAME].")}
	}
	var out []Expected
	var diags hcl.Diagnostics
	for _, item := range items {
		t, problems := hcl.AbsTraversalForExpr(item)
		x := Expected{Range: item.Range()}
		ok := !problems.HasErrors()
		if ok {
			x.Kind, x.Name = t.RootName(), attrStep(t, 1)
			if x.Kind == string(addr.KindConnection) {
				x.Addr, ok = connectionAddr(t)
			} else {
				ok = len(t) == 2 && slices.Contains([]string{"var", "output", "check"}, x.Kind)
			}
		}
		if !ok {
			diags = append(diags, errorAt(item.Range(), "Invalid expect_failures",
				"Each element names what has a condition: var.NAME, output.NAME, check.NAME or connection.NAME."))
			continue
		}
		out = append(out, x)
	}
	return out, diags
}

// Inputs are the values that the file and a run give to variables. runs are the
// outputs of the runs before it, by the name of the run.
func (f *TestFile) Inputs(r *TestRun, runs map[string]cty.Value) ([]VarInput, hcl.Diagnostics) {
	var inputs []VarInput
	var diags hcl.Diagnostics
	give := func(vars map[string]*attr, sc scope) map[string]cty.Value {
		values := map[string]cty.Value{}
		for _, name := range sortedKeys(vars) {
			v, _, more := f.eval.value(vars[name], sc)
			f.eval.secrets.learn(v)
			diags = append(diags, more...)
			values[name] = v
			inputs = append(inputs, VarInput{Name: name, Arg: &Arg{Value: v, Range: vars[name].Expr.Range(), Name: vars[name].NameRange}})
		}
		return values
	}
	values := give(f.vars, scope{place: "the variables of a file of tests"})
	give(r.vars, scope{place: "the variables of a run", extra: map[string]cty.Value{"var": cty.ObjectVal(values), "run": cty.ObjectVal(runs)}})
	return inputs, tidy(diags)
}

// Facts are what assertions may refer to besides the configuration.
type Facts struct {
	Known   Known
	Plan    cty.Value            // plan
	Outputs cty.Value            // output
	Runs    map[string]cty.Value // run
}

// Judge evaluates the assertions of a run with the configuration that it had.
// Those that do not hold are errors.
func (c *Config) Judge(f *TestFile, r *TestRun, facts Facts) hcl.Diagnostics {
	c.AddTest(f)
	e := c.eval.with(facts.Known, nil)
	sc := scope{place: "an assertion of a test", variables: true, locals: true, connections: true, extra: map[string]cty.Value{
		"plan": facts.Plan, "output": facts.Outputs, "run": cty.ObjectVal(facts.Runs),
	}}
	var diags hcl.Diagnostics
	for _, a := range r.asserts {
		v, problem, more := e.judge(a, sc)
		at := a.condition.Expr.Range()
		switch {
		case more.HasErrors():
		case v == Fail:
			more = append(more, errorAt(at, "Assertion failed", "%s", problem))
		case v == Unknown:
			detail := "The condition depends on what is known only after an apply."
			if !r.Apply {
				detail += " Write it in a run with command = apply."
			}
			more = append(more, errorAt(at, "Assertion about the unknown", "%s", detail))
		}
		if v != Pass && len(more) > 0 {
			extra := extraOf(more[len(more)-1])
			extra.Values = e.valuesIn(a.condition, sc)
			more[len(more)-1].Extra = extra
		}
		diags = append(diags, more...)
	}
	return append(diags, e.cache.takeProblems()...)
}

// AddTest makes the text of a file of tests one of the sources of the
// configuration, for snippets.
func (c *Config) AddTest(f *TestFile) { c.Sources.add(f.Name, f.text) }

// valuesIn are the values of what an expression refers to.
func (e *evaluator) valuesIn(a *attr, sc scope) []DiagValue {
	var out []DiagValue
	for _, t := range a.refs {
		v, diags := t.TraverseAbs(e.context([]hcl.Traversal{t}, sc))
		if diags.HasErrors() {
			continue
		}
		v, _ = splitDependencies(v)
		text := traversalText(t)
		if !slices.ContainsFunc(out, func(d DiagValue) bool { return d.Expr == text }) {
			out = append(out, DiagValue{Expr: text, Value: v})
		}
	}
	return out
}

// traversalText writes a reference as a person does.
func traversalText(t hcl.Traversal) string {
	s := t.RootName()
	for i, step := range t[1:] {
		switch {
		case !isIndex(step):
			s += "." + attrStep(t, i+1)
		case attrStep(t, i+1) != "":
			s += fmt.Sprintf("[%q]", attrStep(t, i+1))
		default:
			s += fmt.Sprintf("[%s]", numeral(step))
		}
	}
	return s
}

func numeral(step hcl.Traverser) string {
	if ix, ok := step.(hcl.TraverseIndex); ok && ix.Key.Type() == cty.Number && ix.Key.IsKnown() {
		return ix.Key.AsBigFloat().Text('f', -1)
	}
	return "…"
}

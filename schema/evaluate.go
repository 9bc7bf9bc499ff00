package schema

import (
	"maps"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// evaluator gives expressions their values. After Load it is only read, so that
// connections can be resolved from several goroutines; with derives a new one
// that knows more of the connections.
type evaluator struct {
	base      *hcl.EvalContext // functions and var
	functions map[string]function.Function
	secrets   *redactor
	sources   *Sources

	variables map[string]*variableDecl
	locals    map[string]*local
	blocks    map[string]*connectionBlock

	makeUp  bool // for the sandbox: see Source.MakeUp
	guessed bool // something has no value, which was told: what follows from that is not

	known  Known
	wanted map[addr.Addr]bool // instances that known is asked for; nil: all
	cache  *cache
	calls  *calls
}

// cache holds what has been needed so far. Blocks are decoded from several goroutines.
type cache struct {
	mu          sync.Mutex
	connections map[string]cty.Value // connection.NAME
	locals      map[string]cty.Value // those that depend on connections, once known says more
	problems    hcl.Diagnostics      // of evaluating these locals
}

// get gives what m has under name, or what compute makes. Computing may come
// back here for another name, so nothing is locked meanwhile.
func (c *cache) get(m *map[string]cty.Value, name string, compute func() cty.Value) cty.Value {
	c.mu.Lock()
	v, ok := (*m)[name]
	c.mu.Unlock()
	if ok {
		return v
	}
	v = compute()
	c.mu.Lock()
	defer c.mu.Unlock()
	*m = put(*m, name, v)
	return v
}

// takeProblems gives what has gone wrong in locals since it was asked last.
func (c *cache) takeProblems() hcl.Diagnostics {
	c.mu.Lock()
	defer c.mu.Unlock()
	diags := c.problems
	c.problems = nil
	return diags
}

// local is one name of a locals block.
type local struct {
	*attr
	deps  []connRef // connections it refers to, through other locals too
	value cty.Value // with dependency marks
}

// scope is what an expression may refer to besides functions.
type scope struct {
	place       string // "a provider block", for messages
	variables   bool   // var.NAME
	locals      bool   // local.NAME
	connections bool   // connection.NAME
	each        map[string]cty.Value
	forEach     *attr                     // where each comes from
	iterators   map[string]hcl.Expression // of dynamic blocks: where their values come from
	extra       map[string]cty.Value
	addr        addr.Addr
	secret      bool // the value is a secret: do not repeat what is written
}

func newEvaluator(functions map[string]function.Function, sources *Sources) *evaluator {
	if functions == nil {
		functions = pureFunctions()
	}
	return &evaluator{
		base:      &hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{}},
		functions: functions,
		secrets:   &redactor{},
		sources:   sources,
		variables: map[string]*variableDecl{},
		locals:    map[string]*local{},
		blocks:    map[string]*connectionBlock{},
		cache:     &cache{},
		calls:     &calls{made: map[call]setting{}},
	}
}

// with derives an evaluator that has the attributes of connections.
func (e *evaluator) with(known Known, wanted map[addr.Addr]bool) *evaluator {
	d := *e
	d.known, d.wanted = known, wanted
	d.cache = &cache{}
	return &d
}

// value evaluates an expression: its value without dependency marks, and the
// connections that it needs.
func (e *evaluator) value(a *attr, sc scope) (cty.Value, []addr.Addr, hcl.Diagnostics) {
	v, diags := e.marked(a, sc)
	v, seen := splitDependencies(v)
	if sc.secret {
		e.secrets.learnAll(v)
	}
	return v, e.dependencies(e.connRefs(a.refs), seen), diags
}

// marked evaluates an expression and leaves the dependency marks on.
func (e *evaluator) marked(a *attr, sc scope) (cty.Value, hcl.Diagnostics) {
	if diags := e.checkRefs(a, sc); diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	v, diags := evaluate(a.Expr, e.context(a.refs, sc))
	e.secrets.clean(diags)
	if diags.HasErrors() {
		v = cty.DynamicVal
	}
	return v, diags
}

// evaluate gives an expression its value. In JSON, a sensitive value, or one of a
// connection, as the key of an object makes the evaluation panic: that is a
// mistake of the configuration, not of the program.
func evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, diags hcl.Diagnostics) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case string:
			if !strings.Contains(r, "marked") {
				panic(r)
			}
			v, diags = cty.DynamicVal, hcl.Diagnostics{errorAt(expr.Range(), "Value that cannot be a key",
				"The key of an object is shown, so it cannot be a sensitive value, nor come from a connection. If it is no secret, wrap it: nonsensitive(…).")}
		default:
			panic(r)
		}
	}()
	return expr.Value(ctx)
}

// context holds what the references need, and no more: a local or connection
// that nobody asked for costs nothing.
func (e *evaluator) context(refs []hcl.Traversal, sc scope) *hcl.EvalContext {
	var vars, locals, connections map[string]cty.Value
	if len(sc.extra) > 0 {
		vars = maps.Clone(sc.extra)
	}
	for _, t := range refs {
		name := attrStep(t, 1)
		switch root := t.RootName(); {
		case name == "":
		case root == "each" && sc.each != nil:
			vars = put(vars, "each", cty.ObjectVal(sc.each))
		case root == "local" && sc.locals && locals[name] == cty.NilVal:
			locals = put(locals, name, e.local(name))
		case root == "connection" && sc.connections && connections[name] == cty.NilVal:
			connections = put(connections, name, e.connection(name, refs))
		}
	}
	if len(locals) > 0 {
		vars = put(vars, "local", cty.ObjectVal(locals))
	}
	if len(connections) > 0 {
		vars = put(vars, "connection", cty.ObjectVal(connections))
	}
	if len(vars) == 0 {
		return e.base
	}
	ctx := e.base.NewChild()
	ctx.Variables = vars
	return ctx
}

func put(m map[string]cty.Value, k string, v cty.Value) map[string]cty.Value {
	if m == nil {
		m = map[string]cty.Value{}
	}
	m[k] = v
	return m
}

// local gives the value of a local. Locals are evaluated by Load in the order
// of their references; only those that depend on connections change later.
func (e *evaluator) local(name string) cty.Value {
	l := e.locals[name]
	if e.known == nil || len(l.deps) == 0 {
		return l.value
	}
	return e.cache.get(&e.cache.locals, name, func() cty.Value {
		v, diags := evaluate(l.Expr, e.context(l.refs, scope{locals: true, connections: true}))
		if !diags.HasErrors() {
			return v
		}
		e.secrets.clean(diags)
		e.cache.mu.Lock()
		defer e.cache.mu.Unlock()
		e.cache.problems = append(e.cache.problems, diags...)
		return cty.DynamicVal
	})
}

// connection gives the value of connection.NAME: an object of AttributesType,
// or with for_each an object of them by key. It has the instances that refs name,
// if they name all that they want, for there may be thousands.
func (e *evaluator) connection(name string, refs []hcl.Traversal) cty.Value {
	b := e.blocks[name]
	if b != nil && !b.broken && b.forEach != nil {
		if keys := e.keysIn(refs, b); keys != nil {
			return e.instances(b, keys)
		}
	}
	return e.cache.get(&e.cache.connections, name, func() cty.Value {
		switch {
		case b == nil || b.broken:
			return cty.DynamicVal
		case b.forEach == nil:
			return e.instance(addr.Connection(name))
		}
		return e.instances(b, b.keys)
	})
}

func (e *evaluator) instances(b *connectionBlock, keys []string) cty.Value {
	instances := make(map[string]cty.Value, len(keys))
	for _, k := range keys {
		instances[k] = e.instance(addr.Connection(b.name).Instance(k))
	}
	return cty.ObjectVal(instances)
}

// keysIn are the keys of a block that the references write down; nil if one of
// them leaves open which it is, or names none that there is.
func (e *evaluator) keysIn(refs []hcl.Traversal, b *connectionBlock) []string {
	var keys []string
	for _, t := range refs {
		if t.RootName() != "connection" || attrStep(t, 1) != b.name {
			continue
		}
		if len(t) < 3 || !isIndex(t[2]) || !b.hasKey(attrStep(t, 2)) {
			return nil
		}
		keys = append(keys, attrStep(t, 2))
	}
	return keys
}

// SensitiveAttribute reports whether an attribute of a connection is a secret.
func SensitiveAttribute(name string) bool {
	return name == "access_token" || name == "refresh_token" || name == "id_token"
}

var unknownAttributes = sync.OnceValue(func() cty.Value {
	attrs := map[string]cty.Value{}
	for name, ty := range AttributesType().AttributeTypes() {
		attrs[name] = cty.UnknownVal(ty)
	}
	for name := range attrs {
		if SensitiveAttribute(name) {
			attrs[name] = attrs[name].Mark(Sensitive)
		}
	}
	return cty.ObjectVal(attrs)
})

func (e *evaluator) instance(a addr.Addr) cty.Value {
	v := unknownAttributes()
	if e.known != nil && (e.wanted == nil || e.wanted[a]) {
		if k, ok := e.known(a); ok {
			v = k
			e.secrets.learn(v)
		}
	}
	return v.Mark(dependency{a})
}

// attrStep is the name at a step of a traversal (var.NAME is step 1), or "".
func attrStep(t hcl.Traversal, i int) string {
	if len(t) <= i {
		return ""
	}
	switch step := t[i].(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString()
		}
	}
	return ""
}

// nativeExpr gives an expression in native syntax. In JSON that is the template
// inside a string; nil if there is none.
func nativeExpr(expr hcl.Expression) hclsyntax.Expression {
	isNative := func(x hcl.Expression) bool { _, ok := x.(hclsyntax.Expression); return ok }
	if native, ok := hcl.UnwrapExpressionUntil(expr, isNative).(hclsyntax.Expression); ok {
		return native
	}
	text, diags := expr.Value(nil) // without a context the string itself, unevaluated
	if diags.HasErrors() || text.IsNull() || !text.IsKnown() || text.Type() != cty.String {
		return nil
	}
	native, diags := hclsyntax.ParseTemplate([]byte(text.AsString()), expr.Range().Filename, expr.Range().Start)
	if diags.HasErrors() {
		return nil
	}
	return native
}

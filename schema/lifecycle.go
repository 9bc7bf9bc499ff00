package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Lifecycle is the lifecycle block of a connection; all instances share it.
type Lifecycle struct {
	PreventDestroy bool
	PreventRange   hcl.Range // of prevent_destroy
	IgnoreChanges  []string  // names of attributes and blocks; all that can be ignored for "all"

	prevent   *attr
	triggers  []*attr
	pre, post []rule
}

var lifecycleSpec = &Spec{
	hints: lifecycleHints,
	Attrs: []Attr{
		{Name: "prevent_destroy", Kind: Static, Doc: "A plan that would revoke or forget the connection, or replace it by one of another client or server, is an error.", Default: "false"},
		{Name: "ignore_changes", Kind: Static, Doc: "Names of arguments and blocks, or all: a difference in them is no change."},
		{Name: "replace_triggered_by", Kind: Static, Doc: "Connections; when one of them gets a new grant, so does this one."},
	},
	Blocks: []Nested{
		{Type: "precondition", Spec: ruleSpec, Doc: "Has to hold before the connection is changed; an error if it does not."},
		{Type: "postcondition", Spec: ruleSpec, Doc: "Has to hold after the connection was changed: it refers to self."},
	},
}

// lifecycleHints answer those who come from Terraform.
var lifecycleHints = hints{
	{"create_before_destroy", "Leave it out: a new grant is always saved before the old one is revoked."},
	{"enabled", "There is no enabled. With for_each, an empty set makes no instance: for_each = toset(var.enabled ? [\"on\"] : [])."},
	{"action_trigger", "There are no actions: nothing in the language runs a program."},
}

// ignorable are the arguments and blocks that ignore_changes can name.
var ignorable = []string{
	"client_id", "client_secret", "client_auth", "client_assertion", "scopes", "redirect_uris", "account", "hosts", "resource",
	"authorize_params", "token_params", "token_lifetimes", "grant", "description",
}

// readLifecycle takes the lifecycle block out of a connection. What it refers to
// comes before the connection.
func (l *loader) readLifecycle(b *connectionBlock) hcl.Diagnostics {
	blocks := b.content.blocks["lifecycle"]
	delete(b.content.blocks, "lifecycle") // it is not evaluated for every instance
	if len(blocks) == 0 {
		return nil
	}
	c, diags := readBody(blocks[0].Body, lifecycleSpec, "a lifecycle block", blocks[0].DefRange)
	lc := &Lifecycle{prevent: c.attrs["prevent_destroy"]}
	if a := c.attrs["ignore_changes"]; a != nil {
		var more hcl.Diagnostics
		lc.IgnoreChanges, more = ignoreChanges(a)
		diags = append(diags, more...)
	}
	var more hcl.Diagnostics
	lc.pre, more = rules(c.blocks["precondition"], "a precondition block")
	diags = append(diags, more...)
	lc.post, more = rules(c.blocks["postcondition"], "a postcondition block")
	diags = append(diags, more...)
	refs := references(slices.Concat(lc.pre, lc.post))
	if lc.prevent != nil {
		refs = append(refs, lc.prevent.refs...)
	}
	b.lifecycleRefs = refs
	if a := c.attrs["replace_triggered_by"]; a != nil {
		lc.triggers, more = readTriggers(a)
		diags = append(diags, more...)
	}
	for _, t := range lc.triggers {
		refs = append(refs, t.refs...)
	}
	b.refs = append(b.refs, placedRefs(refs)...)
	b.lifecycle = lc
	return diags
}

// ignoreChanges reads names, not values.
func ignoreChanges(a *attr) ([]string, hcl.Diagnostics) {
	if hcl.ExprAsKeyword(a.Expr) == "all" {
		return ignorable, nil
	}
	items, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		return nil, hcl.Diagnostics{errorAt(a.Expr.Range(), "Invalid ignore_changes", "Write a list of names, such as ignore_changes = [scopes], or the word all.")}
	}
	var names []string
	diags = nil
	for _, item := range items {
		name := hcl.ExprAsKeyword(item)
		switch {
		case name == "":
			diags = append(diags, errorAt(item.Range(), "Invalid ignore_changes", "Each element is the name of an argument or block of the connection, without quotes."))
		case !slices.Contains(ignorable, name):
			diags = append(diags, errorAt(item.Range(), "Invalid ignore_changes", "Differences in %q cannot be ignored.%s",
				name, orList(didYouMean(name, ignorable), " Those that can are ", ignorable)))
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	return names, diags
}

// readTriggers reads the elements of replace_triggered_by: references that are
// evaluated for what they refer to, and not for their values.
func readTriggers(a *attr) ([]*attr, hcl.Diagnostics) {
	items, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		return nil, hcl.Diagnostics{errorAt(a.Expr.Range(), "Invalid replace_triggered_by", "Write a list of connections: replace_triggered_by = [connection.NAME].")}
	}
	var out []*attr
	diags = nil
	for _, item := range items {
		if t, problems := hcl.AbsTraversalForExpr(item); !problems.HasErrors() { // in JSON, the text of a string
			item = &hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: item.Range()}
		}
		trigger := newAttr(&hcl.Attribute{Name: a.Name, Expr: item, Range: item.Range(), NameRange: a.NameRange})
		if !slices.ContainsFunc(trigger.refs, func(t hcl.Traversal) bool { return t.RootName() == "connection" }) {
			diags = append(diags, errorAt(item.Range(), "Invalid replace_triggered_by",
				`Each element names a connection or an attribute of one: connection.NAME, connection.NAME["key"] or connection.NAME.account.`))
			continue
		}
		out = append(out, trigger)
	}
	return out, diags
}

// preventDestroy evaluates prevent_destroy, once for all instances.
func (l *loader) preventDestroy(b *connectionBlock) {
	if b.lifecycle == nil || b.lifecycle.prevent == nil {
		return
	}
	a := b.lifecycle.prevent
	v, diags := l.eval.marked(a, scope{place: "prevent_destroy", variables: true, locals: true})
	v, _ = v.UnmarkDeep()
	if !diags.HasErrors() && l.eval.guessed && !v.IsKnown() {
		return
	}
	if !diags.HasErrors() && (!v.IsKnown() || v.IsNull() || v.Type() != cty.Bool) {
		diags = append(diags, errorAt(a.Expr.Range(), "Invalid prevent_destroy", "The value must be true or false, and known before anything is applied."))
	}
	l.diags = append(l.diags, about(addr.Connection(b.name), diags)...)
	if !diags.HasErrors() {
		b.lifecycle.PreventDestroy, b.lifecycle.PreventRange = v.True(), a.Expr.Range()
	}
}

// triggers are the connections that make an instance ask anew.
func (e *evaluator) triggers(b *connectionBlock, sc scope) ([]addr.Addr, hcl.Diagnostics) {
	if b.lifecycle == nil {
		return nil, nil
	}
	var out []addr.Addr
	var diags hcl.Diagnostics
	for _, t := range b.lifecycle.triggers {
		_, deps, more := e.value(t, sc)
		out, diags = append(out, deps...), append(diags, more...)
	}
	return sortAddrs(out), diags
}

// Lifecycle is the lifecycle block of the connection that an address belongs to,
// an instance that is not declared any more included; nil if there is none.
func (c *Config) Lifecycle(a addr.Addr) *Lifecycle {
	if b := c.eval.blocks[a.Name]; b != nil && a.Kind == addr.KindConnection {
		return b.lifecycle
	}
	return nil
}

// Preconditions reports which preconditions of a connection do not hold, with
// what is known of other connections.
func (c *Config) Preconditions(a addr.Addr, known Known) hcl.Diagnostics {
	lc := c.Lifecycle(a)
	if lc == nil || len(lc.pre) == 0 {
		return nil
	}
	return c.conditions(a, lc.pre, "Precondition failed", known, nil)
}

// Postconditions reports which postconditions of a connection do not hold; self
// is the connection as it is now.
func (c *Config) Postconditions(a addr.Addr, self cty.Value, known Known) hcl.Diagnostics {
	lc := c.Lifecycle(a)
	if lc == nil || len(lc.post) == 0 {
		return nil
	}
	return c.conditions(a, lc.post, "Postcondition failed", known, map[string]cty.Value{"self": self})
}

func (c *Config) conditions(a addr.Addr, rules []rule, summary string, known Known, extra map[string]cty.Value) hcl.Diagnostics {
	e := c.eval.with(known, nil)
	b := c.eval.blocks[a.Name]
	var each map[string]cty.Value
	if a.Keyed {
		each = map[string]cty.Value{"key": cty.StringVal(a.Key), "value": e.eachValue(b, a.Key)}
	}
	sc := connectionScope(a, each)
	sc.forEach, sc.extra = b.forEach, extra
	var diags hcl.Diagnostics
	for _, r := range rules {
		v, problem, more := e.judge(r, sc)
		diags = append(diags, more...)
		if v == Fail {
			diags = append(diags, errorAt(r.condition.Expr.Range(), summary, "%s", problem))
		}
	}
	return tidy(about(a, append(diags, e.cache.takeProblems()...)))
}

// checkConditions finds the mistakes in conditions that can be seen before
// anything is known. Whether they hold is for plan and apply to say.
func (l *loader) checkConditions(b *connectionBlock) {
	if b.lifecycle == nil {
		return
	}
	for i, list := range [][]rule{b.lifecycle.pre, b.lifecycle.post} {
		sc := connectionScope(addr.Connection(b.name), nil)
		if b.forEach != nil {
			sc.each = map[string]cty.Value{"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal}
		}
		if i == 1 {
			sc.extra = map[string]cty.Value{"self": unknownAttributes()}
		}
		for _, r := range list {
			_, _, diags := l.eval.judge(r, sc)
			l.diags = append(l.diags, about(sc.addr, diags)...)
		}
	}
}

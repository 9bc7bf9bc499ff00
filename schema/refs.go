package schema

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// connRef is what an expression says of a connection before it is evaluated.
type connRef struct {
	name  string
	key   string // of connection.NAME["key"], if keyed
	keyed bool
}

// connRefs lists the connections that an expression refers to, through locals too.
func (e *evaluator) connRefs(refs []hcl.Traversal) []connRef {
	var out []connRef
	for _, t := range refs {
		name := attrStep(t, 1)
		switch t.RootName() {
		case "local":
			if l := e.locals[name]; l != nil {
				out = append(out, l.deps...)
			}
		case "connection":
			ref := connRef{name: name}
			if len(t) > 2 {
				if _, ok := t[2].(hcl.TraverseIndex); ok {
					ref.key, ref.keyed = attrStep(t, 2), true
				}
			}
			out = append(out, ref)
		}
	}
	return out
}

// dependencies turns references into addresses. Where only the evaluation can
// tell which instance of a for_each was meant, seen has it; if it has none, all
// instances are meant.
func (e *evaluator) dependencies(refs []connRef, seen []addr.Addr) []addr.Addr {
	deps := seen // each.value brings marks without a reference
	for _, r := range refs {
		b, a := e.blocks[r.name], addr.Connection(r.name)
		switch {
		case b == nil:
		case b.forEach == nil:
			deps = append(deps, a)
		case r.keyed && r.key != "":
			deps = append(deps, a.Instance(r.key))
		case !containsBlock(seen, a):
			for _, k := range b.keys {
				deps = append(deps, a.Instance(k))
			}
		}
	}
	return sortAddrs(deps)
}

func containsBlock(as []addr.Addr, block addr.Addr) bool {
	for _, a := range as {
		if a.Block() == block {
			return true
		}
	}
	return false
}

// checkRefs reports references to things that do not exist or may not stand here.
func (e *evaluator) checkRefs(a *attr, sc scope) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range a.refs {
		if d := e.checkRef(t, sc); d != nil {
			diags = append(diags, d)
		}
	}
	return diags
}

func (e *evaluator) checkRef(t hcl.Traversal, sc scope) *hcl.Diagnostic {
	root, rng := t.RootName(), t.SourceRange()
	if _, ok := sc.extra[root]; ok {
		return nil
	}
	name := attrStep(t, 1)
	switch {
	case root == "var" && sc.variables:
		if d := needName(t, "var.NAME"); d != nil {
			return d
		}
		if _, ok := e.variables[name]; !ok {
			return errorAt(rng, "Undeclared variable",
				"There is no variable named %q.%s", name, orList(didYouMean(name, sortedKeys(e.variables)), " Declare it with a block: variable ", []string{strconv.Quote(name) + " {}"}))
		}
		return nil
	case root == "local" && sc.locals:
		if d := needName(t, "local.NAME"); d != nil {
			return d
		}
		if _, ok := e.locals[name]; !ok {
			return errorAt(rng, "Undeclared local", "There is no local named %q.%s", name, didYouMean(name, sortedKeys(e.locals)))
		}
		return nil
	case root == "each" && sc.each != nil:
		if name != "key" && name != "value" {
			return errorAt(rng, "Invalid reference", "The object each has only each.key and each.value.")
		}
		return nil
	case root == "connection" && sc.connections:
		return e.checkConnectionRef(t)
	}
	return unknownRoot(t, sc, e)
}

func needName(t hcl.Traversal, form string) *hcl.Diagnostic {
	if attrStep(t, 1) != "" {
		return nil
	}
	return errorAt(t.SourceRange(), "Invalid reference",
		"The object %q cannot be used as a whole. Name what you need: %s.", t.RootName(), form)
}

func (e *evaluator) checkConnectionRef(t hcl.Traversal) *hcl.Diagnostic {
	if d := needName(t, "connection.NAME.access_token"); d != nil {
		return d
	}
	name, rng := attrStep(t, 1), t.SourceRange()
	b, ok := e.blocks[name]
	if !ok {
		return errorAt(rng, "Undeclared connection", "There is no connection named %q.%s", name, didYouMean(name, sortedKeys(e.blocks)))
	}
	rest := t[2:]
	if len(rest) == 0 || b.broken {
		return nil
	}
	indexed := isIndex(rest[0])
	switch {
	case b.forEach == nil && indexed:
		if AttributesType().HasAttribute(attrStep(t, 2)) {
			return nil
		}
		return errorAt(rng, "Invalid reference", "connection.%s has no for_each, so it has no instances. Write connection.%s.access_token, without a key.", name, name)
	case b.forEach != nil && !indexed:
		if attr := attrStep(t, 2); b.hasKey(attr) {
			return nil
		}
		return errorAt(rng, "Missing instance key",
			"connection.%s has for_each, so it has one instance for each key. Write connection.%s[%q].%s, or each.key in place of the key.", name, name, b.example(), attrStep(t, 2))
	case b.forEach != nil:
		key := attrStep(t, 2)
		if b.expanded && !b.hasKey(key) {
			return errorAt(rng, "Unknown instance key", "connection.%s has no instance with the key %q.%s", name, key, didYouMean(key, b.keys))
		}
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	if step, ok := rest[0].(hcl.TraverseAttr); ok && !AttributesType().HasAttribute(step.Name) {
		names := sortedKeys(AttributesType().AttributeTypes())
		return errorAt(rng, "Unsupported attribute", "A connection has no attribute named %q.%s", step.Name, orList(didYouMean(step.Name, names), " It has: ", names))
	}
	return nil
}

// unknownRoot explains a name that cannot be used where it stands.
func unknownRoot(t hcl.Traversal, sc scope, e *evaluator) *hcl.Diagnostic {
	root, rng := t.RootName(), t.SourceRange()
	where := sc.place
	if where == "" {
		where = "this place"
	}
	switch root {
	case "var", "local":
		return errorAt(rng, "Invalid reference", "%s.NAME cannot be used in %s.", root, where)
	case "connection":
		return errorAt(rng, "Invalid reference", "Attributes of connections cannot be used in %s: it is needed before any connection has been applied.", where)
	case "each":
		return errorAt(rng, "Invalid reference", "each.key and each.value can be used only in a connection, a sink or an import block that has for_each.")
	case "count", "self", "path", "terraform", "module", "data", "resource":
		return errorAt(rng, "Invalid reference", "There is no %q object in this language. %s", root, terraformRoots.of(root))
	}
	if sc.secret { // a secret without quotes looks like a reference
		return errorAt(rng, "Invalid reference", "What is written here is not a reference to anything. Use env(\"NAME\"), var.NAME or local.NAME.")
	}
	if len(t) == 1 {
		hint := ""
		if _, ok := e.variables[root]; ok {
			hint = fmt.Sprintf(" For the variable write var.%s.", root)
		} else if _, ok := e.locals[root]; ok {
			hint = fmt.Sprintf(" For the local write local.%s.", root)
		} else if _, ok := e.blocks[root]; ok {
			hint = fmt.Sprintf(" For the connection write connection.%s.", root)
		}
		return errorAt(rng, "Invalid reference", "%q is not a name that can stand here. Text is written in quotes: %q.%s", root, root, hint)
	}
	return errorAt(rng, "Invalid reference", "There is no object named %q.%s", root,
		orList(didYouMean(root, []string{"var", "local", "connection", "each"}), " Expressions refer to ", []string{"var.NAME", "local.NAME", "connection.NAME", "each.key"}))
}

var terraformRoots = hints{
	{"count", "Use for_each."},
	{"self", "It stands in postconditions only. Refer to var.NAME, local.NAME or connection.NAME."},
	{"path", "Paths given to file() are relative to the configuration directory."},
	{"terraform", "There are no workspaces: use a variable."},
	{"module", "There are no modules: put more *.hcl files into the directory."},
	{"data", "Use env() or file() to read values from outside."},
	{"resource", "Connections are referred to as connection.NAME."},
}

func orList(suggestion, lead string, names []string) string {
	if suggestion != "" {
		return suggestion
	}
	return lead + joinOr(names) + "."
}

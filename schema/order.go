package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// maxChain is how many locals and connections may refer to each other in a row.
const maxChain = 1000

// placedRef is a reference from one local or connection block to another.
type placedRef struct {
	to  string // "local.x" or "connection.y"
	rng hcl.Range
}

func placedRefs(refs []hcl.Traversal) []placedRef {
	var out []placedRef
	for _, t := range refs {
		if root := t.RootName(); root == "local" || root == "connection" {
			if name := attrStep(t, 1); name != "" {
				out = append(out, placedRef{root + "." + name, t.SourceRange()})
			}
		}
	}
	return out
}

func (l *loader) declareLocals(blocks hcl.Blocks) {
	for _, b := range blocks {
		c, diags := readBody(b.Body, &Spec{Open: true}, "a locals block", b.DefRange)
		l.diags = append(l.diags, diags...)
		for _, name := range sortedKeys(c.rest) {
			a := c.rest[name]
			if l.declare("local", name, a.NameRange, a.NameRange) {
				l.eval.locals[name] = &local{attr: a, value: cty.DynamicVal}
			}
		}
	}
}

// resolveOrder follows the references among locals and connections. It reports
// cycles, and gives every local its value and every connection its instances
// after those that they refer to.
func (l *loader) resolveOrder() {
	w := &walker{l: l, state: map[string]int{}}
	for _, name := range sortedKeys(l.eval.locals) {
		w.visit("local."+name, hcl.Range{})
	}
	for _, b := range l.connections {
		w.visit("connection."+b.name, hcl.Range{})
	}
}

// walker is a depth-first walk over what refers to what.
type walker struct {
	l     *loader
	state map[string]int // 0: not seen, 1: on the path, 2: done
	path  []placedRef
	long  bool // reported already
}

const (
	onPath = 1
	done   = 2
)

func (w *walker) visit(id string, from hcl.Range) {
	refs, ok := w.refs(id)
	switch {
	case !ok || w.state[id] == done:
		return
	case w.state[id] == onPath:
		w.cycle(id, from)
		return
	case len(w.path) >= maxChain:
		if !w.long {
			w.l.diags = append(w.l.diags, errorAt(from, "Chain of references too long",
				"More than %d locals and connections refer to each other in a row. Shorten the chain.", maxChain))
		}
		w.long = true
		return
	}
	w.state[id] = onPath
	w.path = append(w.path, placedRef{id, from})
	for _, r := range refs {
		w.visit(r.to, r.rng)
	}
	w.path = w.path[:len(w.path)-1]
	w.state[id] = done
	w.settle(id)
}

func (w *walker) refs(id string) ([]placedRef, bool) {
	kind, name, _ := strings.Cut(id, ".")
	if kind == "local" {
		if l, ok := w.l.eval.locals[name]; ok {
			return placedRefs(l.refs), true
		}
		return nil, false
	}
	if b, ok := w.l.eval.blocks[name]; ok {
		return b.refs, true
	}
	return nil, false
}

// settle evaluates what everything it refers to has been evaluated for.
func (w *walker) settle(id string) {
	kind, name, _ := strings.Cut(id, ".")
	e := w.l.eval
	if kind == "connection" {
		w.l.expand(e.blocks[name])
		return
	}
	lc := e.locals[name]
	sc := scope{place: "a local", variables: true, locals: true, connections: true}
	if diags := e.checkRefs(lc.attr, sc); diags.HasErrors() {
		w.l.diags = append(w.l.diags, diags...)
		return
	}
	lc.deps = e.connRefs(lc.refs)
	v, diags := evaluate(lc.Expr, e.context(lc.refs, sc))
	e.secrets.clean(diags)
	w.l.diags = append(w.l.diags, diags...)
	if !diags.HasErrors() {
		lc.value = v
	}
}

// cycle reports a chain of references that ends where it starts.
func (w *walker) cycle(id string, closing hcl.Range) {
	start := 0
	for i, p := range w.path {
		if p.to == id {
			start = i
		}
	}
	chain := w.path[start:]
	var b strings.Builder
	for i, p := range chain {
		next, rng := id, closing
		if i+1 < len(chain) {
			next, rng = chain[i+1].to, chain[i+1].rng
		}
		fmt.Fprintf(&b, "\n  %s refers to %s at %s", p.to, next, place(rng))
		if kind, name, _ := strings.Cut(p.to, "."); kind == "connection" {
			w.l.eval.blocks[name].broken = true
		}
	}
	d := errorAt(closing, "References in a circle", "None of these can be evaluated before the others:%s\nTake one of the references out.", b.String())
	for _, p := range chain {
		if kind, name, _ := strings.Cut(p.to, "."); kind == "connection" {
			d.Extra = DiagExtra{Addr: addr.Connection(name)}
			break
		}
	}
	w.l.diags = append(w.l.diags, d)
}

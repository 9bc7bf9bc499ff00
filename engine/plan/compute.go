package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Compute compares and decides. It fails if an address in the options names
// nothing, if the options contradict each other, or if connections depend on
// each other in a circle. Its time is linear in the number of connections.
func Compute(in Input) (*Plan, error) {
	if in.Options.Destroy && (in.Options.RefreshOnly || len(in.Options.Replace) > 0 || len(in.Options.Refresh) > 0) {
		return nil, errors.New("a plan to destroy cannot refresh or replace connections as well")
	}
	if in.Options.RefreshOnly && len(in.Options.Replace) > 0 {
		return nil, errors.New("a plan that only refreshes cannot replace connections as well")
	}
	g, err := merge(in)
	if err != nil {
		return nil, err
	}
	if err := g.choose(in.Options); err != nil {
		return nil, err
	}
	order, err := g.order()
	if err != nil {
		return nil, err
	}
	d := decider{in: in, graph: g, changes: make([]Change, len(g.items)), changing: in.Outputs}
	var last []int
	for _, i := range order {
		switch it := &g.items[i]; {
		case !it.chosen:
		case it.publishesState():
			last = append(last, i)
		default:
			d.changes[i] = d.decide(it)
			d.changing = d.changing || d.changes[i].Action != "" && d.changes[i].Action != NoOp
		}
	}
	for _, i := range last {
		d.changes[i] = d.decide(&g.items[i])
	}
	p := &Plan{
		Lineage: in.Lineage, Serial: in.Serial, Options: in.Options, CreatedAt: in.Now,
		Changes: slices.DeleteFunc(d.changes, func(c Change) bool { return c.Action == "" }),
	}
	slices.SortStableFunc(d.warnings, func(a, b Warning) int { return addr.Compare(a.Addr, b.Addr) })
	p.Warnings = d.warnings
	p.prevent(in.Protected)
	return p, nil
}

// item is one connection: wanted, held, or both.
type item struct {
	addr   addr.Addr
	want   *Want
	rec    *state.Record
	deps   []int // indexes of the items that it depends on
	chosen bool
}

// publishesState: what it publishes is known when everything else is decided.
func (it *item) publishesState() bool {
	return it.want != nil && it.want.Sink != nil && it.want.Sink.State
}

// graph is every connection once, in address order.
type graph struct {
	items []item
	edges bool // some item depends on another
	moved map[addr.Addr]addr.Addr
}

// merge joins wants and records by address and connects what depends on each other.
func merge(in Input) (*graph, error) {
	g := &graph{items: make([]item, 0, max(len(in.Wants), len(in.Records))), moved: in.Moved}
	w, r := 0, 0
	for w < len(in.Wants) || r < len(in.Records) {
		var it item
		switch c := compareHeads(in, w, r); {
		case c < 0:
			it = item{addr: in.Wants[w].Addr, want: &in.Wants[w]}
			w++
		case c > 0:
			it = item{addr: in.Records[r].Addr, rec: in.Records[r]}
			r++
		default:
			it = item{addr: in.Wants[w].Addr, want: &in.Wants[w], rec: in.Records[r]}
			w, r = w+1, r+1
		}
		if n := len(g.items); n > 0 && addr.Compare(g.items[n-1].addr, it.addr) >= 0 {
			return nil, fmt.Errorf("plan: input is not sorted at %s", it.addr)
		}
		if it.want != nil && len(it.want.DependsOn) > 0 || it.want == nil && it.rec.Info != nil && len(it.rec.Info.DependsOn) > 0 {
			g.edges = true
		}
		g.items = append(g.items, it)
	}
	if g.edges {
		g.connect()
	}
	return g, nil
}

// compareHeads says which input has the next address: the wants (-1), the records (1) or both (0).
func compareHeads(in Input, w, r int) int {
	switch {
	case w == len(in.Wants):
		return 1
	case r == len(in.Records):
		return -1
	}
	return addr.Compare(in.Wants[w].Addr, in.Records[r].Addr)
}

// connect fills deps. The configuration decides; for what is not in it any
// more, the record remembers.
func (g *graph) connect() {
	index := make(map[addr.Addr]int, len(g.items))
	for i := range g.items {
		index[g.items[i].addr] = i
	}
	for i := range g.items {
		it := &g.items[i]
		var on []addr.Addr
		switch {
		case it.want != nil:
			on = it.want.DependsOn
		case it.rec.Info != nil:
			on = recordDeps(it.rec)
		}
		for _, a := range on {
			if j, ok := index[a]; ok && j != i {
				it.deps = append(it.deps, j)
			}
		}
	}
}

func recordDeps(r *state.Record) []addr.Addr {
	if r.Info == nil {
		return nil
	}
	var out []addr.Addr
	for _, s := range r.Info.DependsOn {
		if a, err := addr.Parse(s); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// choose marks the items that the options select. A target brings what it
// depends on; when destroying, what depends on it. An exclusion takes the
// opposite with it, so that nothing is left half done.
func (g *graph) choose(o Options) error {
	for _, list := range [][]addr.Addr{o.Targets, o.Excludes, o.Replace, o.Refresh} {
		for _, a := range list {
			if !g.has(a) && !o.Destroy { // what is declared and not in the state is not looked at then
				return fmt.Errorf("%s is neither in the configuration nor in the state", a)
			}
		}
	}
	forward := func(i int) []int { return g.items[i].deps }
	back := forward
	if g.edges {
		rev := g.dependents()
		back = func(i int) []int { return rev[i] }
	}
	if o.Destroy {
		forward, back = back, forward
	}
	targets := g.reach(o.Targets, forward)
	excluded := g.reach(o.Excludes, back)
	for i := range g.items {
		g.items[i].chosen = (len(o.Targets) == 0 || targets[i]) && !excluded[i]
	}
	return nil
}

func (g *graph) has(a addr.Addr) bool {
	for i := range g.items {
		if g.named([]addr.Addr{a}, i) {
			return true
		}
	}
	return false
}

// named: one of the addresses contains the item, by its present name or its former one.
func (g *graph) named(list []addr.Addr, i int) bool {
	a := g.items[i].addr
	from := g.moved[a]
	return contained(list, a) || !from.IsZero() && contained(list, from)
}

func (g *graph) dependents() [][]int {
	rev := make([][]int, len(g.items))
	for i := range g.items {
		for _, j := range g.items[i].deps {
			rev[j] = append(rev[j], i)
		}
	}
	return rev
}

// reach is the set of items that the addresses contain, and what next leads to from them.
func (g *graph) reach(from []addr.Addr, next func(int) []int) map[int]bool {
	if len(from) == 0 {
		return nil
	}
	seen := map[int]bool{}
	var todo []int
	for i := range g.items {
		if g.named(from, i) {
			seen[i] = true
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, j := range next(i) {
			if !seen[j] {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	return seen
}

func contained(list []addr.Addr, a addr.Addr) bool {
	return slices.ContainsFunc(list, func(b addr.Addr) bool { return b.Contains(a) })
}

// order lists the items so that each comes after what it depends on.
func (g *graph) order() ([]int, error) {
	out := make([]int, 0, len(g.items))
	if !g.edges {
		for i := range g.items {
			out = append(out, i)
		}
		return out, nil
	}
	rev := g.dependents()
	waits := make([]int, len(g.items))
	for i := range g.items {
		waits[i] = len(g.items[i].deps)
		if waits[i] == 0 {
			out = append(out, i)
		}
	}
	for n := 0; n < len(out); n++ {
		for _, j := range rev[out[n]] {
			if waits[j]--; waits[j] == 0 {
				out = append(out, j)
			}
		}
	}
	if len(out) < len(g.items) {
		return nil, g.circle(waits)
	}
	return out, nil
}

func (g *graph) circle(waits []int) error {
	var names []string
	for i, n := range waits {
		if n > 0 {
			names = append(names, g.items[i].addr.String())
		}
	}
	return fmt.Errorf("connections depend on each other in a circle: %s", strings.Join(names, ", "))
}

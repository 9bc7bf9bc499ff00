package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// node is a change that waits for others.
type node struct {
	change *plan.Change
	waits  int     // for so many others
	next   []*node // what waits for it
	result *Result
}

// nodes orders the changes of the plan. What uses a connection comes after it,
// and is revoked before it.
func nodes(p *plan.Plan) []*node {
	var all []*node
	index := map[addr.Addr]*node{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action == plan.NoOp {
			continue
		}
		n := &node{change: c}
		all = append(all, n)
		index[c.Addr] = n
	}
	for _, n := range all {
		for _, a := range n.change.DependsOn {
			on := index[a]
			if on == nil || on == n {
				continue
			}
			before, after := on, n
			if leaves(n.change.Action) {
				before, after = n, on
			}
			if leaves(n.change.Action) != leaves(on.change.Action) {
				continue
			}
			before.next = append(before.next, after)
			after.waits++
		}
	}
	return all
}

// leaves: the connection or sink goes out of the state.
func leaves(a plan.Action) bool { return a == plan.Revoke || a == plan.Forget || a == plan.Remove }

// atOnce is how many changes may be under way: more than may speak to servers
// at the same time, so that what waits for the disk can share a commit.
func (a *applier) atOnce() int { return max(1024, 16*a.e.o.Parallelism) }

// run carries out all changes and returns their results in address order.
func (a *applier) run(ctx context.Context) []Result {
	all := nodes(a.p)
	all, last := a.statesLast(all)
	s := &schedule{a: a, left: len(all), done: make(chan *node)}
	for _, n := range all {
		if n.waits == 0 {
			s.ready(n)
		}
	}
	for s.left > 0 {
		if ctx.Err() == nil {
			s.start(ctx)
		}
		if s.running == 0 && !s.asking {
			break // interrupted
		}
		s.finish(<-s.done)
	}
	results := make([]Result, 0, len(all)+len(last))
	for _, n := range slices.Concat(all, a.publishStates(ctx, last)) {
		if n.result == nil {
			r := a.skip(n.change, &Error{Class: ClassError, Addr: n.change.Addr,
				Doing: "apply the change of " + n.change.Addr.String(), Err: notStarted{context.Cause(ctx)}})
			n.result = &r
		}
		results = append(results, *n.result)
	}
	slices.SortStableFunc(results, func(x, y Result) int { return addr.Compare(x.Addr, y.Addr) })
	return results
}

// schedule is the order of one run; only the goroutine of run touches it.
type schedule struct {
	a       *applier
	alone   []*node // ready, and nobody is needed
	person  []*node // ready, and a person has to consent: one at a time
	running int
	asking  bool
	left    int
	done    chan *node
}

func (s *schedule) ready(n *node) {
	if n.change.NeedsUser && s.a.e.o.User != nil {
		s.person = append(s.person, n)
		return
	}
	s.alone = append(s.alone, n)
}

// start starts what may run now.
func (s *schedule) start(ctx context.Context) {
	for len(s.alone) > 0 && s.running < s.a.atOnce() {
		n := s.alone[0]
		s.alone = s.alone[1:]
		s.running++
		go s.run(ctx, n)
	}
	if len(s.person) > 0 && !s.asking {
		n := s.person[0]
		s.person = s.person[1:]
		s.asking = true
		go s.run(ctx, n)
	}
}

func (s *schedule) run(ctx context.Context, n *node) {
	r := s.a.guarded(n.change, func() Result { return s.a.do(ctx, n.change) })
	n.result = &r
	s.done <- n
}

// finish takes in a result and frees, or skips, what waited for it.
func (s *schedule) finish(n *node) {
	if n.change.NeedsUser && s.a.e.o.User != nil {
		s.asking = false
	} else {
		s.running--
	}
	s.settle(n)
}

func (s *schedule) settle(n *node) {
	todo := []*node{n}
	for len(todo) > 0 {
		n := todo[0]
		todo = todo[1:]
		s.left--
		for _, m := range n.next {
			if m.result != nil {
				continue
			}
			if n.result.State != Done {
				r := s.a.skip(m.change, s.because(m, n))
				m.result = &r
				todo = append(todo, m)
				continue
			}
			if m.waits--; m.waits == 0 {
				s.ready(m)
			}
		}
	}
}

func (s *schedule) because(m, n *node) error {
	what := "which it depends on, "
	if leaves(m.change.Action) {
		what = "which depends on it, "
	}
	switch n.result.State {
	case Waiting:
		what += "waits for a person"
	case Skipped:
		what += "was not started either"
	default:
		what += string(n.result.State)
	}
	return &Error{
		Class: ClassError, Addr: m.change.Addr, Doing: "apply the change of " + m.change.Addr.String(),
		Err: fmt.Errorf("not started, because %s, %s", n.change.Addr, what), Remedy: "apply again when that is settled",
	}
}

// notStarted is why a change was not begun when an interruption came.
type notStarted struct{ cause error }

func (notStarted) Error() string   { return "not started before the interruption" }
func (e notStarted) Unwrap() error { return e.cause }

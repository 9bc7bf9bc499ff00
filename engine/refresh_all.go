package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Refresh refreshes connections now, each once, whether due or not. An address
// without a key stands for all its instances; no address for all connections.
func (e *Engine) Refresh(ctx context.Context, addrs []addr.Addr) (*Outcome, error) {
	rows, err := e.o.Store.Summaries(ctx)
	if err != nil {
		return nil, e.failure("read the state", addr.Addr{}, err)
	}
	for _, a := range addrs {
		if a.Kind == addr.KindSink {
			return nil, errNoToken(a)
		}
		if !slices.ContainsFunc(rows, func(r state.Summary) bool { return a.Contains(r.Addr) }) {
			return nil, e.readFailure(ctx, a, state.ErrNotFound)
		}
	}
	var todo []addr.Addr
	for _, r := range rows {
		if r.Addr.Kind == addr.KindSink {
			continue
		}
		if len(addrs) == 0 || slices.ContainsFunc(addrs, func(a addr.Addr) bool { return a.Contains(r.Addr) }) {
			todo = append(todo, r.Addr)
		}
	}
	a := &applier{e: e, p: &plan.Plan{}, slots: make(chan struct{}, e.o.Parallelism)}
	out := &Outcome{Results: make([]Result, len(todo))}
	turns := make(chan struct{}, a.atOnce())
	for _, wave := range e.waves(ctx, todo) {
		var wg sync.WaitGroup
		for _, i := range wave {
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				c := &plan.Change{Addr: todo[i], Action: plan.Refresh}
				out.Results[i] = a.guarded(c, func() Result { return a.refreshNow(ctx, c) })
			})
		}
		wg.Wait()
	}
	return out, nil
}

// waves orders connections: what feeds another comes in an earlier wave. Those
// that feed each other in a circle come last, and say so themselves.
func (e *Engine) waves(ctx context.Context, todo []addr.Addr) [][]int {
	feeders := make([][]string, len(todo))
	waiting := map[string]bool{}
	for i, a := range todo {
		if r, err := e.o.Store.Get(ctx, a, state.PartInfo); err == nil { // else the refresh says what is wrong
			feeders[i] = r.Info.Exchange.Feeders()
		}
		waiting[a.String()] = true
	}
	left := make([]int, len(todo))
	for i := range todo {
		left[i] = i
	}
	var out [][]int
	for len(left) > 0 {
		var wave, rest []int
		for _, i := range left {
			if slices.ContainsFunc(feeders[i], func(s string) bool { return waiting[s] }) {
				rest = append(rest, i)
			} else {
				wave = append(wave, i)
			}
		}
		if len(wave) == 0 {
			return append(out, rest)
		}
		for _, i := range wave {
			delete(waiting, todo[i].String())
		}
		out, left = append(out, wave), rest
	}
	return out
}

// refreshNow refreshes one connection as it stands in the state.
func (a *applier) refreshNow(ctx context.Context, c *plan.Change) Result {
	start, of := a.e.now(), c.Addr
	if err := ctx.Err(); err != nil {
		return a.skip(c, &Error{Class: ClassError, Addr: of, Doing: "refresh " + of.String(), Err: err})
	}
	a.e.emit(Event{Type: EventStart, Addr: of, Action: plan.Refresh})
	r := Result{Addr: of, Action: plan.Refresh}
	out, err := a.e.renew(ctx, renewal{addr: of, operation: "refresh", force: true, slot: a.slot})
	if err != nil {
		r.Err = err
		return a.end(r, start)
	}
	if out.warning != "" {
		r.Warnings = append(r.Warnings, out.warning)
	}
	r.ExpiresAt, r.RefreshExpiresAt, r.Account = out.record.ExpiresAt, out.record.RefreshExpiresAt, out.record.Info.Account
	return a.end(r, start)
}

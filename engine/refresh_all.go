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
		if !slices.ContainsFunc(rows, func(r state.Summary) bool { return a.Contains(r.Addr) }) {
			return nil, e.readFailure(ctx, a, state.ErrNotFound)
		}
	}
	var todo []addr.Addr
	for _, r := range rows {
		if len(addrs) == 0 || slices.ContainsFunc(addrs, func(a addr.Addr) bool { return a.Contains(r.Addr) }) {
			todo = append(todo, r.Addr)
		}
	}
	a := &applier{e: e, p: &plan.Plan{}, slots: make(chan struct{}, e.o.Parallelism)}
	out := &Outcome{Results: make([]Result, len(todo))}
	var wg sync.WaitGroup
	turns := make(chan struct{}, a.atOnce())
	for i, of := range todo {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			out.Results[i] = a.refreshNow(ctx, of)
		})
	}
	wg.Wait()
	return out, nil
}

// refreshNow refreshes one connection as it stands in the state.
func (a *applier) refreshNow(ctx context.Context, of addr.Addr) Result {
	start := a.e.now()
	c := &plan.Change{Addr: of, Action: plan.Refresh}
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

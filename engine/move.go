package engine

import (
	"context"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// move puts what has moved under its new address, before anything else is done
// with it. No request is made and nobody is asked.
func (a *applier) move(ctx context.Context) error {
	var renames []state.Rename
	for i := range a.p.Changes {
		if c := &a.p.Changes[i]; !c.MovedFrom.IsZero() {
			renames = append(renames, state.Rename{From: c.MovedFrom, To: c.Addr})
		}
	}
	if len(renames) == 0 || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var err error
	a.moved, err = a.e.o.Store.Rename(ctx, renames, a.e.o.LockTimeout)
	for _, r := range a.moved {
		a.serial = max(a.serial, r.Serial)
	}
	return a.e.failure("move connections to their new addresses", addr.Addr{}, err)
}

// planned is the serial up to which a record is what was planned for: that of the plan, or
// of its own move.
func (a *applier) planned(of addr.Addr) uint64 { return max(a.p.Serial, a.moved[of].Serial) }

// Rename puts connections of the state under other addresses. Plans that were
// saved before are stale then.
func (e *Engine) Rename(ctx context.Context, renames []state.Rename) error {
	const doing = "rename"
	if err := e.o.Store.Probe(ctx); err != nil {
		return e.failure(doing, addr.Addr{}, err)
	}
	_, _ = e.Recover(ctx, nil, false) // that of a consent fits its own address alone; "recover" tells what fails
	_, err := e.o.Store.Rename(ctx, renames, e.o.LockTimeout)
	return e.failure(doing, addr.Addr{}, err)
}

package engine

import (
	"context"
	"errors"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Carry lets another process exchange the refresh token of a connection, whose
// lock this process holds and shares with it, and waits for it: whoever kills
// this process then does not stop the save. That process calls TokenHeld.
// ErrNotCarried: there is no such process, and nothing was done.
type Carry func(ctx context.Context, a addr.Addr, o TokenOptions) (Carried, error)

// Carried is what was done. The tokens are in the state.
type Carried struct {
	Refreshed bool
	Warning   string
}

// ErrNotCarried says that the exchange has to be made here.
var ErrNotCarried = errors.New("no other process does it")

// carry lets another process do the exchange, where that saves anything: of a
// refresh token that works once and that only a person can replace, with the
// settings that are in the state.
func (e *Engine) carry(ctx context.Context, w *renewal, rec *state.Record) (*renewedToken, error) {
	if e.o.Carry == nil || w.before != nil || w.scopes != nil || !oneTime(rec) || renewsItself(rec) {
		return nil, ErrNotCarried
	}
	if w.slot != nil {
		defer w.slot()()
	}
	ctx = context.WithoutCancel(ctx)
	done, err := e.o.Carry(ctx, w.addr, TokenOptions{MinTTL: w.minTTL, ForceRefresh: w.force})
	if err != nil {
		return nil, err
	}
	now, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, e.readFailure(ctx, w.addr, err)
	}
	return &renewedToken{record: now, refreshed: done.Refreshed, warning: done.Warning}, nil
}

// TokenHeld refreshes a token for the process that holds, and shares, the lock
// of its connection: see Carry.
func (e *Engine) TokenHeld(ctx context.Context, a addr.Addr, o TokenOptions) (Carried, error) {
	out, err := e.renewLocked(ctx, &renewal{addr: a, force: o.ForceRefresh, minTTL: o.MinTTL, operation: "refresh"}, nil)
	if err != nil {
		return Carried{}, err
	}
	return Carried{Refreshed: out.refreshed, Warning: out.warning}, nil
}

package engine

import (
	"context"
	"errors"
	"time"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

// lease makes this the only process that asks a person about the connection.
// Who waited for another may find that there is nothing left to ask.
func (a *applier) lease(ctx context.Context, c *plan.Change) (release state.Unlock, err error) {
	doing := "authorize " + c.Addr.String()
	if a.e.o.NoLock {
		return func() {}, nil
	}
	patience, cancel := context.WithTimeout(ctx, a.e.o.LockTimeout)
	defer cancel()
	first, done := context.WithTimeout(patience, leaseGlance)
	release, err = a.e.o.Store.Lease(first, c.Addr, "consent")
	done()
	if errors.Is(err, state.ErrBusy) && patience.Err() == nil {
		a.e.emit(Event{Type: EventProgress, Addr: c.Addr, Action: c.Action, Text: "waiting: " + err.Error()})
		release, err = a.e.o.Store.Lease(patience, c.Addr, "consent")
	}
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, a.e.failure(doing, c.Addr, err)
	}
	if err := a.wanted(ctx, c); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// wanted: nobody has made the change, or another one, since it was planned.
func (a *applier) wanted(ctx context.Context, c *plan.Change) error {
	if c.Generation != 0 {
		_, err := a.current(ctx, c)
		return err
	}
	switch _, err := a.e.o.Store.Get(ctx, c.Addr, state.PartInfo); {
	case errors.Is(err, state.ErrNotFound):
		return nil
	case err != nil:
		return a.e.failure("read "+c.Addr.String(), c.Addr, err)
	}
	return errStale(c.Addr, "somebody else authorized the connection since the plan was made")
}

// leaseGlance is how long another consent may take to end without a word about it.
const leaseGlance = 300 * time.Millisecond

package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// KeeperOptions of a [Keeper].
type KeeperOptions struct {
	// Open gives an engine over the state as it is now, which waits so long for
	// locks (0: as usual). done is called when the engine is not needed any more.
	Open    func(ctx context.Context, lockTimeout time.Duration) (e *Engine, done func(), err error)
	Only    []addr.Addr // what is kept: these and their instances; none: all
	Idle    bool        // look and answer, and refresh nothing that nobody asks for
	Now     func() time.Time
	OnEvent func(Event) // called from one goroutine at a time; nil: nobody listens
}

// Keeper keeps connections fresh: it refreshes each when it is due, as any
// other caller would, and hands tokens out. It keeps no tokens itself: what it
// hands out is what the state holds, so that nothing others do is missed.
//
// It goes by the wall clock and never sleeps for long: the timers of a machine
// stand still while it is suspended.
type Keeper struct {
	o     KeeperOptions
	turns chan struct{} // how many refreshes are under way at once
	wake  chan struct{} // something has changed: look again
	work  sync.WaitGroup

	mu    sync.Mutex
	known map[addr.Addr]*kept
	state error // why the state could not be read when it was last looked at
	told  sync.Mutex
}

// Kept is what a Keeper knows of one connection.
type Kept struct {
	state.Summary
	Refreshed, Failed int // refreshes since the start
}

// kept is one connection of a Keeper.
type kept struct {
	Kept
	due      time.Time // zero: never
	after    time.Time // no attempt before this
	failures int       // since the last success
	busy     bool
	trouble  Class // that was told last; "": none
}

const (
	lookEvery = 30 * time.Second       // the longest sleep
	lookLeast = 200 * time.Millisecond // the shortest
	keepPause = 5 * time.Second        // after the first failure; doubled with each
	keepPatch = time.Minute            // the longest pause
	keepTurns = 10
)

// NewKeeper returns a Keeper, which does nothing before Run.
func NewKeeper(o KeeperOptions) *Keeper {
	return &Keeper{o: o, turns: make(chan struct{}, keepTurns), wake: make(chan struct{}, 1), known: map[addr.Addr]*kept{}}
}

// Keeps reports whether a connection is one of those to be kept.
func (k *Keeper) Keeps(a addr.Addr) bool {
	return len(k.o.Only) == 0 || slices.ContainsFunc(k.o.Only, func(o addr.Addr) bool { return o.Contains(a) })
}

// Kept lists what is kept, sorted by address, and says why the state could not
// be read when it was last looked at.
func (k *Keeper) Kept() ([]Kept, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]Kept, 0, len(k.known))
	for _, c := range k.known {
		list = append(list, c.Kept)
	}
	slices.SortFunc(list, func(a, b Kept) int { return addr.Compare(a.Addr, b.Addr) })
	return list, k.state
}

// Run keeps until ctx ends, and then until what is under way has been saved.
func (k *Keeper) Run(ctx context.Context) {
	defer k.work.Wait()
	for ctx.Err() == nil {
		nap := k.look(ctx)
		asleep := k.o.Now()
		timer := time.NewTimer(nap)
		select {
		case <-timer.C:
		case <-k.wake:
		case <-ctx.Done():
		}
		timer.Stop()
		if k.o.Now().Sub(asleep) > nap+lookEvery {
			k.forgive() // the machine was suspended: what failed before says nothing now
		}
	}
}

// look reads what is in the state, begins what is due, and says how long
// nothing will be.
func (k *Keeper) look(ctx context.Context) time.Duration {
	err := k.notice(ctx)
	k.mu.Lock()
	news := err != nil && k.state == nil
	k.state = err
	k.mu.Unlock()
	if err != nil {
		if news && ctx.Err() == nil {
			k.tell(Event{Type: EventFailed, Action: plan.Refresh, Err: err})
		}
		return lookEvery
	}
	return k.begin(ctx)
}

// notice compares the state with what is known of it.
func (k *Keeper) notice(ctx context.Context) error {
	e, done, err := k.o.Open(ctx, 0)
	if err != nil {
		return err
	}
	defer done()
	rows, err := e.o.Store.Summaries(ctx)
	if err != nil {
		return e.failure("read the state", addr.Addr{}, err)
	}
	here := map[addr.Addr]bool{}
	for _, row := range rows {
		if row.Addr.Kind == addr.KindSink || !k.Keeps(row.Addr) {
			continue
		}
		here[row.Addr] = true
		if !k.changed(row) {
			continue
		}
		r, err := e.o.Store.Get(ctx, row.Addr, state.PartInfo)
		if errors.Is(err, state.ErrNotFound) {
			continue // gone since
		}
		if err != nil {
			return e.readFailure(ctx, row.Addr, err)
		}
		k.learn(e, r)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for a := range k.known {
		if !here[a] {
			delete(k.known, a)
		}
	}
	return nil
}

func (k *Keeper) changed(row state.Summary) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.known[row.Addr]
	return c == nil || c.Generation != row.Generation || !c.UpdatedAt.Equal(row.UpdatedAt)
}

// learn takes note of a record that is new, or not as it was.
func (k *Keeper) learn(e *Engine, r *state.Record) {
	k.mu.Lock()
	c := k.known[r.Addr]
	if c == nil {
		c = &kept{}
		k.known[r.Addr] = c
	}
	c.Summary, c.due = r.Summary, e.dueAt(r)
	waits := r.Status == state.StatusNeedsConsent
	news := waits && c.trouble != ClassNeedsUser
	switch {
	case waits:
		c.trouble = ClassNeedsUser
	case r.Info.Reject == nil && r.Status == state.StatusOK:
		c.trouble, c.failures, c.after = "", 0, time.Time{} // refreshed, or consented to
	}
	k.mu.Unlock()
	if news {
		k.tell(Event{Type: EventWaiting, Addr: r.Addr, Action: plan.Refresh, Err: consentEnded(r, refusedBefore(r))})
	}
}

// dueAt is when a token has to be renewed; zero: never, or not without a person.
func (e *Engine) dueAt(r *state.Record) time.Time {
	if r.Status == state.StatusNeedsConsent || r.ExpiresAt.IsZero() || !renewsItself(r) && !r.Info.HasRefresh {
		return time.Time{}
	}
	m := margin(r)
	at := r.ExpiresAt.Add(-m - e.early(r, m))
	if j := r.Info.Reject; j != nil && j.Until.After(at) {
		at = j.Until
	}
	return at
}

// begin starts the refreshes that are due.
func (k *Keeper) begin(ctx context.Context) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, nap := k.o.Now(), lookEvery
	for a, c := range k.known {
		if k.o.Idle || c.busy || c.due.IsZero() {
			continue
		}
		at := c.due
		if c.after.After(at) {
			at = c.after
		}
		if left := at.Sub(now); left > 0 {
			nap = min(nap, left)
			continue
		}
		c.busy = true
		k.work.Go(func() { k.refresh(ctx, a) })
	}
	return max(nap, lookLeast)
}

// refresh renews one connection, in its turn.
func (k *Keeper) refresh(ctx context.Context, a addr.Addr) {
	select {
	case k.turns <- struct{}{}:
		_, err := k.token(ctx, a, TokenOptions{}, 0)
		<-k.turns
		if err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrNotFound) {
			k.failed(a, err)
		}
	case <-ctx.Done():
	}
	k.mu.Lock()
	if c := k.known[a]; c != nil {
		c.busy = false
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Token is [Engine.Token] of a connection that is kept.
func (k *Keeper) Token(ctx context.Context, a addr.Addr, o TokenOptions, lockTimeout time.Duration) (*Token, error) {
	t, err := k.token(ctx, a, o, lockTimeout)
	var old oldToken
	if errors.As(err, &old) {
		err = nil
	}
	return t, err
}

// oldToken says why a token is an old one.
type oldToken string

func (o oldToken) Error() string { return string(o) }

// token gets a token and keeps account of refreshes. An old token that should
// have been renewed comes with an oldToken.
func (k *Keeper) token(ctx context.Context, a addr.Addr, o TokenOptions, lockTimeout time.Duration) (*Token, error) {
	e, done, err := k.o.Open(ctx, lockTimeout)
	if err != nil {
		return nil, err
	}
	defer done()
	start := k.o.Now()
	t, err := k.guardedToken(ctx, e, a, o)
	switch {
	case err != nil:
		return nil, err
	case t.Refreshed:
		k.refreshed(t, k.o.Now().Sub(start))
	case t.Warning != "":
		return t, oldToken(t.Warning)
	default:
		k.rest(a)
	}
	return t, nil
}

// refreshed takes note of a token that is new.
func (k *Keeper) refreshed(t *Token, took time.Duration) {
	k.mu.Lock()
	if c := k.known[t.Addr]; c != nil {
		c.Refreshed++
		c.trouble, c.failures, c.after = "", 0, time.Time{}
	}
	k.mu.Unlock()
	k.tell(Event{Type: EventDone, Addr: t.Addr, Action: plan.Refresh, Elapsed: took, ExpiresAt: t.ExpiresAt, Text: t.Warning})
}

// rest leaves a connection alone for a moment: somebody else is at it.
func (k *Keeper) rest(a addr.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c := k.known[a]; c != nil {
		c.after = k.o.Now().Add(keepPause)
	}
}

// failed makes the next attempt wait, longer each time, and tells what is new:
// a machine without a network says so once.
func (k *Keeper) failed(a addr.Addr, err error) {
	class := ClassTemporary
	var e *Error
	if errors.As(err, &e) {
		class = e.Class
	}
	k.mu.Lock()
	c := k.known[a]
	if c == nil {
		k.mu.Unlock()
		return
	}
	news := c.trouble != class
	c.Failed, c.trouble = c.Failed+1, class
	c.after = k.o.Now().Add(min(keepPause<<min(c.failures, 10), keepPatch))
	c.failures++
	k.mu.Unlock()
	ev := Event{Type: EventFailed, Addr: a, Action: plan.Refresh, Err: err}
	if class == ClassNeedsUser {
		ev.Type = EventWaiting
	}
	if news {
		k.tell(ev)
	}
}

// forgive lets everything that failed be tried again now.
func (k *Keeper) forgive() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.known {
		c.after, c.failures = time.Time{}, 0
	}
}

func (k *Keeper) tell(ev Event) {
	if k.o.OnEvent == nil {
		return
	}
	k.told.Lock()
	defer k.told.Unlock()
	ev.At = k.o.Now()
	k.o.OnEvent(ev)
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// renewal is a wish for a valid access token of one connection.
type renewal struct {
	addr      addr.Addr
	force     bool          // a new token is what was asked for: a valid old one is no answer
	minTTL    time.Duration // that the token must have left
	operation string        // for whoever waits for the lock
	scopes    []string      // to narrow to; nil keeps
	narrow    bool          // the token with these scopes is for the caller alone: the record keeps its own

	// before lays new settings over the record before it is sent; nil: none.
	// It may refuse, when the record is not the one that was planned with.
	before func(*state.Record) error
	put    func(context.Context, *state.Record) error // saves what before has changed; nil: as it is
	// slot waits for a turn on the network and returns what ends it; nil: no waiting.
	slot func() func()

	path []addr.Addr // of the connections that wait for this one: it feeds them
	fed  grant.Fed   // tokens of the connections that feed it
}

// renewedToken is the outcome of a renewal.
type renewedToken struct {
	record    *state.Record
	refreshed bool
	warning   string
}

// renew walks the refresh protocol: look without a lock; lock this connection;
// look again; prove that the state can be written; write the intent; send once;
// classify; save; and only then hand out. A connection that is fed by others
// lets them be renewed before it is locked: nobody holds two locks.
func (e *Engine) renew(ctx context.Context, w renewal) (*renewedToken, error) {
	if w.addr.Kind == addr.KindSink {
		return nil, errNoToken(w.addr)
	}
	out, err := e.renewOnce(ctx, w)
	if errors.Is(err, errRefreshEnded) {
		return e.renewOnce(ctx, w)
	}
	return out, err
}

func (e *Engine) renewOnce(ctx context.Context, w renewal) (*renewedToken, error) {
	first, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, e.readFailure(ctx, w.addr, err)
	}
	if out, err := e.look(&w, first, nil); out != nil || err != nil {
		return out, err
	}
	if err := e.feed(ctx, &w, first); err != nil {
		return e.serveOr(&w, first, "the token is not renewed: what feeds the connection has none", err)
	}
	unlock, out, err := e.lockOrFresh(ctx, &w, first)
	if unlock == nil {
		return out, err
	}
	defer unlock()
	return e.renewLocked(ctx, &w, first)
}

// renewLocked is the part of renew under the lock. first is what the caller saw
// before it waited for it; nil: nothing.
func (e *Engine) renewLocked(ctx context.Context, w *renewal, first *state.Record) (*renewedToken, error) {
	rec, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, e.readFailure(ctx, w.addr, err)
	}
	if rec, err = e.putBack(context.WithoutCancel(ctx), rec); err != nil {
		return nil, err
	}
	if out, err := e.look(w, rec, first); out != nil || err != nil {
		return out, err
	}
	if err := ctx.Err(); err != nil {
		return nil, e.failure(w.doing(), w.addr, err)
	}
	if !asksAgain(rec) {
		if err := e.o.Store.MaySpend(ctx, rec, oneTime(rec)); err != nil {
			return e.serveOr(w, rec, "the token is not refreshed: "+notSpent(err), e.failure(w.doing(), w.addr, err))
		}
	}
	if out, err := e.carry(ctx, w, rec); !errors.Is(err, ErrNotCarried) {
		return out, err
	}
	with := rec // what is sent, and saved if it works
	if w.before != nil {
		with = clone(rec)
		if err := w.before(with); err != nil {
			return nil, err
		}
	}
	if !fedAlike(first, with) {
		return e.serveOr(w, rec, "the token is not renewed: the connection was changed meanwhile", &Error{Class: ClassTemporary, Addr: w.addr,
			Doing: w.doing(), Err: errors.New("another process changed the connection at the same time"), Remedy: "try again"})
	}
	if err := e.o.Store.Probe(ctx); err != nil {
		return e.serveOr(w, rec, "the token is not refreshed: the state cannot be written", e.failure(w.doing(), w.addr, err))
	}
	return e.exchange(ctx, w, rec, with)
}

// notSpent says in short why a refresh token is not sent.
func notSpent(err error) string {
	if errors.Is(err, state.ErrRollback) {
		return "the state is older than one that this machine has seen"
	}
	return strings.TrimSuffix(err.Error(), ": "+state.Advice(err))
}

// errNoToken: sinks publish tokens and have none.
func errNoToken(a addr.Addr) error {
	return &Error{Class: ClassError, Addr: a, Doing: "renew the token of " + a.String(),
		Err: errors.New("it is a sink, which publishes tokens of connections and has none"), Remedy: "name a connection; see: oauthctl status"}
}

func (w *renewal) doing() string { return "refresh " + w.addr.String() }

// look decides without a request: hand out what is there, refuse, or go on
// (nil, nil). first is what the caller saw before it waited for the lock.
func (e *Engine) look(w *renewal, r, first *state.Record) (*renewedToken, error) {
	now := e.now()
	if !w.force && e.fresh(r, now, w.minTTL) {
		return &renewedToken{record: r}, nil
	}
	if w.before != nil {
		return nil, nil // new settings may be what was missing
	}
	if w.narrow {
		if err := checkNarrow(r, w.scopes); err != nil {
			return nil, err
		}
	}
	if first != nil && !w.narrow && !r.Tokens.AccessToken.Equal(first.Tokens.AccessToken) && usable(r, now) {
		return &renewedToken{record: r, refreshed: true}, nil // somebody else did it meanwhile
	}
	switch {
	case r.Status == state.StatusHandedOver:
		return nil, errHandedOver(r)
	case r.Status == state.StatusNeedsConsent:
		return e.serveOr(w, r, "the server refused the refresh token; a new consent is needed", consentEnded(r, refusedBefore(r)))
	case r.Info.Reject != nil && now.Before(r.Info.Reject.Until):
		return e.serveOr(w, r, "the last refresh failed: "+r.Info.Reject.Error, e.rejected(w, r.Info.Reject, now))
	case !canRenew(r):
		return e.serveOr(w, r, "there is no refresh token: the token cannot be renewed before it ends", e.noRefreshToken(r))
	}
	return nil, nil
}

// answers: the token that is there is an answer to the wish, if it cannot be
// renewed. Whoever forces a refresh knows that the old token is no good.
func (w *renewal) answers(r *state.Record, now time.Time) bool {
	return !w.force && usable(r, now.Add(w.minTTL))
}

// serveOr hands out a token that is still an answer, with a warning, or fails.
func (e *Engine) serveOr(w *renewal, r *state.Record, warning string, err error) (*renewedToken, error) {
	if w.answers(r, e.now()) {
		return &renewedToken{record: r, warning: warning}, nil
	}
	return nil, err
}

func (e *Engine) noRefreshToken(r *state.Record) error {
	err := &Error{
		Class: ClassNeedsUser, Addr: r.Addr, Doing: "renew the token of " + r.Addr.String(),
		Err: errors.New("the server gave no refresh token"), Remedy: applyCommand(r.Addr),
	}
	if usable(r, e.now()) {
		err.Remedy = "for a new consent before it ends, " + replaceCommand(r.Addr)
	}
	return err
}

// rejected is a failure that is remembered. It keeps its class: what the
// configuration has to mend does not mend itself in time.
func (e *Engine) rejected(w *renewal, j *state.Reject, now time.Time) error {
	out := &Error{
		Class: ClassTemporary, Addr: w.addr, Doing: w.doing(),
		Err:    fmt.Errorf("the last attempt failed, and it is too early for another: %s", j.Error),
		Remedy: fmt.Sprintf("try again in %s", schema.FormatDuration(j.Until.Sub(now).Round(time.Second)+time.Second)),
	}
	if j.Class != "" && Class(j.Class) != ClassTemporary {
		out.Class = Class(j.Class)
		out.Remedy = "correct the configuration, then " + applyCommand(w.addr) + "; or " + out.Remedy
	}
	return out
}

// readFailure explains why a record cannot be read.
func (e *Engine) readFailure(ctx context.Context, a addr.Addr, err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return e.notFound(ctx, a, err)
	}
	return e.failure("read "+a.String(), a, err)
}

// jitter draws from the second half of a pause: those who wait together do not
// all look again at once.
func (e *Engine) jitter(d time.Duration) time.Duration {
	var b [1]byte
	if e.o.Rand == nil {
		return d
	}
	if _, err := io.ReadFull(e.o.Rand, b[:]); err != nil {
		return d
	}
	return d/2 + d/2*time.Duration(b[0])/255
}

// lockOrFresh takes the lock of the connection. While it waits, it looks again
// and again whether another process has renewed the token: then it leaves with
// that, and without the lock (a nil Unlock).
func (e *Engine) lockOrFresh(ctx context.Context, w *renewal, first *state.Record) (state.Unlock, *renewedToken, error) {
	early := w.answers(first, e.now()) // due, but not ended: no reason to queue
	patience, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	defer cancel()
	told := false
	for turn := 50 * time.Millisecond; ; turn = min(2*turn, 3200*time.Millisecond) { // a look costs more than waiting
		attempt, done := context.WithTimeout(patience, e.jitter(turn))
		unlock, err := e.o.Store.Lock(attempt, w.addr, w.operation)
		done()
		if err == nil {
			return unlock, nil, nil
		}
		if ctx.Err() != nil {
			return nil, nil, e.failure(w.doing(), w.addr, ctx.Err())
		}
		if !errors.Is(err, state.ErrBusy) {
			return nil, nil, e.failure(w.doing(), w.addr, err)
		}
		rec, readErr := e.o.Store.Get(ctx, w.addr, state.PartAll)
		if readErr != nil {
			return nil, nil, e.readFailure(ctx, w.addr, readErr)
		}
		if out, err := e.look(w, rec, first); out != nil || err != nil {
			return nil, out, err
		}
		if early {
			return nil, &renewedToken{record: rec}, nil
		}
		if turn > 200*time.Millisecond && !told {
			told = true
			e.emit(Event{Type: EventProgress, Addr: w.addr, Action: plan.Refresh, Text: "waiting: " + err.Error()})
		}
		if patience.Err() != nil {
			out, err := e.serveOr(w, rec, "the token is not refreshed: another process holds the lock", e.failure(w.doing(), w.addr, err))
			return nil, out, err
		}
	}
}

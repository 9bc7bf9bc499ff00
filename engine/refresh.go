package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// renewal is a wish for a valid access token of one connection.
type renewal struct {
	addr      addr.Addr
	force     bool          // refresh although it is not due
	minTTL    time.Duration // that the token must have left
	operation string        // for whoever waits for the lock
	strict    bool          // a new token is what was asked for: a valid old one is no answer
	scopes    []string      // to narrow to; nil keeps

	// before lays new settings over the record before it is sent; nil: none.
	// It may refuse, when the record is not the one that was planned with.
	before func(*state.Record) error
	// slot waits for a turn on the network and returns what ends it; nil: no waiting.
	slot func() func()
}

// renewedToken is the outcome of a renewal.
type renewedToken struct {
	record    *state.Record
	refreshed bool
	warning   string
}

// exchangeTime bounds one request. It and the save after it go on when the
// caller is interrupted: a refresh token that is spent must not be lost.
const exchangeTime = 30 * time.Second

// renew walks the refresh protocol: look without a lock; lock this connection;
// look again; prove that the state can be written; write the intent; send once;
// classify; save; and only then hand out.
func (e *Engine) renew(ctx context.Context, w renewal) (*renewedToken, error) {
	first, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, e.readFailure(ctx, w.addr, err)
	}
	if out, err := e.look(&w, first, nil); out != nil || err != nil {
		return out, err
	}
	unlock, out, err := e.lockOrFresh(ctx, &w, first)
	if unlock == nil {
		return out, err
	}
	defer unlock()
	rec, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, e.readFailure(ctx, w.addr, err)
	}
	if out, err := e.look(&w, rec, first); out != nil || err != nil {
		return out, err
	}
	if err := ctx.Err(); err != nil {
		return nil, e.failure(w.doing(), w.addr, err)
	}
	with := rec // what is sent, and saved if it works
	if w.before != nil {
		with = clone(rec)
		if err := w.before(with); err != nil {
			return nil, err
		}
	}
	if err := e.o.Store.Probe(ctx); err != nil {
		return e.serveOr(&w, rec, "the token is not refreshed: the state cannot be written", e.failure(w.doing(), w.addr, err))
	}
	return e.exchange(ctx, &w, rec, with)
}

func (w *renewal) doing() string { return "refresh " + w.addr.String() }

// look decides without a request: hand out what is there, refuse, or go on
// (nil, nil). first is what the caller saw before it waited for the lock.
func (e *Engine) look(w *renewal, r, first *state.Record) (*renewedToken, error) {
	now := e.now()
	if !w.force && fresh(r, now, w.minTTL) {
		return &renewedToken{record: r}, nil
	}
	if w.before != nil {
		return nil, nil // new settings may be what was missing
	}
	if first != nil && !r.Tokens.AccessToken.Equal(first.Tokens.AccessToken) && usable(r, now) {
		return &renewedToken{record: r, refreshed: true}, nil // somebody else did it meanwhile
	}
	switch {
	case r.Status == state.StatusNeedsConsent:
		return e.serveOr(w, r, "the server refused the refresh token; a new consent is needed", e.needsConsent(w.addr, "the server refused the refresh token"))
	case r.Info.Reject != nil && now.Before(r.Info.Reject.Until):
		return e.serveOr(w, r, "the last refresh failed: "+r.Info.Reject.Error, e.rejected(w, r.Info.Reject, now))
	case !canRenew(r):
		return e.serveOr(w, r, "there is no refresh token: the token cannot be renewed before it ends", e.noRefreshToken(r))
	}
	return nil, nil
}

// serveOr hands out a token that is still valid, with a warning, or fails.
func (e *Engine) serveOr(w *renewal, r *state.Record, warning string, err error) (*renewedToken, error) {
	if !w.strict && usable(r, e.now()) {
		return &renewedToken{record: r, warning: warning}, nil
	}
	return nil, err
}

func (e *Engine) needsConsent(a addr.Addr, why string) error {
	return &Error{
		Class: ClassNeedsUser, Addr: a, Doing: "get a token for " + a.String(),
		Err: errors.New(why), Remedy: applyCommand(a),
	}
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

func (e *Engine) rejected(w *renewal, j *state.Reject, now time.Time) error {
	return &Error{
		Class: ClassTemporary, Addr: w.addr, Doing: w.doing(),
		Err:    fmt.Errorf("the last attempt failed, and it is too early for another: %s", j.Error),
		Remedy: fmt.Sprintf("try again in %s", j.Until.Sub(now).Round(time.Second)+time.Second),
	}
}

// readFailure explains why a record cannot be read.
func (e *Engine) readFailure(ctx context.Context, a addr.Addr, err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return e.notFound(ctx, a, err)
	}
	return e.failure("read "+a.String(), a, err)
}

// lockOrFresh takes the lock of the connection. While it waits, it looks again
// and again whether another process has renewed the token: then it leaves with
// that, and without the lock (a nil Unlock).
func (e *Engine) lockOrFresh(ctx context.Context, w *renewal, first *state.Record) (state.Unlock, *renewedToken, error) {
	early := !w.force && usable(first, e.now().Add(w.minTTL)) // due, but not ended: no reason to queue
	patience, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	defer cancel()
	told := false
	for turn := 25 * time.Millisecond; ; turn = min(2*turn, 400*time.Millisecond) {
		attempt, done := context.WithTimeout(patience, turn)
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

// oneTime: a refresh token that the server may accept once only.
func oneTime(r *state.Record) bool {
	if renewsItself(r) {
		return false
	}
	switch r.Info.Client.Rotation {
	case "none", "replaced":
		return false
	}
	return true
}

// exchange spends the refresh token. The lock is held, the state can be written.
// A failure leaves rec as it is, without the new settings in with.
func (e *Engine) exchange(ctx context.Context, w *renewal, rec, with *state.Record) (*renewedToken, error) {
	ctx = context.WithoutCancel(ctx)
	if oneTime(rec) {
		out, next, err := e.intend(ctx, w, rec)
		if out != nil || err != nil {
			return out, err
		}
		rec = next
	}
	g, err := e.send(ctx, w, with)
	if err != nil {
		return e.refreshFailed(ctx, w, rec, err)
	}
	next := renewed(with, g, e.now())
	next.Generation = rec.Generation
	if err := e.saveRenewed(ctx, rec, next); err != nil {
		return nil, err
	}
	return &renewedToken{record: next, refreshed: true}, nil
}

// send makes the one request, in its turn on the network.
func (e *Engine) send(ctx context.Context, w *renewal, rec *state.Record) (*grant.Grant, error) {
	if w.slot != nil {
		defer w.slot()()
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	return grant.Refresh(ctx, e.env(), rec, w.scopes)
}

// maxSends is how often one refresh token is ever sent: once, and once more
// after an outcome that nobody knows.
const maxSends = 2

// intend writes that the refresh token is about to be sent, so that whoever
// comes after a crash knows. An intent that is already there means that its
// outcome is unknown.
func (e *Engine) intend(ctx context.Context, w *renewal, rec *state.Record) (*renewedToken, *state.Record, error) {
	digest, err := e.o.Store.Digest(ctx, "refresh_token", rec.Tokens.RefreshToken.Reveal())
	if err != nil {
		return nil, nil, e.failure(w.doing(), w.addr, err)
	}
	sends := 0
	if i := rec.Info.Intent; i != nil && i.Digest == digest {
		sends = i.Sends
	}
	if sends > 0 {
		if out, err := e.sendAgain(w, rec, sends); out != nil || err != nil {
			return out, nil, err
		}
	}
	next := clone(rec)
	next.Info.Intent = &state.Intent{At: e.now(), Digest: digest, PID: e.o.PID, Host: e.o.Host, Sends: sends + 1}
	next.UpdatedAt = e.now()
	if err := e.o.Store.Put(ctx, next); err != nil {
		out, err := e.serveOr(w, rec, "the token is not refreshed: the state cannot be written", e.failure(w.doing(), w.addr, err))
		return out, nil, err
	}
	return nil, next, nil
}

// sendAgain decides about a refresh token whose fate is unknown. Sending it a
// second time saves the grant where the server forgives it, and loses little
// elsewhere, except where reuse ends every grant of the client, or where there
// is a valid token to lose: then the second sending waits until that has ended.
func (e *Engine) sendAgain(w *renewal, rec *state.Record, sends int) (*renewedToken, error) {
	since := rec.Info.Intent.At.UTC().Format(time.RFC3339)
	unknown := &Error{
		Class: ClassNeedsUser, Addr: w.addr, Doing: w.doing(), Remedy: replaceCommand(w.addr),
		Err: fmt.Errorf("a refresh was sent at %s and no answer arrived; nobody knows whether the refresh token still works", since),
	}
	warning := "a refresh was sent at " + since + " and no answer arrived"
	if sends >= maxSends {
		return e.serveOr(w, rec, warning, unknown)
	}
	client := rec.Info.Client
	risky := client.BlastRadius == "client_user" || client.Grace == 0
	left := rec.ExpiresAt.Sub(e.now())
	if risky && !w.strict && usable(rec, e.now()) && (rec.ExpiresAt.IsZero() || left > time.Minute) {
		return &renewedToken{record: rec, warning: warning}, nil
	}
	return nil, nil
}

// How long a failed refresh keeps others from trying, unless the server says.
const (
	rejectAnswered = time.Minute
	rejectNotSent  = 5 * time.Second
	rejectLongest  = time.Hour
)

// refreshFailed classifies: a verdict on the token, a failure that leaves it
// alone, or an outcome that nobody knows.
func (e *Engine) refreshFailed(ctx context.Context, w *renewal, rec *state.Record, err error) (*renewedToken, error) {
	var g *grant.Error
	if !errors.As(err, &g) {
		g = &grant.Error{Kind: grant.Temporary, Outcome: grant.Unknown, Doing: w.doing(), Err: err}
	}
	failed := e.failure(w.doing(), w.addr, err)
	next := clone(rec)
	warning := "the refresh failed: " + cmp.Or(g.Code, g.Detail, string(g.Kind))
	switch {
	case g.Kind == grant.Rejected && !renewsItself(rec):
		return e.refused(ctx, w, rec, failed)
	case g.Outcome == grant.Unknown && oneTime(rec):
		next.Status = state.StatusUnknown
		warning = "a refresh was sent and no answer arrived"
		failed = &Error{
			Class: ClassTemporary, Addr: w.addr, Doing: w.doing(), Err: err,
			Remedy: "try again; if it stays so, " + replaceCommand(w.addr),
		}
	default:
		if w.before != nil && next.Info.Intent == nil {
			return nil, failed // with other settings it might have worked: nothing to remember
		}
		next.Info.Intent = nil
		next.Info.Reject = &state.Reject{Error: cmp.Or(g.Code, g.Detail, string(g.Kind)), Until: e.now().Add(pause(g))}
		if w.before != nil {
			next.Info.Reject = rec.Info.Reject
		}
	}
	next.UpdatedAt = e.now()
	if err := e.o.Store.Put(ctx, next); err != nil {
		failed = errors.Join(failed, e.failure("remember the failure of "+w.addr.String(), w.addr, err))
		next = rec
	}
	return e.serveOr(w, next, warning, failed)
}

func pause(g *grant.Error) time.Duration {
	switch {
	case g.RetryAfter > 0:
		return min(g.RetryAfter, rejectLongest)
	case g.Outcome == grant.NotSent:
		return rejectNotSent
	}
	return rejectAnswered
}

// refused handles invalid_grant, which is a verdict on the bytes that were
// sent: if another process has saved a newer grant meanwhile, that is used; else the
// connection needs a consent. Nothing is deleted.
func (e *Engine) refused(ctx context.Context, w *renewal, sent *state.Record, failed error) (*renewedToken, error) {
	cur, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, errors.Join(failed, e.readFailure(ctx, w.addr, err))
	}
	if !cur.Tokens.RefreshToken.Equal(sent.Tokens.RefreshToken) {
		if usable(cur, e.now()) {
			return &renewedToken{record: cur, refreshed: true}, nil
		}
		return nil, &Error{Class: ClassTemporary, Addr: w.addr, Doing: w.doing(), Remedy: "try again",
			Err: errors.New("another process changed the connection at the same time")}
	}
	next := clone(cur)
	next.Status, next.Info.Intent, next.UpdatedAt = state.StatusNeedsConsent, nil, e.now()
	if err := e.o.Store.Put(ctx, next); err != nil {
		failed = errors.Join(failed, e.failure("remember the refusal of "+w.addr.String(), w.addr, err))
		next = cur
	}
	return e.serveOr(w, next, "the server refused the refresh token; a new consent is needed", failed)
}

// saveTries is how often a save is attempted: what it holds cannot be had again.
const saveTries = 4

// saveRenewed saves the answer of a refresh. The generation guards it: if
// somebody else has changed the record, what they did decides.
func (e *Engine) saveRenewed(ctx context.Context, sent, next *state.Record) error {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	next.UpdatedAt = e.now()
	var err error
	for try := range saveTries {
		if err = e.o.Store.Put(ctx, next); err == nil {
			return nil
		}
		if errors.Is(err, state.ErrConflict) {
			cur, readErr := e.o.Store.Get(ctx, next.Addr, state.PartAll)
			switch {
			case errors.Is(readErr, state.ErrNotFound):
				e.discard(ctx, next)
				return &Error{Class: ClassError, Addr: next.Addr, Doing: "save the tokens of " + next.Addr.String(),
					Err: errors.New("the connection was removed while it was being refreshed"), Remedy: applyCommand(next.Addr)}
			case readErr != nil:
				err = readErr
			case !cur.Tokens.RefreshToken.Equal(sent.Tokens.RefreshToken):
				*next = *cur // a new consent came in between: it is worth more than ours
				return nil
			default:
				next.Generation = cur.Generation
			}
		}
		if !sleep(ctx, time.Duration(try)*100*time.Millisecond) {
			break
		}
	}
	return e.errNotSaved(next.Addr, err)
}

// discard gives back what nobody will keep; whether that works changes nothing.
func (e *Engine) discard(ctx context.Context, r *state.Record) {
	_ = grant.Revoke(ctx, e.env(), r)
}

// sleep waits, or reports false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

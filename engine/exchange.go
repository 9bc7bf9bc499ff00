package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/state"
)

// exchangeTime bounds one request. It and the save after it go on when the
// caller is interrupted: a refresh token that is spent must not be lost.
const exchangeTime = 30 * time.Second

// oneTime: a refresh token that the server may accept once only.
func oneTime(r *state.Record) bool {
	if asksAgain(r) {
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
	if w.narrow {
		return e.narrowed(ctx, w, rec, next)
	}
	if err := e.saveRenewed(ctx, w, rec, next); err != nil {
		return nil, err
	}
	out := &renewedToken{record: next, refreshed: true}
	if w.force && next.Tokens.AccessToken.Equal(with.Tokens.AccessToken) {
		out.warning = "the server gave the same access token again"
	}
	return out, nil
}

// send makes the one request, in its turn on the network.
func (e *Engine) send(ctx context.Context, w *renewal, rec *state.Record) (*grant.Grant, error) {
	if w.slot != nil {
		defer w.slot()()
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	env := e.env()
	env.Fed = w.fed
	return grant.Refresh(ctx, env, rec, w.scopes)
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
		if out, err := e.mayBeSpent(ctx, w, rec, sends); out != nil || err != nil {
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

// again is what to do with a refresh token that was sent and not answered.
type again int

// The answers of sendAgain.
const (
	againSend   again = iota // once more
	againLater               // not while the access token is valid: there is something to lose
	againPerson              // never: a new consent is needed
)

// unknownSend is what is known of a refresh token whose fate is not.
type unknownSend struct {
	never   bool          // unknown_outcome = "never"
	sends   int           // so far
	ago     time.Duration // the last of them
	grace   time.Duration // in which the server forgives a second use
	wide    bool          // a second use ends every grant of this client and user
	valid   bool          // the access token is an answer to who asks
	left    time.Duration // of it
	endless bool          // it has no known end
}

// sendAgain decides about a refresh token whose fate is unknown. Sending it a
// second time saves the grant where the server forgives it, and loses little
// elsewhere, except where reuse ends every grant of the client, or where there
// is a valid token to lose: then the second sending waits until that has ended.
func sendAgain(u unknownSend) again {
	risky := u.wide || u.ago >= u.grace
	switch {
	case u.never, u.sends >= maxSends:
		return againPerson
	case risky && u.valid && (u.endless || u.left > time.Minute):
		return againLater
	}
	return againSend
}

// mayBeSpent deals with a refresh token whose fate is unknown; nil, nil: send it once more.
func (e *Engine) mayBeSpent(ctx context.Context, w *renewal, rec *state.Record, sends int) (*renewedToken, error) {
	at, client := rec.Info.Intent.At, rec.Info.Client
	decision := sendAgain(unknownSend{
		never: client.UnknownOutcome == "never", sends: sends, ago: e.now().Sub(at),
		grace: client.Grace, wide: client.BlastRadius == "client_user",
		valid: w.answers(rec, e.now()), left: rec.ExpiresAt.Sub(e.now()), endless: rec.ExpiresAt.IsZero(),
	})
	warning := "a refresh was sent at " + at.UTC().Format(time.RFC3339) + " and no answer arrived"
	switch decision {
	case againLater:
		return &renewedToken{record: rec, warning: warning}, nil
	case againPerson:
		why := "nobody knows whether the refresh token still works"
		if sends < maxSends {
			why += `, and unknown_outcome = "never" forbids to try`
		}
		rec = e.noteUnknown(ctx, rec)
		return e.serveOr(w, rec, warning, &Error{
			Class: ClassNeedsUser, Addr: w.addr, Doing: w.doing(), Remedy: replaceCommand(w.addr),
			Err: fmt.Errorf("%s; %s", warning, why),
		})
	}
	return nil, nil
}

// noteUnknown makes a process that was killed before an answer known to status
// and plan, if the state can be written.
func (e *Engine) noteUnknown(ctx context.Context, rec *state.Record) *state.Record {
	if rec.Status == state.StatusUnknown {
		return rec
	}
	next := clone(rec)
	next.Status, next.UpdatedAt = state.StatusUnknown, e.now()
	if e.o.Store.Put(ctx, next) != nil {
		return rec
	}
	return next
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
	failed := e.fedFailure(w, rec, g, e.failure(w.doing(), w.addr, err))
	next := clone(rec)
	warning := "the refresh failed: " + cmp.Or(g.Code, g.Detail, string(g.Kind))
	switch {
	case (g.Kind == grant.Rejected || g.Kind == grant.Config && e.outlived(rec, g)) && !asksAgain(rec):
		return e.refused(ctx, w, rec, g)
	case g.Outcome == grant.Unknown && oneTime(rec):
		next.Status = state.StatusUnknown
		warning = "a refresh was sent and no answer arrived"
		lost := &Error{
			Class: ClassTemporary, Addr: w.addr, Doing: w.doing(), Err: err,
			Remedy: "try again; if it stays so, " + replaceCommand(w.addr),
		}
		if rec.Info.Client.UnknownOutcome == "never" {
			lost.Class, lost.Remedy = ClassNeedsUser, replaceCommand(w.addr)
		}
		failed = lost
	default:
		if w.before != nil && next.Info.Intent == nil {
			return nil, failed // with other settings it might have worked: nothing to remember
		}
		next.Info.Intent = undone(rec.Info.Intent)
		next.Info.Reject = &state.Reject{
			Error: cmp.Or(g.Code, g.Detail, string(g.Kind)), Class: string(grantClass(g.Kind)), Until: e.now().Add(pause(g, next.Info)),
		}
		if w.before != nil || w.narrow && g.Kind == grant.Config { // says nothing of a refresh as it is
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

// outlived: a server that does not say why has refused a refresh token that has
// ended by all that is known of it.
func (e *Engine) outlived(rec *state.Record, g *grant.Error) bool {
	end := rec.RefreshExpiresAt
	return g.Outcome == grant.Answered && !end.IsZero() && !e.now().Before(end)
}

// undone takes the last sending back, which was answered or never left. Earlier
// ones, whose outcome nobody knows, still count.
func undone(i *state.Intent) *state.Intent {
	if i == nil || i.Sends <= 1 {
		return nil
	}
	earlier := *i
	earlier.Sends--
	return &earlier
}

// pause is how long nobody tries again. A refresh token that an earlier sending
// may have spent is not left until the server's grace is over.
func pause(g *grant.Error, i *state.Info) time.Duration {
	switch {
	case g.RetryAfter > 0:
		return min(g.RetryAfter, rejectLongest)
	case g.Outcome == grant.NotSent:
		return rejectNotSent
	case i.Intent != nil && i.Client.Grace > 0:
		return min(max(i.Client.Grace/4, rejectNotSent), rejectAnswered)
	}
	return rejectAnswered
}

// refused handles invalid_grant, which is a verdict on the bytes that were
// sent: if another process has saved a newer grant meanwhile, that is used; else the
// connection needs a consent. Nothing is deleted.
func (e *Engine) refused(ctx context.Context, w *renewal, sent *state.Record, g *grant.Error) (*renewedToken, error) {
	var failed error = consentEnded(sent, g)
	cur, err := e.o.Store.Get(ctx, w.addr, state.PartAll)
	if err != nil {
		return nil, errors.Join(failed, e.readFailure(ctx, w.addr, err))
	}
	if !cur.Tokens.RefreshToken.Equal(sent.Tokens.RefreshToken) {
		if usable(cur, e.now()) && !w.narrow {
			return &renewedToken{record: cur, refreshed: true}, nil
		}
		return nil, &Error{Class: ClassTemporary, Addr: w.addr, Doing: w.doing(), Remedy: "try again",
			Err: errors.New("another process changed the connection at the same time")}
	}
	next := clone(cur)
	if renewsItself(cur) {
		return nil, e.forget(ctx, w, next, failed)
	}
	next.Status, next.Info.Intent, next.UpdatedAt = state.StatusNeedsConsent, nil, e.now()
	next.Info.Reject = refusal(g)
	if err := e.o.Store.Put(ctx, next); err != nil {
		failed = errors.Join(failed, e.failure("remember the refusal of "+w.addr.String(), w.addr, err))
		next = cur
	}
	return e.serveOr(w, next, "the server refused the refresh token; a new consent is needed", failed)
}

// errRefreshEnded: the refresh token of a grant that needs nobody has ended, and
// the grant can be asked for again.
var errRefreshEnded = errors.New("the server refused the refresh token")

// forget takes a refresh token out of a record that can do without.
func (e *Engine) forget(ctx context.Context, w *renewal, next *state.Record, failed error) error {
	next.Tokens.RefreshToken, next.Info.Intent, next.Status, next.UpdatedAt = "", nil, state.StatusOK, e.now()
	if err := e.o.Store.Put(ctx, next); err != nil {
		return errors.Join(failed, e.failure("forget the refresh token of "+w.addr.String(), w.addr, err))
	}
	return errRefreshEnded
}

// saveTries is how often a save is attempted: what it holds cannot be had again.
const saveTries = 4

// saveRenewed saves the answer of a refresh. The generation guards it: if
// somebody else has changed the record, what they did decides. What the state
// does not take is kept in an emergency copy.
func (e *Engine) saveRenewed(ctx context.Context, w *renewal, sent, next *state.Record) error {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	next.UpdatedAt = e.now()
	put := w.put
	if put == nil {
		put = e.o.Store.Put
	}
	var err error
	for try := range saveTries {
		if err = put(ctx, next); err == nil {
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
			case w.put == nil && cur.Info.ConfigSerial != sent.Info.ConfigSerial:
				at := next.UpdatedAt
				*next = *onto(cur, next) // other settings came in between
				next.UpdatedAt = at
			default:
				next.Generation = cur.Generation
			}
		}
		if !sleep(ctx, time.Duration(try)*100*time.Millisecond) {
			break
		}
	}
	return e.rescue(ctx, sent, next, err)
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

package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Rescuer keeps emergency copies: what a server answered to a refresh, or granted,
// when the state cannot be written. It sees sealed bytes only.
type Rescuer interface {
	// Keep writes a copy durably to the first place that takes it, and says where.
	Keep(name string, sealed []byte) (place string, err error)
	// Find gives the copies whose names begin so, in every place, each read when it is its turn.
	Find(name string) iter.Seq[EmergencyCopy]
	// Drop removes a copy.
	Drop(place string) error
}

// EmergencyCopy is one that was found.
type EmergencyCopy struct {
	Place  string
	Sealed []byte
	Err    error // it cannot be read
}

// rescue keeps what could not be saved where it will be found again. sent holds
// the intent by which the copy will be known to be its successor.
func (e *Engine) rescue(ctx context.Context, sent, next *state.Record, why error) error {
	if sent.Info.Intent == nil {
		return e.errNotSaved(next.Addr, why)
	}
	next = clone(next)
	next.Generation++
	return e.keep(ctx, &state.Rescue{Record: next, Digest: sent.Info.Intent.Digest}, why, "the next command that needs the connection")
}

// keep makes an emergency copy. The error that it returns says where that is, and
// what will put it back.
func (e *Engine) keep(ctx context.Context, c *state.Rescue, why error, by string) error {
	a := c.Record.Addr
	if e.o.Rescuer == nil {
		return e.errNotSaved(a, why)
	}
	place, err := e.keepAt(context.WithoutCancel(ctx), c)
	if err != nil {
		return errors.Join(e.errNotSaved(a, why), e.failure("keep an emergency copy of "+a.String(), a, err))
	}
	class, _ := e.stateClass(why, a)
	return &Error{
		Class: class, Addr: a, Doing: "save the tokens of " + a.String(),
		Err: fmt.Errorf("the server answered with new tokens; they are kept, sealed, in the emergency copy %s, "+
			"for they could not be saved: %w", place, why),
		Remedy: "make " + e.o.Store.Location() + " writable; " + by + " puts them back, or: oauthctl recover",
	}
}

func (e *Engine) keepAt(ctx context.Context, c *state.Rescue) (place string, err error) {
	name, err := e.o.Store.RescueName(ctx, c.Record.Addr)
	if err != nil {
		return "", err
	}
	sealed, err := e.o.Store.SealRescue(ctx, c)
	if err != nil {
		return "", err
	}
	return e.o.Rescuer.Keep(name, sealed)
}

// putBack merges the emergency copy of an unfinished refresh into its record,
// if there is one; else it gives the record as it is. The lock is held. Without
// an intent, as usual, it looks nowhere. A connection that was moved since has its
// copy among those of the whole state, under its former name.
func (e *Engine) putBack(ctx context.Context, rec *state.Record) (*state.Record, error) {
	if rec.Info.Intent == nil || e.o.Rescuer == nil {
		return rec, nil
	}
	for _, of := range []addr.Addr{rec.Addr, {}} {
		name, err := e.o.Store.RescueName(ctx, of)
		if err != nil {
			return nil, err
		}
		for c := range e.o.Rescuer.Find(name) {
			if c.Err != nil {
				continue // "recover" tells
			}
			rescued, err := e.o.Store.OpenRescue(ctx, c.Sealed)
			if err != nil || e.follows(ctx, rec, rescued) != nil {
				continue
			}
			return e.merge(ctx, rec, rescued, c.Place)
		}
	}
	return rec, nil
}

// What keeps an emergency copy from being the successor of what the state holds.
var (
	errNotNext = errors.New("the connection has other tokens by now")
	errGone    = errors.New("the connection was removed from the state since")
)

// follows: the copy answers the very refresh that the record has an intent of. The
// refresh token tells, wherever the connection has moved to since. So does one that the record
// still has, without an intent: it was sent again where the copy was not found, and refused, or
// an earlier generation was restored. Then the copy has to be from later than what is there.
func (e *Engine) follows(ctx context.Context, rec *state.Record, c *state.Rescue) error {
	i := rec.Info.Intent
	intended := i != nil && i.Digest == c.Digest
	if c.Digest == "" || !intended && (i != nil || !c.Record.Info.ReceivedAt.After(rec.Info.ReceivedAt)) {
		return errNotNext
	}
	digest, err := e.o.Store.Digest(ctx, "refresh_token", rec.Tokens.RefreshToken.Reveal())
	if err != nil {
		return err
	}
	if digest != c.Digest {
		return errNotNext
	}
	return nil
}

// fits: a grant that was to take the place of the record that is there, or of none
// (nil). A connection that was removed meanwhile does not come back by it.
func (e *Engine) fits(ctx context.Context, rec *state.Record, c *state.Rescue) error {
	switch {
	case rec == nil && c.Replaces > 0:
		return errGone
	case rec == nil:
		next, err := e.o.Store.NextGeneration(ctx, c.Record.Addr)
		if err == nil && next != c.Record.Generation {
			err = errGone
		}
		return err
	case rec.Generation != c.Replaces || rec.Info.ConfigSerial > c.Record.Info.ConfigSerial:
		return errNotNext
	}
	return nil
}

// adopt saves the grant that a copy holds, settings and all, and removes the copy.
// Plans from before are stale then, as after the apply that could not save it.
func (e *Engine) adopt(ctx context.Context, c *state.Rescue, place string) error {
	next := clone(c.Record)
	next.Generation, next.UpdatedAt = c.Replaces, e.now()
	if err := e.o.Store.PutNext(ctx, next); err != nil {
		return e.failure("put the emergency copy "+place+" of "+next.Addr.String()+" back", next.Addr, err)
	}
	e.drop(place)
	return nil
}

// merge saves what a copy holds over the record that it follows, and removes
// the copy. Settings stay those of the record.
func (e *Engine) merge(ctx context.Context, rec *state.Record, c *state.Rescue, place string) (*state.Record, error) {
	next := onto(rec, c.Record)
	next.UpdatedAt = e.now()
	if err := e.o.Store.Put(ctx, next); err != nil {
		return nil, e.failure("put the emergency copy "+place+" of "+rec.Addr.String()+" back", rec.Addr, err)
	}
	e.drop(place)
	return next, nil
}

// drop removes a copy that was put back, unless it is all there is after this run.
func (e *Engine) drop(place string) {
	if e.o.Store.Lost() == nil {
		_ = e.o.Rescuer.Drop(place) // left behind, it fits nowhere any more
	}
}

// Recovered is what became of one emergency copy.
type Recovered struct {
	Place string
	Addr  addr.Addr // zero: not known
	Err   error     // why it was left where it is; nil: it was put back, or would be
}

// Recover puts emergency copies back, each under the lock of its connection:
// those given, or with nil those of the state that are found. With dryRun it only
// says what it would do. A copy that is not the successor of what the state holds
// is left where it is, with the reason.
func (e *Engine) Recover(ctx context.Context, copies []EmergencyCopy, dryRun bool) ([]Recovered, error) {
	if e.o.Rescuer == nil {
		return nil, nil
	}
	name, err := e.o.Store.RescueName(ctx, addr.Addr{})
	if err != nil {
		return nil, e.failure("look for emergency copies", addr.Addr{}, err)
	}
	found := slices.Values(copies)
	if copies == nil {
		found = e.o.Rescuer.Find(name)
	}
	var out []Recovered
	for c := range found {
		r := Recovered{Place: c.Place, Err: c.Err}
		if r.Err == nil {
			r.Addr, r.Err = e.recoverOne(ctx, c, dryRun)
		}
		out = append(out, r)
	}
	return out, nil
}

func (e *Engine) recoverOne(ctx context.Context, c EmergencyCopy, dryRun bool) (addr.Addr, error) {
	rescued, err := e.o.Store.OpenRescue(ctx, c.Sealed)
	if err != nil {
		return addr.Addr{}, err
	}
	a, err := e.whereabouts(ctx, rescued)
	if err != nil {
		return a, err
	}
	patience, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	defer cancel()
	unlock, err := e.o.Store.Lock(patience, a, "recover")
	if err != nil {
		return a, err
	}
	defer unlock()
	rec, err := e.o.Store.Get(ctx, a, state.PartAll)
	grant := rescued.Digest == ""
	switch {
	case grant && errors.Is(err, state.ErrNotFound):
		err = e.fits(ctx, nil, rescued)
	case err == nil && grant:
		err = e.fits(ctx, rec, rescued)
	case err == nil:
		err = e.follows(ctx, rec, rescued)
	}
	switch {
	case err != nil || dryRun:
	case grant:
		err = e.adopt(context.WithoutCancel(ctx), rescued, c.Place)
	default:
		_, err = e.merge(context.WithoutCancel(ctx), rec, rescued, c.Place)
	}
	return a, err
}

// whereabouts is the address of the connection that a copy is for: that in the copy,
// or the one that the unfinished refresh has moved to.
func (e *Engine) whereabouts(ctx context.Context, c *state.Rescue) (addr.Addr, error) {
	a := c.Record.Addr
	if c.Digest == "" {
		return a, nil
	}
	unfinished := func(r *state.Record) bool { return r.Info.Intent != nil && r.Info.Intent.Digest == c.Digest }
	if r, err := e.o.Store.Get(ctx, a, state.PartInfo); err == nil && unfinished(r) {
		return a, nil
	}
	all, err := e.o.Store.All(ctx, state.PartInfo)
	if i := slices.IndexFunc(all, unfinished); i >= 0 {
		return all[i].Addr, nil
	}
	return a, err
}

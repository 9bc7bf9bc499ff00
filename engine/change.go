package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// saveTime bounds a save that goes on after an interruption.
const saveTime = 30 * time.Second

// authorize walks the flow of a connection and saves what it brings.
func (a *applier) authorize(ctx context.Context, c *plan.Change, r *Result) error {
	doing := "authorize " + c.Addr.String()
	client, err := a.client(ctx, c.Addr)
	if err != nil {
		return err
	}
	var first uint64 // generation of a new record
	if c.NeedsUser { // a person's time is worth one more look
		release, err := a.lease(ctx, c)
		if err != nil {
			return err
		}
		defer release()
		if err := a.e.o.Store.Probe(ctx); err != nil {
			return a.e.failure(doing, c.Addr, err)
		}
		if first, err = a.e.o.Store.NextGeneration(ctx, c.Addr); err != nil {
			return a.e.failure(doing, c.Addr, err)
		}
	}
	g, err := a.flow(ctx, client)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	r.Warnings = append(r.Warnings, g.Warnings...)
	old, rec, err := a.keep(ctx, c, first, client, g)
	g.Done(err) // the browser that waits learns it now, and not before
	if err != nil {
		return err
	}
	a.finished(rec, r)
	if old != nil {
		r.Warnings = append(r.Warnings, a.revokeOld(context.WithoutCancel(ctx), old, rec)...)
	}
	return nil
}

// keep saves a grant. There is something to lose now: an interruption waits for it.
// What the state does not take is kept elsewhere, if it was worth a person's time;
// first is the generation of a record where none was.
func (a *applier) keep(ctx context.Context, c *plan.Change, first uint64, client *grant.Client, g *grant.Grant) (old, rec *state.Record, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	rec = newRecord(client, g, a.e.now())
	if err := a.settle(ctx, rec, client); err != nil {
		return nil, nil, a.e.errNotSaved(c.Addr, err)
	}
	if old, err = a.save(ctx, c, rec); err != nil {
		err = a.lost(ctx, c, first, rec, err)
	}
	return old, rec, err
}

// lost says what becomes of a grant that could not be saved.
func (a *applier) lost(ctx context.Context, of *plan.Change, first uint64, rec *state.Record, why error) error {
	var stale staleError
	var told *Error
	switch {
	case errors.As(why, &stale):
		return why
	case errors.As(why, &told):
		why = told.Err // the remedy is another one now
	}
	if !of.NeedsUser || errors.Is(why, state.ErrConflict) { // nothing is lost, or it would not fit
		return a.e.errNotSaved(of.Addr, why)
	}
	c := &state.Rescue{Record: clone(rec), Replaces: rec.Generation}
	c.Record.Generation, c.Record.Info.ConfigSerial = cmp.Or(rec.Generation, first-1)+1, a.planned(of.Addr)
	return a.e.keep(ctx, c, why, "the next apply")
}

// flow walks the grant. A consent takes minutes and speaks little: it does not
// take a turn on the network from others.
func (a *applier) flow(ctx context.Context, client *grant.Client) (*grant.Grant, error) {
	if !client.Settings.Interactive {
		defer a.slot()()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return client.Authorize(ctx, a.env)
}

// settle lays the configuration over a record.
func (a *applier) settle(ctx context.Context, rec *state.Record, client *grant.Client) error {
	prints, err := fingerprint(ctx, client, a.e.o.Store.Digest)
	if err != nil {
		return err
	}
	settle(rec, client, prints)
	return nil
}

// resettle lays the configuration over a record whose tokens stay. They were
// given by one server to one client, and are never taken to another.
func (a *applier) resettle(ctx context.Context, rec *state.Record, client *grant.Client) error {
	if err := a.unchanged(rec); err != nil {
		return err
	}
	ignored := ignoredBy(client)
	wanted := client.StateClient()
	if slices.Contains(ignored, "client_id") {
		wanted.ClientID = rec.Info.Client.ClientID
	}
	if !sameClient(rec.Info.Client, wanted) || len(plan.SentElsewhere(&rec.Info.Client, &wanted)) > 0 {
		return errStale(rec.Addr, "the server or the client changed since the plan was made")
	}
	before := clone(rec)
	if err := a.settle(ctx, rec, client); err != nil {
		return err
	}
	keepIgnored(rec, before, ignored)
	return nil
}

// finished tells the result of a saved record.
func (a *applier) finished(rec *state.Record, r *Result) {
	a.hold(rec)
	r.ExpiresAt, r.RefreshExpiresAt, r.Account = rec.ExpiresAt, rec.RefreshExpiresAt, rec.Info.Account
}

// save writes a new grant over whatever refreshes have made of the record since
// the plan, and returns the grant that it replaces.
func (a *applier) save(ctx context.Context, c *plan.Change, rec *state.Record) (old *state.Record, err error) {
	if c.Generation != 0 {
		if unlock, err := a.lock(ctx, c.Addr); err == nil {
			defer unlock()
		} // without the lock, the generation still guards the record
	}
	rec.Generation = cmp.Or(a.moved[c.Addr].Generation, c.Generation)
	for range saveTries {
		if c.Generation != 0 {
			if old, err = a.current(ctx, c); err != nil {
				return nil, err
			}
			rec.Generation = old.Generation
		}
		if err = a.put(ctx, rec); err == nil {
			return old, nil
		}
		if errors.Is(err, state.ErrConflict) && c.Generation == 0 {
			// Revoking ours might end theirs: see sameFamily.
			return nil, errStale(c.Addr, "somebody else authorized the connection since the plan was made")
		}
	}
	return nil, err
}

// current reads the record that a change was planned for. Refreshes since then
// are welcome; another apply is not.
func (a *applier) current(ctx context.Context, c *plan.Change) (*state.Record, error) {
	rec, err := a.e.o.Store.Get(ctx, c.Addr, state.PartAll)
	if errors.Is(err, state.ErrNotFound) {
		return nil, errStale(c.Addr, "the connection was removed from the state since the plan was made")
	}
	if err != nil {
		return nil, a.e.failure("read "+c.Addr.String(), c.Addr, err)
	}
	return rec, a.unchanged(rec)
}

func (a *applier) unchanged(rec *state.Record) error {
	if rec.Info.ConfigSerial > a.planned(rec.Addr) {
		return errStale(rec.Addr, "the connection was changed since the plan was made")
	}
	return nil
}

func (a *applier) lock(ctx context.Context, of addr.Addr) (state.Unlock, error) {
	if a.e.o.NoLock {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.e.o.LockTimeout)
	defer cancel()
	return a.e.o.Store.Lock(ctx, of, "apply")
}

// revokeOld ends the grant that was replaced, after the new one is safe, at
// the server that gave it. It only does so where that cannot end the new one as
// well: if another server gave it, to another client, or for another person.
// Many servers end everything that a client and a user have together.
func (a *applier) revokeOld(ctx context.Context, old, now *state.Record) (warnings []string) {
	if a.p.Options.NoRevoke || renewsItself(old) || old.Status == state.StatusHandedOver || sameFamily(old.Info, now.Info) {
		return nil
	}
	t := old.Tokens
	if t.RefreshToken.Equal(now.Tokens.RefreshToken) && !t.RefreshToken.Empty() || t.AccessToken.Equal(now.Tokens.AccessToken) {
		return nil
	}
	defer a.slot()()
	err := grant.Revoke(ctx, a.e.env(), old)
	if err == nil || errors.Is(err, grant.ErrNotRevocable) {
		return nil
	}
	return []string{"the previous grant was not revoked: " + err.Error()}
}

// sameClient: one client at one server, as far as both sides know it.
func sameClient(a, b state.Client) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return a.ClientID == b.ClientID && !differ(a.Issuer, b.Issuer) && !differ(a.TokenEndpoint, b.TokenEndpoint)
}

// sameFamily: both grants were given by one server to one client for one person, as far as is known.
func sameFamily(old, now *state.Info) bool {
	if !sameClient(old.Client, now.Client) {
		return false
	}
	others := func(a, b string) bool { return a != "" && b != "" && !strings.EqualFold(a, b) }
	return !others(old.Subject, now.Subject) && (old.Subject != "" && now.Subject != "" || !others(old.Account, now.Account))
}

// refresh renews the tokens with the settings of the configuration. Where there
// is nothing to renew them with, the settings are all that changes.
func (a *applier) refresh(ctx context.Context, c *plan.Change, r *Result) error {
	rec, err := a.current(ctx, c)
	if err != nil {
		return err
	}
	settings := a.conns[c.Addr] != nil && !a.p.Options.RefreshOnly
	if !canRenew(rec) {
		r.Warnings = append(r.Warnings, "there is no refresh token: the access token stays as it is")
		if settings {
			return a.update(ctx, c, r)
		}
		a.finished(rec, r)
		return nil
	}
	w := renewal{addr: c.Addr, operation: "apply", force: true, slot: a.slot}
	if settings {
		client, err := a.client(ctx, c.Addr)
		if err != nil {
			return err
		}
		if len(c.ScopesRemoved) > 0 {
			w.scopes = client.Scopes
		}
		w.before = func(rec *state.Record) error {
			return a.resettle(context.WithoutCancel(ctx), rec, client)
		}
		w.put = a.put
	}
	out, err := a.e.renew(ctx, w)
	if err != nil {
		return err
	}
	a.finished(out.record, r)
	return nil
}

// update writes settings that need no request.
func (a *applier) update(ctx context.Context, c *plan.Change, r *Result) error {
	doing := "update " + c.Addr.String()
	client, err := a.client(ctx, c.Addr)
	if err != nil {
		return err
	}
	unlock, err := a.lock(ctx, c.Addr)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	rec, err := a.current(ctx, c)
	if err != nil {
		return err
	}
	rec = clone(rec)
	if err := a.resettle(ctx, rec, client); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	rec.UpdatedAt = a.e.now()
	if err := a.put(ctx, rec); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	a.finished(rec, r)
	return nil
}

// revoke ends a grant at its server, or takes away what a sink has published, and
// takes it out of the state. If the
// server cannot be reached, the record stays: it is all that can revoke later.
func (a *applier) revoke(ctx context.Context, c *plan.Change, r *Result) error {
	doing := string(c.Action) + " " + c.Addr.String()
	unlock, err := a.lock(ctx, c.Addr)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	defer unlock()
	rec, err := a.current(ctx, c)
	if err != nil {
		return err
	}
	if err := a.e.o.Store.Probe(ctx); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTime+saveTime)
	defer cancel()
	remove := a.remove
	switch {
	case c.Addr.Kind == addr.KindSink:
		if err := a.unpublish(ctx, c, rec, r); err != nil {
			return err
		}
	case c.Action == plan.Revoke:
		if err := a.revokeAtServer(ctx, rec, r); err != nil {
			return err
		}
		if r.Action != plan.Forget && rec.Status != state.StatusHandedOver {
			remove = a.bury
		}
	case !a.p.Options.NoRevoke && !slices.Contains(c.Reasons, plan.ReasonLetGo):
		r.Warnings = append(r.Warnings, notRevoked(rec, ""))
	}
	if err := remove(ctx, rec); err != nil {
		return a.e.failure("remove "+c.Addr.String()+" from the state", c.Addr, err)
	}
	return nil
}

// revokeAtServer: an answer, even a refusal, settles the matter; no answer does not.
func (a *applier) revokeAtServer(ctx context.Context, rec *state.Record, r *Result) error {
	err := a.endThere(ctx, rec)
	var g *grant.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, grant.ErrNotRevocable):
		r.Action = plan.Forget
		r.Warnings = append(r.Warnings, notRevoked(rec, ""))
		return nil
	case errors.As(err, &g) && g.Kind != grant.Temporary && g.Status >= 400 && g.Status < 500:
		r.Action = plan.Forget
		r.Warnings = append(r.Warnings, notRevoked(rec, err.Error()))
		return nil
	}
	failed := &Error{Class: ClassTemporary, Addr: rec.Addr, Doing: "revoke " + rec.Addr.String(), Err: err,
		Remedy: "try again; or forget it without revoking: oauthctl state rm " + quote(rec.Addr.String())}
	if g != nil {
		failed.Class = grantClass(g.Kind)
	}
	return failed
}

// endThere revokes at the server, in its turn on the network.
func (a *applier) endThere(ctx context.Context, rec *state.Record) error {
	defer a.slot()()
	return grant.Revoke(ctx, a.e.env(), rec)
}

func notRevoked(rec *state.Record, why string) string {
	s := "forgotten here, not revoked there"
	switch {
	case why != "":
		s += ": " + why
	case rec.Info.Client.RevocationEndpoint == "":
		s += ": the server cannot revoke"
	}
	if n := rec.Info.Client.RevocationNote; n != "" {
		s += ". " + n
	}
	return s
}

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// What is what made a generation of a record.
type What string

// What can make a generation.
const (
	WhatAuthorized What = "authorized"      // a consent, or a grant that needs none
	WhatRefreshed  What = "refreshed"       // the server gave new tokens
	WhatBegun      What = "refresh_begun"   // the refresh token was about to be sent
	WhatFailed     What = "refresh_failed"  // the server answered with an error that may pass
	WhatRefused    What = "refused"         // the server refused the refresh token
	WhatUnknown    What = "unknown_outcome" // the refresh token was sent and no answer came
	WhatHandedOver What = "handed_over"     // the tokens went to another state
	WhatRevoked    What = "revoked"         // the tokens were revoked, and the connection was removed
	WhatMoved      What = "moved"           // the connection got another address, and its tokens are there
	WhatRestored   What = "restored"        // an earlier generation was made the newest
	WhatChanged    What = "changed"         // settings, or its address
)

// Generation is one state of a record, of those that are kept.
type Generation struct {
	*state.Record // without tokens
	What          What
	Present       bool // it is the one that is used
}

// History is what the state keeps of a connection, or of all instances of a
// block, newest first. The zero address stands for all connections, removed
// ones as well.
func (e *Engine) History(ctx context.Context, a addr.Addr) ([]Generation, error) {
	const doing = "read the history"
	past, err := e.o.Store.History(ctx, addr.Addr{}, state.PartInfo)
	if err != nil {
		return nil, e.failure(doing, a, err)
	}
	present, err := e.o.Store.All(ctx, state.PartInfo)
	if err != nil {
		return nil, e.failure(doing, a, err)
	}
	of := map[addr.Addr][]Generation{}
	var names []addr.Addr
	add := func(r *state.Record, now bool) {
		if !a.IsZero() && !a.Contains(r.Addr) {
			return
		}
		list := of[r.Addr]
		if list == nil {
			names = append(names, r.Addr)
		}
		var before *state.Record
		if len(list) > 0 {
			before = list[len(list)-1].Record
		}
		of[r.Addr] = append(list, Generation{Record: r, What: whatMade(before, r), Present: now})
	}
	for _, r := range past {
		add(r, false)
	}
	for _, r := range present {
		add(r, true)
	}
	if len(names) == 0 && !a.IsZero() {
		return nil, e.notFound(ctx, a, state.ErrNotFound)
	}
	slices.SortFunc(names, addr.Compare)
	var out []Generation
	for _, n := range names {
		slices.Reverse(of[n])
		out = append(out, of[n]...)
	}
	return out, nil
}

// whatMade compares a generation with the one before it, as far as that is
// kept, and with the time at which it was written.
func whatMade(before, r *state.Record) What {
	in, was := r.Info, &state.Info{}
	switch {
	case r.Status == state.StatusRevoked:
		return WhatRevoked
	case r.Status == state.StatusMoved:
		return WhatMoved
	case r.Status == state.StatusHandedOver && (before == nil || before.Status != state.StatusHandedOver):
		return WhatHandedOver
	}
	if before != nil {
		was = before.Info
		if in.AuthorizedAt.Before(was.AuthorizedAt) || in.RefreshedAt.Before(was.RefreshedAt) {
			return WhatRestored
		}
	}
	// made: the time is of this generation, and not carried on from the one before.
	made := func(at, former time.Time) bool {
		if before == nil {
			return !at.IsZero() && r.UpdatedAt.Sub(at).Abs() <= 2*time.Second
		}
		return at.After(former)
	}
	switch {
	case made(in.AuthorizedAt, was.AuthorizedAt) && !in.RefreshedAt.After(in.AuthorizedAt):
		return WhatAuthorized
	case made(in.RefreshedAt, was.RefreshedAt):
		return WhatRefreshed
	case r.Status == state.StatusNeedsConsent:
		return WhatRefused
	case r.Status == state.StatusUnknown:
		return WhatUnknown
	case in.Intent != nil && (was.Intent == nil || *in.Intent != *was.Intent):
		return WhatBegun
	case in.Reject != nil && (was.Reject == nil || *in.Reject != *was.Reject):
		return WhatFailed
	}
	return WhatChanged
}

// Restoration is an earlier generation that is to become the newest.
type Restoration struct {
	Kept     *state.Record
	Present  *state.Record // nil: the connection was removed
	Warnings []string
}

// PlanRestore finds the generation, and says what using it may do. It changes nothing.
func (e *Engine) PlanRestore(ctx context.Context, a addr.Addr, generation uint64) (*Restoration, error) {
	doing := fmt.Sprintf("restore generation %d of %s", generation, a)
	past, err := e.o.Store.History(ctx, a, state.PartAll)
	if err != nil {
		return nil, e.failure(doing, a, err)
	}
	present, err := e.o.Store.Get(ctx, a, state.PartAll)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return nil, e.failure(doing, a, err)
	}
	if present == nil && len(past) == 0 {
		return nil, e.notFound(ctx, a, state.ErrNotFound)
	}
	r := &Restoration{Present: present}
	var kept []string
	for _, p := range past {
		if p.Generation == generation {
			r.Kept = p
		}
		kept = append(kept, fmt.Sprint(p.Generation))
	}
	if r.Kept == nil {
		failed := &Error{Class: ClassError, Addr: a, Doing: doing, Err: errors.New("it is not kept"), Remedy: "look at what is: " + command("state history", "", a)}
		switch {
		case present != nil && present.Generation == generation:
			failed.Err = errors.New("it is the present one")
		case len(kept) > 0:
			failed.Err = fmt.Errorf("it is not kept; kept are %s", strings.Join(kept, ", "))
		}
		return nil, failed
	}
	switch r.Kept.Status {
	case state.StatusRevoked:
		return nil, &Error{Class: ClassError, Addr: a, Doing: doing, Err: errors.New("it was revoked, and its tokens were not kept"), Remedy: applyCommand(a)}
	case state.StatusMoved:
		return nil, &Error{Class: ClassError, Addr: a, Doing: doing, Err: errors.New("the connection was moved to another address then, and its tokens with it"),
			Remedy: "look where it is now, and what is kept of it there: oauthctl state history"}
	}
	r.Warnings = e.restoreWarnings(r)
	return r, nil
}

func (e *Engine) restoreWarnings(r *Restoration) (out []string) {
	old, now := r.Kept, r.Present
	if old.Status == state.StatusHandedOver {
		return []string{"it holds no tokens: " + handedTo(old)}
	}
	if now != nil && now.Status == state.StatusHandedOver {
		out = append(out, handedTo(now)+": "+cmp.Or(keptToo(old), "two states would have its tokens"))
	}
	if now == nil {
		out = append(out, "the connection was removed without being revoked here; if it was revoked since, the server accepts none of its tokens any more")
	}
	rotated := now != nil && now.Status != state.StatusHandedOver && !old.Tokens.RefreshToken.Empty() && !old.Tokens.RefreshToken.Equal(now.Tokens.RefreshToken)
	switch {
	case rotated && oneTime(old) && old.Info.Client.BlastRadius == "client_user":
		out = append(out, "its refresh token has been replaced since and may be dead; a server that sees it used again may end every grant that this client has of the account")
	case rotated && oneTime(old):
		out = append(out, "its refresh token has been replaced since and may be dead; a server that sees it used again may end the grant, present tokens included")
	case rotated:
		out = append(out, "its refresh token is not the present one, and the server may have ended it")
	}
	if now != nil && (old.Info.Client.TokenEndpoint != now.Info.Client.TokenEndpoint || old.Info.Client.ClientID != now.Info.Client.ClientID) {
		out = append(out, fmt.Sprintf("it is of another client or server (client %q at %s): the next plan may want a new consent", old.Info.Client.ClientID, old.Info.Client.TokenEndpoint))
	}
	if !usable(old, e.now()) {
		out = append(out, "its access token has ended: the first use of the connection will refresh")
	}
	return out
}

// Restore makes the kept generation the newest, as a new generation. What is
// present now is kept in turn. Saved plans are stale then.
func (e *Engine) Restore(ctx context.Context, r *Restoration) error {
	a := r.Kept.Addr
	doing := fmt.Sprintf("restore generation %d of %s", r.Kept.Generation, a)
	waiting, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	unlock, err := e.o.Store.Lock(waiting, a, "restore")
	cancel()
	if err != nil {
		return e.failure(doing, a, err)
	}
	defer unlock()
	next := clone(r.Kept)
	next.Generation = 0
	if r.Present != nil {
		next.Generation = r.Present.Generation // that somebody else may have raised: then it is a conflict
	}
	next.Info.Reject, next.UpdatedAt = nil, e.now()
	return e.failure(doing, a, e.o.Store.PutNext(context.WithoutCancel(ctx), next))
}

// Forget drops what the state keeps of connections besides what is present: earlier
// generations, and removed ones. An address stands for all instances of its block. It returns those
// of which something was kept; with dryRun it only looks.
func (e *Engine) Forget(ctx context.Context, of []addr.Addr, dryRun bool) (forgotten []addr.Addr, err error) {
	const doing = "forget earlier generations"
	past, err := e.o.Store.History(ctx, addr.Addr{}, 0)
	if err != nil {
		return nil, e.failure(doing, addr.Addr{}, err)
	}
	for _, a := range of {
		known := false
		for _, r := range past {
			if a.Contains(r.Addr) {
				known = true
				if !slices.Contains(forgotten, r.Addr) {
					forgotten = append(forgotten, r.Addr)
				}
			}
		}
		if known {
			continue
		}
		present, err := e.o.Store.Summaries(ctx)
		if err != nil {
			return nil, e.failure(doing, a, err)
		}
		if !slices.ContainsFunc(present, func(r state.Summary) bool { return a.Contains(r.Addr) }) {
			return nil, e.notFound(ctx, a, state.ErrNotFound)
		}
	}
	slices.SortFunc(forgotten, addr.Compare)
	if dryRun {
		return forgotten, nil
	}
	for i, a := range forgotten {
		if err := e.forgetPast(ctx, a); err != nil {
			return forgotten[:i], e.failure(doing+" of "+a.String(), a, err)
		}
	}
	return forgotten, nil
}

func (e *Engine) forgetPast(ctx context.Context, a addr.Addr) error {
	waiting, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	unlock, err := e.o.Store.Lock(waiting, a, "forget")
	cancel()
	if err != nil {
		return err
	}
	defer unlock()
	return e.o.Store.Forget(context.WithoutCancel(ctx), a)
}

package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// other is the machine that a consent is handed over to.
func (k *kit) other() (*kit, string) {
	k.t.Helper()
	there := newKit(k.t)
	there.server = k.server
	return there, there.id.Recipient().String()
}

func (k *kit) handOver(o engine.HandOverOptions) (sealed []byte, warning string) {
	k.t.Helper()
	warning, err := k.engine.HandOver(k.ctx, graph, o, func(b []byte) (bool, error) { sealed = b; return true, nil })
	if err != nil {
		k.t.Fatal(err)
	}
	return sealed, warning
}

// A consent is in one state: here until it is delivered, and there afterwards.
func TestHandOver(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	was := k.record(graph)
	there, recipient := k.other()
	sealed, warning := k.handOver(engine.HandOverOptions{To: []string{recipient}})
	if warning != "" {
		t.Errorf("warning: %s", warning)
	}
	now := k.record(graph)
	if now.Status != state.StatusHandedOver || !now.Tokens.RefreshToken.Empty() || !now.Tokens.AccessToken.Empty() || now.Info.HasRefresh {
		t.Errorf("this state keeps %s, %+v", now.Status, now.Info)
	}
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), recipient) || !strings.Contains(err.Error(), "-replace=") {
		t.Errorf("token: %v", err)
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("the plan wants %+v", p.Changes)
	}

	in, err := there.engine.Arrive(there.ctx, cfg, sealed, engine.ArriveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := there.engine.TakeIn(there.ctx, in); err != nil {
		t.Fatal(err)
	}
	got := there.record(graph)
	if !got.Tokens.RefreshToken.Equal(was.Tokens.RefreshToken) || got.Status != state.StatusOK || got.Info.Account != was.Info.Account {
		t.Errorf("there is %+v", got.Info)
	}
	if p := there.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("the plan there wants %+v", p.Changes)
	}
	there.clock.pass(2 * time.Hour)
	if tok := there.token(graph, engine.TokenOptions{}); tok.AccessToken.Empty() || !tok.Refreshed {
		t.Errorf("refreshed there: %+v", tok)
	}

	// It may come back, and then it is here and whole again.
	back, _ := there.handOver(engine.HandOverOptions{To: []string{k.id.Recipient().String()}})
	if in, err = k.engine.Arrive(k.ctx, cfg, back, engine.ArriveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := k.engine.TakeIn(k.ctx, in); err != nil {
		t.Fatal(err)
	}
	if r := k.record(graph); r.Status != state.StatusOK || len(r.Info.HandedTo) > 0 || r.Generation <= now.Generation {
		t.Errorf("back again: %s, generation %d, %+v", r.Status, r.Generation, r.Info)
	}
}

// held are the tokens that a state has of an address, of its past as well.
func (k *kit) held(a addr.Addr) (out []string) {
	k.t.Helper()
	all, err := k.store.History(k.ctx, a, state.PartAll)
	if err != nil {
		k.t.Fatal(err)
	}
	if now, err := k.store.Get(k.ctx, a, state.PartAll); err == nil {
		all = append(all, now)
	}
	for _, r := range all {
		for _, s := range []secret.Secret{r.Tokens.AccessToken, r.Tokens.RefreshToken, r.Tokens.IDToken} {
			if !s.Empty() {
				out = append(out, s.Reveal())
			}
		}
	}
	return out
}

// Nothing of the tokens stays in the state that hands over, nor of those before them,
// once they cannot be lost any more.
func TestHandOverLeavesNoTokens(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	_, recipient := k.other()
	if len(k.held(graph)) < 4 {
		t.Fatal("there is nothing to forget")
	}
	k.fail("write", state.ErrUnwritable)
	_, err := k.engine.HandOver(k.ctx, graph, engine.HandOverOptions{To: []string{recipient}}, func([]byte) (bool, error) { return true, nil })
	if !errors.Is(err, state.ErrUnwritable) || len(k.held(graph)) < 4 {
		t.Errorf("a failed write forgot something: %v, %d", err, len(k.held(graph)))
	}
	k.fail("write", nil)
	k.handOver(engine.HandOverOptions{To: []string{recipient}})
	if held := k.held(graph); len(held) > 0 {
		t.Errorf("%d tokens are still here", len(held))
	}
	if past, err := k.store.History(k.ctx, addr.Addr{}, 0); err != nil || len(past) > 0 {
		t.Errorf("%d generations are kept, %v", len(past), err)
	}
}

// Nor do they stay at an address where the connection was before.
func TestMovedTokensAreNotKeptWhereTheyWere(t *testing.T) {
	mail := addr.Connection("mail")
	for name, letGo := range map[string]func(k *kit){
		"handed over": func(k *kit) {
			_, recipient := k.other()
			_, err := k.engine.HandOver(k.ctx, mail, engine.HandOverOptions{To: []string{recipient}}, func([]byte) (bool, error) { return true, nil })
			if err != nil {
				k.t.Error(err)
			}
		},
		"revoked": func(k *kit) {
			k.apply(k.config(strings.Replace(one, `"graph"`, `"mail"`, 1)), plan.Options{Destroy: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.applied(one)
			at := k.record(graph).Generation
			if err := k.engine.Rename(k.ctx, []state.Rename{{From: graph, To: mail}}); err != nil {
				t.Fatal(err)
			}
			if len(k.held(graph)) > 0 || len(k.held(mail)) == 0 {
				t.Errorf("%d tokens are where they were, and %d where they are", len(k.held(graph)), len(k.held(mail)))
			}
			all, err := k.engine.History(k.ctx, graph)
			if err != nil || len(all) != 1 || all[0].What != engine.WhatMoved || all[0].Generation != at+1 {
				t.Errorf("%+v, %v", all, err)
			}
			if _, err := k.engine.PlanRestore(k.ctx, graph, at+1); err == nil || !strings.Contains(err.Error(), "another address") {
				t.Errorf("error %v", err)
			}
			letGo(k)
			if held := slices.Concat(k.held(graph), k.held(mail)); len(held) > 0 {
				t.Errorf("%d tokens are still here", len(held))
			}
		})
	}
}

// What went into a pipe may not arrive: then it can be had back, and is told how to be forgotten.
func TestHandOverIntoAPipe(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	_, recipient := k.other()
	before := k.record(graph)
	warning, err := k.engine.HandOver(k.ctx, graph, engine.HandOverOptions{To: []string{recipient}}, func([]byte) (bool, error) { return false, nil })
	if err != nil || !strings.Contains(warning, "oauthctl state forget") {
		t.Errorf("%q, %v", warning, err)
	}
	r, err := k.engine.PlanRestore(k.ctx, graph, before.Generation)
	if err != nil || !r.Kept.Tokens.RefreshToken.Equal(before.Tokens.RefreshToken) {
		t.Errorf("%+v, %v", r, err)
	}
	if forgotten, err := k.engine.Forget(k.ctx, []addr.Addr{graph}, true); err != nil || len(forgotten) != 1 || len(k.held(graph)) == 0 {
		t.Errorf("a dry run: %v, %v", forgotten, err)
	}
	if forgotten, err := k.engine.Forget(k.ctx, []addr.Addr{graph}, false); err != nil || len(forgotten) != 1 || len(k.held(graph)) > 0 {
		t.Errorf("%v, %v, %d tokens are still here", forgotten, err, len(k.held(graph)))
	}
	if now := k.record(graph); now.Status != state.StatusHandedOver || now.Generation != before.Generation+1 {
		t.Errorf("%s, generation %d", now.Status, now.Generation)
	}
}

// What was not delivered has not left.
func TestHandOverThatIsNotDelivered(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	_, recipient := k.other()
	full := errors.New("no space left")
	_, err := k.engine.HandOver(k.ctx, graph, engine.HandOverOptions{To: []string{recipient}}, func([]byte) (bool, error) { return true, full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if r := k.record(graph); r.Status != state.StatusOK || r.Tokens.RefreshToken.Empty() {
		t.Errorf("the state has let go: %+v", r.Info)
	}
	k.fail("write", state.ErrUnwritable)
	k.fail("probe", state.ErrUnwritable)
	_, err = k.engine.HandOver(k.ctx, graph, engine.HandOverOptions{To: []string{recipient}}, func([]byte) (bool, error) {
		return true, errors.New("delivered by a state that cannot let go")
	})
	if !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("error %v", err)
	}
}

// With Keep both have it, and who does so is told what the server makes of that.
func TestHandOverThatKeeps(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	_, recipient := k.other()
	_, warning := k.handOver(engine.HandOverOptions{To: []string{recipient}, Keep: true})
	if !strings.Contains(warning, "refresh token") {
		t.Errorf("warning %q", warning)
	}
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken.Empty() {
		t.Error("no token is left here")
	}
}

// A new consent of one's own takes the place of one that was handed over, and
// what went elsewhere is not revoked.
func TestConsentAfterHandOver(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	_, recipient := k.other()
	k.handOver(engine.HandOverOptions{To: []string{recipient}})
	k.server.journal.take()
	k.apply(cfg, plan.Options{Replace: []addr.Addr{graph}})
	if r := k.record(graph); r.Status != state.StatusOK || len(r.Info.HandedTo) > 0 {
		t.Errorf("%s %+v", r.Status, r.Info)
	}
	if n := count(k.server.journal.take(), "revoke"); n != 0 {
		t.Errorf("%d revocations", n)
	}
}

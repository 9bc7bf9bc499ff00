package engine_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func TestDestroyRevokesDependentsFirst(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(chain)
	out := k.apply(cfg, plan.Options{Destroy: true})
	for _, r := range out.Results {
		if r.State != engine.Done || r.Action != plan.Revoke {
			t.Errorf("%s: %s %s: %v", r.Addr, r.Action, r.State, r.Err)
		}
	}
	var order []string
	for _, l := range k.server.journal.take() {
		if after, ok := strings.CutPrefix(l, "revoke "); ok {
			order = append(order, after)
		}
	}
	if diff := cmp.Diff([]string{"down", "mid", "up"}, order); diff != "" {
		t.Error(diff)
	}
	if rows, err := k.store.Summaries(k.ctx); err != nil || len(rows) != 0 {
		t.Errorf("left in the state: %v, %v", rows, err)
	}
}

// Tokens that were revoked are of no use, and not kept. That they were there is: a
// generation is not used twice, and the history says what happened.
func TestRevokedTokensAreNotKept(t *testing.T) {
	for name, text := range map[string]string{"the first change": one, "a later change": chain} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			cfg := k.applied(text)
			conns, err := k.store.Summaries(k.ctx)
			if err != nil {
				t.Fatal(err)
			}
			k.apply(cfg, plan.Options{Destroy: true})
			for _, c := range conns {
				if held := k.held(c.Addr); len(held) > 0 {
					t.Errorf("%d tokens of %s are kept", len(held), c.Addr)
				}
				all, err := k.engine.History(k.ctx, c.Addr)
				if err != nil || len(all) != 1 || all[0].What != engine.WhatRevoked || all[0].Generation != c.Generation+1 || all[0].Present {
					t.Errorf("%v, %+v", err, all)
				}
				_, err = k.engine.PlanRestore(k.ctx, c.Addr, c.Generation+1)
				if err == nil || !strings.Contains(err.Error(), "was revoked") || !strings.Contains(err.Error(), "oauthctl apply") {
					t.Errorf("%v", err)
				}
			}
			k.apply(cfg, plan.Options{})
			for _, c := range conns {
				if now := k.record(c.Addr); now.Generation != c.Generation+2 {
					t.Errorf("%s is made anew as generation %d", c.Addr, now.Generation)
				}
			}
		})
	}
}

// A server that revokes access tokens only has not ended the grant: nothing says so, and
// the refresh token, which is alive, is kept.
func TestARefreshTokenThatIsNotRevokedIsKept(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form.Get("token_type_hint") != "refresh_token" {
			return false
		}
		oauthError(w, http.StatusBadRequest, "unsupported_token_type")
		return true
	})
	was := k.record(graph)
	r := result(t, k.apply(cfg, plan.Options{Destroy: true}), "graph")
	if r.State != engine.Done || r.Action != plan.Forget || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "not revoked there") {
		t.Errorf("%s %s: %v %q", r.Action, r.State, r.Err, r.Warnings)
	}
	if !slices.Contains(k.held(graph), was.Tokens.RefreshToken.Reveal()) {
		t.Error("the refresh token is not kept")
	}
}

// What was forgotten without being revoked can be had back.
func TestForgottenTokensAreKept(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusBadRequest, "unsupported_token_type")
		return true
	})
	k.apply(cfg, plan.Options{Destroy: true})
	if len(k.held(graph)) == 0 {
		t.Fatal("the tokens are gone, and nobody has revoked them")
	}
	if _, err := k.engine.Forget(k.ctx, []addr.Addr{graph}, false); err != nil || len(k.held(graph)) > 0 {
		t.Errorf("%v, %d tokens are kept", err, len(k.held(graph)))
	}
	if _, err := k.engine.Forget(k.ctx, []addr.Addr{addr.Connection("nosuch")}, false); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestRevocationThatCannotBeSentKeepsTheRecord(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	r := result(t, k.apply(cfg, plan.Options{Destroy: true}), "graph")
	if r.State != engine.Failed || class(r.Err) != engine.ClassTemporary || !strings.Contains(r.Err.Error(), "oauthctl state rm 'connection.graph'") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	k.record(graph)
}

func TestRevocationThatIsRefusedForgets(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusBadRequest, "unsupported_token_type")
		return true
	})
	r := result(t, k.apply(cfg, plan.Options{Destroy: true}), "graph")
	if r.State != engine.Done || r.Action != plan.Forget || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "not revoked there") {
		t.Errorf("%s %s: %v %q", r.Action, r.State, r.Err, r.Warnings)
	}
	if _, err := k.store.Get(k.ctx, graph, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}

func TestRemovedFromTheConfiguration(t *testing.T) {
	k := newKit(t)
	k.applied(two)
	r := result(t, k.apply(k.config(one), plan.Options{}), "robot")
	if r.State != engine.Done || r.Action != plan.Revoke {
		t.Errorf("%s %s: %v", r.Action, r.State, r.Err)
	}
	k.record(graph)
}

// A new grant is safe before the old one is revoked, at its own server, with
// its own secret; the new server sees neither.
func TestReplacementKeepsOldSecretsFromTheNewServer(t *testing.T) {
	k := newKit(t)
	const before = acme + `
connection "graph" {
  provider      = "acme"
  client_id     = "app"
  client_secret = env("OLD")
}
`
	k.applied(before)
	old := k.server
	next := newServer(t)
	next.journal = old.journal
	next.n = 100
	k.server, k.person.server = next, next
	cfg := k.config(strings.Replace(before, `"OLD"`, `"NEW"`, 1))
	p := k.plan(cfg, plan.Options{})
	if c := p.Changes[0]; c.Action != plan.Reauthorize || !c.Replaces || !c.NeedsUser {
		t.Errorf("change %+v", c)
	}
	old.journal.take()
	out, err := k.engine.Apply(k.ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if r := out.Results[0]; r.State != engine.Done || len(r.Warnings) > 0 {
		t.Fatalf("%s: %v %q", r.State, r.Err, r.Warnings)
	}
	did := old.journal.take()
	exchange, revoked := slices.Index(did, "token authorization_code app"), slices.Index(did, "revoke app")
	saved := exchange + slices.Index(did[max(exchange, 0):], "write")
	if exchange < 0 || revoked < 0 || exchange >= saved || saved >= revoked {
		t.Errorf("want exchange, write, revoke; got %v", did)
	}
	if diff := cmp.Diff([]string{"refresh-1"}, old.revoked); diff != "" {
		t.Error(diff)
	}
	for _, s := range []string{"refresh-1", "access-1", "secret-old"} {
		if strings.Contains(next.seen, s) {
			t.Errorf("the new server was sent %s", s)
		}
	}
}

func TestNewConsentAtTheSameServerLeavesTheOldGrantAlone(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	r := result(t, k.apply(cfg, plan.Options{Replace: []addr.Addr{graph}}), "graph")
	if r.State != engine.Done || len(k.server.revoked) > 0 {
		t.Errorf("%s: %v; revoked %v", r.State, r.Err, k.server.revoked)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-2" {
		t.Errorf("refresh token %q", rec.Tokens.RefreshToken.Reveal())
	}
}

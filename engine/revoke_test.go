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

package engine_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

func TestRotatedSecretIsProvenByARefresh(t *testing.T) {
	const text = acme + `
connection "graph" {
  provider      = "acme"
  client_id     = "app"
  client_secret = env("OLD")
}
`
	k := newKit(t)
	k.applied(text)
	cfg := k.config(strings.Replace(text, `"OLD"`, `"NEW"`, 1))
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusUnauthorized, "invalid_client")
		return true
	})
	r := result(t, k.apply(cfg, plan.Options{}), "graph")
	if r.Action != plan.Refresh || r.State != engine.Failed {
		t.Fatalf("%s %s", r.Action, r.State)
	}
	if rec := k.record(graph); rec.Tokens.ClientSecret != "secret-old" || rec.Info.Intent != nil {
		t.Errorf("a secret that does not work was kept")
	}
	if k.plan(cfg, plan.Options{}).Empty() {
		t.Error("the plan forgets the change that failed")
	}
	k.server.setFault(nil)
	if r := result(t, k.apply(cfg, plan.Options{}), "graph"); r.State != engine.Done {
		t.Fatalf("%v", r.Err)
	}
	if rec := k.record(graph); rec.Tokens.ClientSecret != "secret-new" {
		t.Error("the new secret was not kept")
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("not settled: %+v", p.Changes)
	}
}

func TestLifetimesAreUpdatedWithoutARequest(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	cfg := k.config(strings.Replace(one, `scopes    = ["read"]`, `scopes = ["read"]
  token_lifetimes { refresh = "30d" }`, 1))
	r := result(t, k.apply(cfg, plan.Options{}), "graph")
	if r.Action != plan.Update || r.State != engine.Done {
		t.Fatalf("%s %s: %v", r.Action, r.State, r.Err)
	}
	if did := k.server.journal.take(); count(did, "token") > 0 {
		t.Errorf("did %v", did)
	}
	if want, got := k.clock.now().Add(30*24*time.Hour), k.record(graph).RefreshExpiresAt; !got.Equal(want) {
		t.Errorf("a new consent is due at %v, not at %v", got, want)
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("not settled: %+v", p.Changes)
	}
}

// A refresh that has nothing to refresh with does not harm a token that is valid.
func TestRefreshWithoutARefreshTokenTouchesNothing(t *testing.T) {
	const text = acme + `
connection "graph" {
  provider      = "acme"
  client_id     = "app"
  client_secret = env("OLD")
}
`
	k := newKit(t)
	k.server.bare, k.server.lifetime = true, 0
	k.applied(text)
	cfg := k.config(strings.Replace(text, `"OLD"`, `"NEW"`, 1))
	if p := k.plan(cfg, plan.Options{RefreshOnly: true}); !p.Empty() {
		t.Errorf("plan %+v", p.Changes)
	}
	r := result(t, k.apply(cfg, plan.Options{}), "graph")
	if r.State != engine.Done || r.Action != plan.Refresh || len(r.Warnings) != 1 {
		t.Errorf("%s %s: %v %q", r.Action, r.State, r.Err, r.Warnings)
	}
	if rec := k.record(graph); rec.Status != state.StatusOK || rec.Tokens.AccessToken != "access-1" || rec.Tokens.ClientSecret != "secret-new" {
		t.Errorf("%s, token %q", rec.Status, rec.Tokens.AccessToken.Reveal())
	}
	if n := count(k.server.journal.take(), "token"); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// -refresh-only speaks to the server that gave the tokens, whatever the configuration says now.
func TestRefreshOnlyStaysWithTheServerOfTheTokens(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	old, next := k.server, newServer(t)
	k.server = next
	cfg := k.config(strings.Replace(one, `"app"`, `"other"`, 1))
	if r := result(t, k.apply(cfg, plan.Options{RefreshOnly: true}), "graph"); r.State != engine.Done {
		t.Fatal(r.Err)
	}
	if next.seen != "" || count(old.journal.take(), "token refresh_token app") != 1 {
		t.Errorf("the new server was sent %q", next.seen)
	}
	if c := k.plan(cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !c.Replaces {
		t.Errorf("plan %+v", c)
	}
}

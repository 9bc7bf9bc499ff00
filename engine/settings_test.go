package engine_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
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

// A plan is stale when something was saved since it was made, and not because
// an apply of it has failed.
func TestPlanOutlivesAnApplyThatSavedNothing(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	changed := k.config(strings.Replace(one, `"read"`, `"read"]
  client_secret = env("NEW")
  token_params = { "a" = "b" }
  resource = ["https://r.example"`, 1))
	update := k.config(strings.Replace(one, `scopes    = ["read"]`, `scopes = ["read"]
  token_lifetimes { refresh = "30d" }`, 1))
	refuse := func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	refresh := k.config(strings.Replace(one, `["read"]`, `["read"]
  token_params = { "a" = "b" }`, 1))
	for name, c := range map[string]struct {
		cfg   *schema.Config
		o     plan.Options
		fault func()
		mend  func()
	}{
		"new grant, not saved": {changed, plan.Options{}, func() {
			k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
				k.fail("write", state.ErrUnwritable)
				return false
			})
		}, func() { k.fail("write", nil) }},
		"settings, not saved":     {update, plan.Options{}, func() { k.fail("write", state.ErrUnwritable) }, func() { k.fail("write", nil) }},
		"refresh with settings":   {refresh, plan.Options{}, func() { k.server.setFault(refuse) }, func() {}},
		"revoked, not taken out":  {update, plan.Options{Destroy: true}, func() { k.fail("write", state.ErrUnwritable) }, func() { k.fail("write", nil) }},
		"server is not reachable": {update, plan.Options{Destroy: true}, func() { k.server.setFault(refuse) }, func() {}},
	} {
		t.Run(name, func(t *testing.T) {
			p := k.plan(c.cfg, c.o)
			c.fault()
			out, err := k.engine.Apply(k.ctx, c.cfg, p)
			k.server.setFault(nil)
			c.mend()
			if err != nil || out.Results[0].State != engine.Failed {
				t.Fatalf("%+v, %v", out, err)
			}
			if _, serial, err := k.store.Lineage(k.ctx); err != nil || serial != p.Serial {
				t.Errorf("the serial rose from %d to %d (%v) although nothing was saved", p.Serial, serial, err)
			}
		})
	}
	p := k.plan(update, plan.Options{})
	for i, want := range []bool{true, false} {
		if _, err := k.engine.Apply(k.ctx, update, p); (err == nil) != want {
			t.Errorf("apply %d of one plan: %v", i+1, err)
		}
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

// Where helpers may hand a token is kept with it, and changes without a request.
func TestHostsAreUpdatedWithoutARequest(t *testing.T) {
	k := newKit(t)
	k.applied(strings.Replace(one, `scopes    = ["read"]`, `scopes = ["read"]
  hosts = ["Git.Example.COM:443", "registry.example:5000"]`, 1))
	if got, want := k.record(graph).Info.Hosts, []string{"git.example.com", "registry.example:5000"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	k.server.journal.take()
	cfg := k.config(one)
	if r := result(t, k.apply(cfg, plan.Options{}), "graph"); r.Action != plan.Update || r.State != engine.Done {
		t.Fatalf("%s %s: %v", r.Action, r.State, r.Err)
	}
	if did := k.server.journal.take(); count(did, "token") > 0 || len(k.record(graph).Info.Hosts) > 0 {
		t.Errorf("did %v, hosts %q", did, k.record(graph).Info.Hosts)
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

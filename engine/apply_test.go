package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// two is a configuration with a person's connection and two machines'.
const two = acme + `
connection "graph" {
  provider  = "acme"
  client_id = "app"
  scopes    = ["read"]
}
connection "robot" {
  provider      = "acme"
  client_id     = "robot"
  client_secret = env("ROBOT")
  grant "client_credentials" {}
}
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("WORKER")
  scopes        = ["work"]
  grant "client_credentials" {}
}
`

func TestApplyThenPlanIsEmpty(t *testing.T) {
	k := newKit(t)
	cfg := k.config(two)
	out := k.apply(cfg, plan.Options{})
	for _, r := range out.Results {
		if r.State != engine.Done || r.ExpiresAt.IsZero() {
			t.Errorf("%s: %s, expires %v: %v", r.Addr, r.State, r.ExpiresAt, r.Err)
		}
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("the second plan is not empty: %+v", p.Changes)
	}
	if tok := k.token(graph, engine.TokenOptions{}); !strings.HasPrefix(tok.AccessToken.Reveal(), "access-") {
		t.Errorf("token %q", tok.AccessToken.Reveal())
	}
	rec := k.record(graph)
	if rec.Info.Client.TokenEndpoint != k.server.URL+"/token" || rec.Tokens.RefreshToken.Empty() || rec.Info.ConfigSerial != 1 {
		t.Errorf("the record is not enough to refresh: %+v", rec.Info)
	}
}

func TestPlanMakesNoRequestAndNeedsNoStateOrIdentity(t *testing.T) {
	k := newKit(t)
	k.fail("write", errors.New("plan must not write"))
	p := k.plan(k.config(two), plan.Options{})
	n := p.Counts()
	if n.Authorize != 3 || n.NeedUser != 1 || p.Lineage != "" {
		t.Errorf("counts %+v, lineage %q", n, p.Lineage)
	}
	if did := k.server.journal.take(); len(did) > 0 {
		t.Errorf("plan did %v", did)
	}
}

func TestPlanOpensNoTokens(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(two)
	k.server.journal.take()
	p := k.plan(cfg, plan.Options{})
	if !p.Empty() {
		t.Errorf("changes: %+v", p.Changes)
	}
	if did := k.server.journal.take(); len(did) > 0 {
		t.Errorf("plan did %v", did)
	}
}

func TestWaitingForAPersonIsNotAnError(t *testing.T) {
	k := newKit(t)
	k.options.User = nil
	k.engine = engine.New(k.options)
	out := k.apply(k.config(two), plan.Options{})
	if r := result(t, out, "graph"); r.State != engine.Waiting || class(r.Err) != engine.ClassNeedsUser || !strings.Contains(r.Err.Error(), "oauthctl apply -target='connection.graph'") {
		t.Errorf("graph: %s: %v", r.State, r.Err)
	}
	for _, name := range []string{"robot", "worker"} {
		if r := result(t, out, name); r.State != engine.Done {
			t.Errorf("%s: %s: %v", name, r.State, r.Err)
		}
	}
	if n := count(k.server.journal.take(), "token authorization_code"); n != 0 {
		t.Errorf("%d codes exchanged", n)
	}
}

// A thousand connections at one server need one metadata document.
func TestMetadataIsAskedForOnce(t *testing.T) {
	k := newKit(t)
	var asked atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // what is no document is not kept
			return
		}
		fmt.Fprintf(w, `{"issuer": %q, "token_endpoint": %q}`, k.server.URL, k.server.URL+"/token")
	})
	mux.Handle("/", k.server.Config.Handler)
	k.server.Config.Handler = mux
	cfg := k.config(`
provider "acme" {
  issuer    = "SERVER"
  discovery = "oauth"
}
connection "robot" {
  for_each      = toset(["a", "b", "c", "d", "e"])
  provider      = "acme"
  client_id     = each.key
  client_secret = env("ROBOT")
  grant "client_credentials" {}
}
`)
	states := map[engine.ResultState]int{}
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		states[r.State]++
	}
	if states[engine.Done] != 4 || states[engine.Failed] != 1 || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", states, asked.Load())
	}
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	k := newKit(t)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form.Get("client_id") == "robot" {
			oauthError(w, http.StatusUnauthorized, "invalid_client")
			return true
		}
		return false
	})
	out := k.apply(k.config(two), plan.Options{})
	states := map[string]engine.ResultState{}
	for _, r := range out.Results {
		states[r.Addr.Short()] = r.State
	}
	if diff := cmp.Diff(map[string]engine.ResultState{"graph": engine.Done, "robot": engine.Failed, "worker": engine.Done}, states); diff != "" {
		t.Error(diff)
	}
	if _, err := k.store.Get(k.ctx, addr.Connection("robot"), state.PartAll); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the failed connection is in the state: %v", err)
	}
}

// chain: mid uses what up was granted, and down comes after mid.
const chain = acme + `
connection "up" {
  provider      = "acme"
  client_id     = "up"
  client_secret = env("UP")
  scopes        = ["a"]
  grant "client_credentials" {}
}
connection "mid" {
  provider      = "acme"
  client_id     = "mid"
  client_secret = connection.up.access_token
  grant "client_credentials" {}
}
connection "down" {
  provider      = "acme"
  client_id     = "down"
  client_secret = env("DOWN")
  depends_on    = [connection.mid]
  grant "client_credentials" {}
}
`

func TestConnectionsFeedEachOther(t *testing.T) {
	k := newKit(t)
	cfg := k.config(chain)
	out := k.apply(cfg, plan.Options{})
	for _, r := range out.Results {
		if r.State != engine.Done {
			t.Errorf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
	var order []string
	for _, l := range k.server.journal.take() {
		if after, ok := strings.CutPrefix(l, "token client_credentials "); ok {
			order = append(order, after)
		}
	}
	if diff := cmp.Diff([]string{"up", "mid", "down"}, order); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(k.server.secrets, "access-1") {
		t.Errorf("mid did not sign in with the token of up: %v", k.server.secrets)
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("the second plan is not empty: %+v", p.Changes)
	}
}

// A grant block may use what another connection was given, too.
func TestGrantBlocksMayReferToConnections(t *testing.T) {
	k := newKit(t)
	cfg := k.config(acme + `
connection "up" {
  provider      = "acme"
  client_id     = "up"
  client_secret = env("UP")
  scopes        = ["a"]
  grant "client_credentials" {}
}
connection "down" {
  provider  = "acme"
  client_id = "down"
  grant "authorization_code" {
    params = { of = connection.up.client_id, until = connection.up.expires_at, hint = nonsensitive(connection.up.access_token) }
  }
}
`)
	var visited string
	k.person.before = func(_ context.Context, v grant.Visit) error { visited = v.URL; return nil }
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
	if !strings.Contains(visited, "of=up") || !strings.Contains(visited, "until=2026-03-02T13") || !strings.Contains(visited, "hint=access-1") {
		t.Errorf("visited %s", visited)
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("the second plan is not empty: %+v", p.Changes)
	}
}

func TestDependentsOfAFailureAreSkipped(t *testing.T) {
	k := newKit(t)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		oauthError(w, http.StatusBadRequest, "invalid_scope")
		return true
	})
	out := k.apply(k.config(chain), plan.Options{})
	if r := result(t, out, "up"); r.State != engine.Failed {
		t.Errorf("up: %s", r.State)
	}
	for _, name := range []string{"mid", "down"} {
		if r := result(t, out, name); r.State != engine.Skipped || r.Err == nil {
			t.Errorf("%s: %s: %v", name, r.State, r.Err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestNobodyIsAskedIfTheStateCannotBeWritten(t *testing.T) {
	k := newKit(t)
	cfg := k.config(two)
	k.fail("probe", state.ErrUnwritable)
	_, err := k.engine.Apply(k.ctx, cfg, k.plan(cfg, plan.Options{}))
	if class(err) != engine.ClassError || !errors.Is(err, state.ErrUnwritable) {
		t.Errorf("error %v", err)
	}
	if k.person.visits.Load() > 0 || count(k.server.journal.take(), "token") > 0 {
		t.Error("somebody was asked, or a request was made")
	}
}

func TestGrantThatCannotBeSavedIsReported(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one)
	p := k.plan(cfg, plan.Options{})
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		k.fail("write", state.ErrUnwritable)
		return false
	})
	out, err := k.engine.Apply(k.ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	r := out.Results[0]
	if r.State != engine.Failed || !errors.Is(r.Err, state.ErrUnwritable) ||
		!strings.Contains(r.Err.Error(), "connection.graph") || strings.Contains(r.Err.Error(), "access-1") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	failed := <-k.person.pages
	k.server.setFault(nil)
	k.fail("write", nil)
	k.apply(cfg, plan.Options{})
	if done := <-k.person.pages; done == failed {
		t.Error("the browser was told that all is well")
	}
}

// The browser is told that it is done when it is, and not before.
func TestBrowserWaitsForTheWrite(t *testing.T) {
	k := newKit(t)
	k.person.told = func() { k.server.journal.add("page") }
	k.apply(k.config(one), plan.Options{})
	<-k.person.pages
	did := k.server.journal.take()
	exchange := slices.Index(did, "token authorization_code app")
	if exchange < 0 || !slices.Contains(did[exchange:], "page") || slices.Index(did[exchange:], "page") < slices.Index(did[exchange:], "write") {
		t.Errorf("did %v", did)
	}
}

func TestOutputsAfterApply(t *testing.T) {
	k := newKit(t)
	out := k.apply(k.config(one+`
output "ends" { value = connection.graph.expires_at }
output "token" {
  value     = connection.graph.access_token
  sensitive = true
}
`), plan.Options{})
	if len(out.Outputs) != 2 {
		t.Fatalf("outputs %+v", out.Outputs)
	}
	if got := out.Outputs[0].Value.AsString(); got != "2026-03-02T13:00:00Z" {
		t.Errorf("ends = %s", got)
	}
	if o := out.Outputs[1]; !o.Sensitive || o.Value.AsString() != "access-1" {
		t.Errorf("token: sensitive %t", o.Sensitive)
	}
}

func TestEventsTellTheStory(t *testing.T) {
	k := newKit(t)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form.Get("client_id") == "robot" {
			oauthError(w, http.StatusUnauthorized, "invalid_client")
			return true
		}
		return false
	})
	k.apply(k.config(two), plan.Options{})
	got := map[string][]engine.EventType{}
	for _, ev := range k.events {
		got[ev.Addr.Short()] = append(got[ev.Addr.Short()], ev.Type)
		if ev.At.IsZero() {
			t.Errorf("%s has no time", ev.Type)
		}
		if done := ev.Type == engine.EventDone; done != ev.ExpiresAt.Equal(k.clock.now().Add(time.Hour)) {
			t.Errorf("%s of %s says that the token ends at %v", ev.Type, ev.Addr, ev.ExpiresAt)
		}
	}
	want := map[string][]engine.EventType{
		"graph":  {engine.EventStart, engine.EventDone},
		"robot":  {engine.EventStart, engine.EventFailed},
		"worker": {engine.EventStart, engine.EventDone},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestValidateSaysTheSameOnce(t *testing.T) {
	k := newKit(t)
	cfg := k.config(`
connection "many" {
  for_each  = toset(["a", "b", "c"])
  provider  = "nowhere"
  client_id = "app"
}
`)
	if diags := k.engine.Validate(k.ctx, cfg); len(diags) != 1 {
		t.Errorf("%d diagnostics: %v", len(diags), diags)
	}
}

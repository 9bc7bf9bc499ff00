package engine_test

import (
	"context"
	"errors"
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
	if r.State != engine.Done || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "not revoked there") {
		t.Errorf("%s: %v %q", r.State, r.Err, r.Warnings)
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
	if exchange < 0 || revoked < 0 || !(exchange < saved && saved < revoked) {
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
	for _, o := range []plan.Options{{RefreshOnly: true}, {}} {
		r := result(t, k.apply(cfg, o), "graph")
		if r.State != engine.Done || r.Action != plan.Refresh || len(r.Warnings) != 1 {
			t.Errorf("%+v: %s %s: %v %q", o, r.Action, r.State, r.Err, r.Warnings)
		}
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
}

func TestInterruptedConsentChangesNothing(t *testing.T) {
	k := newKit(t)
	k.applied(strings.Replace(two, `connection "graph"`, `connection "earlier"`, 1))
	cfg := k.config(strings.Replace(two, `connection "graph"`, `connection "graph"`, 1))
	ctx, cancel := context.WithCancel(k.ctx)
	k.person.before = func(ctx context.Context, _ grant.Visit) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	before, _ := k.store.Summaries(k.ctx)
	p := k.plan(cfg, plan.Options{Targets: []addr.Addr{graph}})
	out, err := k.engine.Apply(ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if r := result(t, out, "graph"); r.State != engine.Failed || r.Err == nil {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	after, _ := k.store.Summaries(k.ctx)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}

func TestInterruptedApplyStartsNothingNewAndTellsAll(t *testing.T) {
	k := newKit(t)
	cfg := k.config(chain)
	ctx, cancel := context.WithCancel(k.ctx)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		cancel()
		return false
	})
	out, err := k.engine.Apply(ctx, cfg, k.plan(cfg, plan.Options{}))
	if err != nil || len(out.Results) != 3 {
		t.Fatalf("%v: %+v", err, out)
	}
	for _, name := range []string{"mid", "down"} {
		if r := result(t, out, name); r.State != engine.Skipped {
			t.Errorf("%s: %s: %v", name, r.State, r.Err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestConsentsComeOneAtATimeAndDoNotBlockTheRest(t *testing.T) {
	const text = acme + `
connection "person" {
  for_each  = toset(["a", "b", "c"])
  provider  = "acme"
  client_id = each.key
}
connection "robot" {
  for_each      = toset(["x", "y"])
  provider      = "acme"
  client_id     = each.key
  client_secret = env("ROBOT")
  grant "client_credentials" {}
}
`
	k := newKit(t)
	k.options.Parallelism = 1
	var robots atomic.Int32
	all := make(chan struct{})
	k.options.OnEvent = func(ev engine.Event) {
		if ev.Type == engine.EventDone && ev.Addr.Name == "robot" && robots.Add(1) == 2 {
			close(all)
		}
	}
	k.person.before = func(ctx context.Context, _ grant.Visit) error {
		select { // nobody consents before the machines are through
		case <-all:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.engine = engine.New(k.options)
	for _, r := range k.apply(k.config(text), plan.Options{}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
	if n := k.person.visits.Load(); n != 3 || k.person.most.Load() != 1 {
		t.Errorf("%d visits, up to %d at once", n, k.person.most.Load())
	}
}

func TestStalePlanIsRefused(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	wider := k.config(strings.Replace(one, `["read"]`, `["read", "write"]`, 1))
	p := k.plan(wider, plan.Options{})
	k.apply(wider, plan.Options{})
	if _, err := k.engine.Apply(k.ctx, wider, p); err == nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("error %v", err)
	}
}

func TestRefreshDoesNotMakeAPlanStale(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	wider := k.config(strings.Replace(one, `["read"]`, `["read", "write"]`, 1))
	p := k.plan(wider, plan.Options{})
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	out, err := k.engine.Apply(k.ctx, wider, p)
	if err != nil || out.Results[0].State != engine.Done {
		t.Fatalf("%v: %+v", err, out)
	}
	if rec := k.record(graph); !slices.Contains(rec.Info.Granted, "write") {
		t.Errorf("granted %v", rec.Info.Granted)
	}
}

func TestTwoAppliesOfTheSamePlanDoNotOverwriteEachOther(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one)
	p := k.plan(cfg, plan.Options{})
	second := engine.New(k.options)
	var inner *engine.Outcome
	k.person.before = func(context.Context, grant.Visit) error {
		k.person.before = nil
		var err error
		if inner, err = second.Apply(k.ctx, cfg, p); err != nil {
			t.Error(err)
		}
		return nil
	}
	out, err := k.engine.Apply(k.ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if inner == nil || inner.Results[0].State != engine.Done {
		t.Fatalf("inner: %+v", inner)
	}
	if r := out.Results[0]; r.State != engine.Failed || !strings.Contains(r.Err.Error(), "plan again") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if rec := k.record(graph); rec.Tokens.AccessToken != "access-1" {
		t.Errorf("token %q", rec.Tokens.AccessToken.Reveal())
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

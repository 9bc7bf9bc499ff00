package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

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
	for name, before := range map[string]bool{"first consent": false, "second consent": true} {
		t.Run(name, func(t *testing.T) { applyTwice(t, before) })
	}
}

func applyTwice(t *testing.T, before bool) {
	k := newKit(t)
	cfg := k.config(one)
	if before {
		k.applied(one)
	}
	p := k.plan(cfg, plan.Options{Replace: []addr.Addr{graph}})
	token := fmt.Sprintf("access-%d", k.server.n+1)
	o := k.options
	o.NoLock = true // with locks it would wait for the first
	second := engine.New(o)
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
	if rec := k.record(graph); rec.Tokens.AccessToken.Reveal() != token {
		t.Errorf("token %q", rec.Tokens.AccessToken.Reveal())
	}
}

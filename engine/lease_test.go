package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

// A second apply does not ask the same person for the same consent: it says
// who is at it.
func TestConsentUnderWay(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one)
	p := k.plan(cfg, plan.Options{})
	release, err := k.store.Lease(k.ctx, graph, "consent")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	k.options.LockTimeout = 400 * time.Millisecond
	k.engine = engine.New(k.options)
	out, err := k.engine.Apply(k.ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	r := result(t, out, "graph")
	if r.State != engine.Failed || class(r.Err) != engine.ClassTemporary || !errors.Is(r.Err, state.ErrBusy) {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if n := k.person.visits.Load(); n != 0 {
		t.Errorf("the person was asked %d times", n)
	}
	waited := false
	for _, ev := range k.events {
		waited = waited || ev.Type == engine.EventProgress && strings.Contains(ev.Text, "a consent for connection.graph is under way")
	}
	if !waited {
		t.Error("nobody was told what is waited for")
	}
}

// Who has waited for a consent that succeeded asks nobody again.
func TestConsentMadeMeanwhile(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one)
	p := k.plan(cfg, plan.Options{})
	late := make(chan *engine.Outcome, 1)
	k.person.before = func(ctx context.Context, _ grant.Visit) error {
		k.person.before = nil
		go func() {
			out, err := k.engine.Apply(k.ctx, cfg, p)
			if err != nil {
				t.Error(err)
			}
			late <- out
		}()
		return sleepUntil(ctx, func() bool { // the second one waits for the first
			k.mu.Lock()
			defer k.mu.Unlock()
			for _, ev := range k.events {
				if strings.Contains(ev.Text, "under way") {
					return true
				}
			}
			return false
		})
	}
	out, err := k.engine.Apply(k.ctx, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	if r := result(t, out, "graph"); r.State != engine.Done {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	if r := result(t, <-late, "graph"); r.State != engine.Failed || !strings.Contains(r.Err.Error(), "somebody else authorized") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if n := k.person.visits.Load(); n != 1 {
		t.Errorf("the person was asked %d times", n)
	}
	if rec := k.record(graph); rec.Tokens.AccessToken != "access-1" {
		t.Errorf("the state has %q", rec.Tokens.AccessToken.Reveal())
	}
}

// A consent that is under way keeps nobody from the token that is there.
func TestTokenDoesNotWaitForAConsent(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	release, err := k.store.Lease(k.ctx, graph, "consent")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	k.clock.pass(2 * time.Hour)
	k.options.LockTimeout = 100 * time.Millisecond
	k.engine = engine.New(k.options)
	if tok := k.token(graph, engine.TokenOptions{}); !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
}

// The lease of a consent that failed is free again.
func TestLeaseEndsWithTheConsent(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one)
	ctx, cancel := context.WithCancel(k.ctx)
	k.person.before = func(context.Context, grant.Visit) error { cancel(); return errors.New("nobody") }
	out, err := k.engine.Apply(ctx, cfg, k.plan(cfg, plan.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if r := result(t, out, "graph"); r.State == engine.Done {
		t.Fatalf("%+v", r)
	}
	if held, err := k.store.Held(k.ctx); err != nil || len(held) != 0 {
		t.Errorf("still held: %v, %v", held, err)
	}
}

// sleepUntil waits for something to become true.
func sleepUntil(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

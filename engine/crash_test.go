package engine_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// poison panics with something secret.
type poison struct{}

func (poison) Read([]byte) (int, error) { panic("s3cret") }

var _ io.Reader = poison{}

// A crash in the work on one connection is its failure alone: the others are
// done and saved, and nothing of the value that was panicked with is said.
func TestCrashOfOneConnection(t *testing.T) {
	k := newKit(t)
	k.options.Rand = poison{} // which only the consent reads
	k.engine = engine.New(k.options)
	out := k.apply(k.config(one+`
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("SECRET")
  grant "client_credentials" {}
}
`), plan.Options{})
	r := result(t, out, "graph")
	if r.State != engine.Failed || !strings.Contains(r.Err.Error(), "oauthctl crashed, at ") || !strings.Contains(r.Err.Error(), "engine/grant/grant.go:") || strings.Contains(r.Err.Error(), "s3cret") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if r := result(t, out, "worker"); r.State != engine.Done {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if held, err := k.store.Held(k.ctx); err != nil || len(held) != 0 {
		t.Errorf("still held: %v, %v", held, err)
	}
}

// poisoned panics instead of the first request to an endpoint.
type poisoned struct {
	http.RoundTripper
	endpoint string
	once     sync.Once
}

func (p *poisoned) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, p.endpoint) {
		p.once.Do(func() { panic("s3cret") })
	}
	return p.RoundTripper.RoundTrip(r)
}

// A crash during a request gives its turn on the network back: the others do
// not wait for it for ever.
func TestCrashGivesItsTurnBack(t *testing.T) {
	k := newKit(t)
	k.options.Parallelism = 1
	k.engine = engine.New(k.options)
	cfg := k.config(one + `
connection "mail" {
  provider  = "acme"
  client_id = "app"
  scopes    = ["read"]
}
`)
	k.apply(cfg, plan.Options{})
	k.options.HTTP = &http.Client{Transport: &poisoned{RoundTripper: k.options.HTTP.Transport, endpoint: "/revoke"}}
	k.engine = engine.New(k.options)
	done := make(chan *engine.Outcome, 1)
	go func() { done <- k.apply(cfg, plan.Options{Destroy: true}) }()
	select {
	case out := <-done:
		states := map[engine.ResultState]int{}
		for _, r := range out.Results {
			states[r.State]++
		}
		if states[engine.Done] != 1 || states[engine.Failed] != 1 {
			t.Errorf("%v", states)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the other connection waits for a turn that nobody gives back")
	}
}

// A crash on one connection ends neither an agent nor its locks, and whoever asks is told.
func TestCrashOfOneConnectionThatIsKept(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.options.HTTP = &http.Client{Transport: &poisoned{RoundTripper: k.options.HTTP.Transport, endpoint: "/token"}}
	k.engine = engine.New(k.options)
	keeper := engine.NewKeeper(engine.KeeperOptions{Now: k.clock.now, Open: func(context.Context, time.Duration) (*engine.Engine, func(), error) {
		return k.engine, func() {}, nil
	}})
	_, err := keeper.Token(k.ctx, graph, engine.TokenOptions{}, 0)
	if class(err) != engine.ClassError || !strings.Contains(err.Error(), "oauthctl crashed, at ") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
	if held, err := k.store.Held(k.ctx); err != nil || len(held) != 0 {
		t.Errorf("still held: %v, %v", held, err)
	}
	if tok, err := keeper.Token(k.ctx, graph, engine.TokenOptions{}, 0); err != nil || tok.AccessToken.Empty() {
		t.Errorf("afterwards: %v, %v", tok, err)
	}
}

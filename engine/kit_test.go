package engine_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"go.uber.org/goleak"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// kit is an engine over a state in memory, a server and a person.
type kit struct {
	pins    string // what the machine remembers of states; "": nothing
	t       testing.TB
	ctx     context.Context
	server  *server
	clock   *clock
	id      *age.X25519Identity
	backend *backendtest.Memory
	store   *state.Store
	engine  *engine.Engine
	person  *person
	options engine.Options

	mu      sync.Mutex
	broken  map[string]error // by operation of the backend
	watched map[string]func()
	events  []engine.Event
}

func newKit(t testing.TB) *kit {
	t.Helper()
	k := &kit{
		t: t, ctx: t.Context(), server: newServer(t), clock: &clock{t: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)},
		broken: map[string]error{}, watched: map[string]func(){},
	}
	var err error
	if k.id, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	k.backend = &backendtest.Memory{Fail: k.touch}
	k.store = k.open(k.backend)
	k.person = &person{t: t, server: k.server, pages: make(chan string, 100)}
	k.options = engine.Options{
		Store: k.store, Catalog: providers.New(), HTTP: grant.NewHTTPClient(grant.HTTPOptions{}), User: k.person,
		Now: k.clock.now, LockTimeout: 2 * time.Second, OnEvent: k.heard,
	}
	t.Cleanup(k.options.HTTP.CloseIdleConnections)
	k.engine = engine.New(k.options)
	return k
}

// open opens a store over a backend.
func (k *kit) open(b state.Backend) *state.Store {
	k.t.Helper()
	s, err := state.Open(k.ctx, b, state.Options{
		Identities: func() ([]age.Identity, error) { return []age.Identity{k.id}, nil },
		Recipients: []string{k.id.Recipient().String()}, Now: k.clock.now, PinDir: k.pins,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = s.Close() })
	return s
}

// touch records what the state does that others could see, and breaks it on demand.
func (k *kit) touch(operation string) error {
	switch operation {
	case "write", "probe":
		k.server.journal.add("%s", operation)
	}
	k.mu.Lock()
	err, watch := k.broken[operation], k.watched[operation]
	k.mu.Unlock()
	if watch != nil {
		watch()
	}
	return err
}

// watch calls f before every such operation of the backend.
func (k *kit) watch(operation string, f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.watched[operation] = f
}

// fail makes an operation of the backend fail; nil mends it.
func (k *kit) fail(operation string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken[operation] = err
}

func (k *kit) heard(ev engine.Event) {
	k.mu.Lock() // would deadlock or race if two came at once with listeners in between
	defer k.mu.Unlock()
	k.events = append(k.events, ev)
}

// config reads a configuration. SERVER in it is the server's URL.
func (k *kit) config(text string) *schema.Config {
	k.t.Helper()
	dir := k.t.TempDir()
	text = strings.ReplaceAll(text, "SERVER", k.server.URL)
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	env := func(name string) (string, bool) { return "secret-" + strings.ToLower(name), true }
	cfg, diags := schema.Load(k.ctx, schema.Source{Dir: dir, LookupEnv: env})
	if diags.HasErrors() {
		k.t.Fatalf("configuration: %v", diags)
	}
	return cfg
}

const acme = `
provider "acme" {
  authorization_endpoint = "SERVER/authorize"
  token_endpoint         = "SERVER/token"
  revocation_endpoint    = "SERVER/revoke"
  client_auth            = ["client_secret_basic", "none"]
  rotation { kind = "single_use" }
}
`

// one is a configuration with one interactive connection.
const one = acme + `
connection "graph" {
  provider  = "acme"
  client_id = "app"
  scopes    = ["read"]
}
`

var graph = addr.Connection("graph")

func (k *kit) plan(cfg *schema.Config, o plan.Options) *plan.Plan {
	k.t.Helper()
	p, diags, err := k.engine.Plan(k.ctx, cfg, o)
	if err != nil || diags.HasErrors() {
		k.t.Fatalf("plan: %v %v", err, diags)
	}
	return p
}

// apply plans and applies.
func (k *kit) apply(cfg *schema.Config, o plan.Options) *engine.Outcome {
	k.t.Helper()
	out, err := k.engine.Apply(k.ctx, cfg, k.plan(cfg, o))
	if err != nil {
		k.t.Fatalf("apply: %v", err)
	}
	return out
}

// applied applies a configuration and insists that all went well.
func (k *kit) applied(text string) *schema.Config {
	k.t.Helper()
	cfg := k.config(text)
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		if r.State != engine.Done {
			k.t.Fatalf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
	k.server.journal.take()
	return cfg
}

func (k *kit) record(a addr.Addr) *state.Record {
	k.t.Helper()
	r, err := k.store.Get(k.ctx, a, state.PartAll)
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

func (k *kit) token(a addr.Addr, o engine.TokenOptions) *engine.Token {
	k.t.Helper()
	tok, err := k.engine.Token(k.ctx, a, o)
	if err != nil {
		k.t.Fatalf("token: %v", err)
	}
	return tok
}

// class is the class of an error, "" if it is not an *engine.Error.
func class(err error) engine.Class {
	var e *engine.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// result finds the result of a connection.
func result(t *testing.T, out *engine.Outcome, name string) engine.Result {
	t.Helper()
	for _, r := range out.Results {
		if r.Addr.Short() == name {
			return r
		}
	}
	t.Fatalf("no result for %s in %+v", name, out.Results)
	return engine.Result{}
}

// person consents to everything at once, as a browser would that is signed in.
type person struct {
	t      testing.TB
	server *server
	visits atomic.Int32
	now    atomic.Int32 // pages open at this moment
	most   atomic.Int32
	// before is called before the consent; an error means that nobody answers.
	before func(ctx context.Context, v grant.Visit) error
	pages  chan string // that the browser ended at
	told   func()      // is called when the browser has its page
}

func (p *person) Open(ctx context.Context, v grant.Visit) (func(), error) {
	p.visits.Add(1)
	p.most.Store(max(p.most.Load(), p.now.Add(1)))
	var wg sync.WaitGroup
	wg.Go(func() {
		if p.before != nil && p.before(ctx, v) != nil {
			return
		}
		u, err := url.Parse(v.URL)
		if err != nil {
			p.t.Error(err)
			return
		}
		q := u.Query()
		back, err := url.Parse(q.Get("redirect_uri"))
		if err != nil {
			p.t.Error(err)
			return
		}
		answer := url.Values{"code": {"code-" + v.Addr.Short()}, "state": {q.Get("state")}}
		back.RawQuery = answer.Encode()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get(back.String())
		if err != nil {
			return
		}
		defer res.Body.Close()
		page, _ := io.ReadAll(res.Body)
		if p.told != nil {
			p.told()
		}
		p.pages <- string(page)
	})
	return func() { p.now.Add(-1) }, nil
}

func (p *person) Code(context.Context, grant.DeviceCode) (func(), error) {
	return nil, errors.New("no device code was expected")
}

func (p *person) Paste(context.Context, grant.Visit) (secret.Secret, error) {
	return "", errors.New("nothing to paste was expected")
}

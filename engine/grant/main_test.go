package grant_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server, a person, a clock and an HTTP client for one test.
type world struct {
	t      *testing.T
	srv    *granttest.Server
	clock  *granttest.Clock
	person *granttest.Person
	http   *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := granttest.NewClock()
	w := &world{t: t, clock: clock, srv: granttest.New(t, clock.Now), person: &granttest.Person{}, http: grant.NewHTTPClient(grant.HTTPOptions{UserAgent: "oauthctl/test"})}
	t.Cleanup(func() {
		w.person.End()
		w.http.CloseIdleConnections()
	})
	return w
}

func (w *world) env() grant.Env {
	return grant.Env{HTTP: w.http, User: w.person, Now: w.clock.Now, Sleep: w.clock.Sleep}
}

// preset is a server of which only the issuer is known.
func (w *world) preset() *providers.Preset {
	return &providers.Preset{Name: "acme", Title: "Acme", Issuer: w.srv.URL, Discovery: "auto", ScopeSeparator: " ", PKCE: "supported"}
}

// connection loads the one connection of a configuration.
func connection(t *testing.T, text string) *schema.Connection {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir, LookupEnv: func(name string) (string, bool) { return "s3cr3t+/:" + name, true }})
	if diags.HasErrors() || len(cfg.Connections) != 1 {
		t.Fatalf("%d connections: %v", len(cfg.Connections), diags)
	}
	return cfg.Connections[0]
}

// client is the client of a connection whose body is given.
func (w *world) client(p *providers.Preset, body string) *grant.Client {
	w.t.Helper()
	c, diags := grant.NewClient(connection(w.t, "connection \"main\" {\n  provider = \"acme\"\n  client_id = \"client-1\"\n"+body+"\n}\n"), p)
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	return c
}

// consent makes the person's browser consent and follow the redirect; page gets what it shows.
func (w *world) consent(page chan<- string) {
	w.person.OnOpen = func(v grant.Visit) {
		_, body := w.get(redirectTo(v, w.srv.Consent(v.URL)))
		if page != nil {
			page <- body
		}
	}
}

// redirectTo is where the server sends the browser.
func redirectTo(v grant.Visit, answer url.Values) string {
	return v.RedirectURI + "?" + answer.Encode()
}

// get is a request of the person's browser: one connection each.
func (w *world) get(target string) (int, string) {
	return w.browse(http.MethodGet, target, "", nil)
}

func (w *world) browse(method, target, host string, form url.Values) (int, string) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		w.t.Error(err)
		return 0, ""
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if host != "" {
		req.Host = host
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// record is what the engine would keep of a grant.
func record(c *grant.Client, g *grant.Grant) *state.Record {
	r := &state.Record{Info: &state.Info{
		Grant: c.Settings.Type, Client: c.StateClient(), Requested: c.Scopes, Granted: g.Granted, Subject: g.Subject,
		Account: g.Account, Access: c.Conn.Lifetimes.Access, Refresh: c.Conn.Lifetimes.Refresh,
	}, Tokens: &g.Tokens}
	r.Addr, r.ExpiresAt, r.RefreshExpiresAt = c.Addr, g.ExpiresAt, g.RefreshExpiresAt
	r.Info.Exchange = c.Exchange()
	c.Keep(r.Tokens)
	return r
}

// wantError asserts the kind of an error and gives it back.
func wantError(t *testing.T, err error, kind grant.Kind, words ...string) *grant.Error {
	t.Helper()
	var e *grant.Error
	if !errors.As(err, &e) {
		t.Fatalf("want a *grant.Error of kind %s, have %v", kind, err)
	}
	if e.Kind != kind {
		t.Errorf("kind = %s, want %s: %v", e.Kind, kind, e)
	}
	text := e.Error() + "\n" + e.Remedy
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the error does not say %q: %s", word, text)
		}
	}
	return e
}

package sandbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rig is a sandbox with one server mounted, and a client of it.
type rig struct {
	t     *testing.T
	s     *sandbox.Server
	clock *clock
	http  *http.Client
	conf  oauth2.Config
}

const (
	issuer   = "https://login.acme.example"
	callback = "http://127.0.0.1:1234/callback"
)

// acme is a server that discovery describes.
func acme() *providers.Preset {
	return &providers.Preset{Name: "acme", Title: "Acme", Issuer: issuer, Discovery: "auto"}
}

func optionsAt(c *clock) sandbox.Options { return sandbox.Options{Now: c.Now, Rand: rand.Reader} }

func newServer(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	if o.Now == nil {
		o.Now = newClock().Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	s, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newRig(t *testing.T, p *providers.Preset) *rig {
	t.Helper()
	c := newClock()
	return rigOf(t, newServer(t, sandbox.Options{Now: c.Now}), c, p)
}

func rigOf(t *testing.T, s *sandbox.Server, c *clock, p *providers.Preset) *rig {
	t.Helper()
	if err := s.Mount(p); err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, s: s, clock: c,
		http: &http.Client{Transport: s.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		conf: oauth2.Config{
			ClientID: "app", ClientSecret: "hush", RedirectURL: callback, Scopes: []string{"files.read", "mail.read"},
			Endpoint: oauth2.Endpoint{
				AuthURL: issuer + "/authorize", TokenURL: issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader,
			},
		},
	}
}

func (r *rig) ctx() context.Context {
	return context.WithValue(r.t.Context(), oauth2.HTTPClient, r.http)
}

// consent walks the pages and returns the parameters of the redirect.
func (r *rig) consent(authorizeURL string) url.Values {
	r.t.Helper()
	to, err := r.s.Visit(r.t.Context(), authorizeURL, sandbox.Visitor{})
	if err != nil {
		r.t.Fatal(err)
	}
	u, err := url.Parse(to.URL)
	if err != nil {
		r.t.Fatal(err)
	}
	return u.Query()
}

// authorize walks a whole code flow.
func (r *rig) authorize(opts ...oauth2.AuthCodeOption) *oauth2.Token {
	r.t.Helper()
	verifier := oauth2.GenerateVerifier()
	got := r.consent(r.conf.AuthCodeURL("st", append(opts, oauth2.S256ChallengeOption(verifier))...))
	if got.Get("state") != "st" {
		r.t.Fatalf("state = %q", got.Get("state"))
	}
	tok, err := r.conf.Exchange(r.ctx(), got.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		r.t.Fatal(err)
	}
	return tok
}

// post sends a form and returns status and members of the answer.
func (r *rig) post(address string, form url.Values, header ...string) (int, map[string]any) {
	r.t.Helper()
	return r.do(http.MethodPost, address, strings.NewReader(form.Encode()),
		append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

func (r *rig) do(method, address string, body io.Reader, header ...string) (int, map[string]any) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, address, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out map[string]any
	if len(bytes.TrimSpace(b)) > 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(b, &out); err != nil {
			r.t.Fatalf("%s: %v", b, err)
		}
	} else {
		out = map[string]any{"text": string(b)}
	}
	return resp.StatusCode, out
}

// refresh sends a refresh token and returns the answer.
func (r *rig) refresh(token string) (int, map[string]any) {
	r.t.Helper()
	return r.post(r.conf.Endpoint.TokenURL, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"app"}, "client_secret": {"hush"},
	})
}

func (r *rig) stats() sandbox.Stats {
	r.t.Helper()
	st, err := r.s.Stats()
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

func TestCodeFlowAndRefresh(t *testing.T) {
	r := newRig(t, acme())
	tok := r.authorize()
	if tok.RefreshToken == "" || tok.ExpiresIn != 3600 || tok.Type() != "Bearer" {
		t.Fatalf("refresh token %t, expires in %d, type %s", tok.RefreshToken != "", tok.ExpiresIn, tok.Type())
	}
	status, got := r.refresh(tok.RefreshToken)
	if status != http.StatusOK || got["refresh_token"] == tok.RefreshToken || got["access_token"] == tok.AccessToken {
		t.Fatalf("refresh: %d, new refresh token %t", status, got["refresh_token"] != tok.RefreshToken)
	}
}

func TestLifetimesOfThePreset(t *testing.T) {
	p := acme()
	p.Lifetimes = schema.Lifetimes{Access: 10 * time.Minute, Refresh: 24 * time.Hour}
	r := newRig(t, p)
	tok := r.authorize()
	if tok.ExpiresIn != 600 {
		t.Errorf("expires_in = %d, want 600", tok.ExpiresIn)
	}
	r.clock.Add(25 * time.Hour)
	if status, got := r.refresh(tok.RefreshToken); status != 400 || got["error"] != "invalid_grant" {
		t.Errorf("refresh after its end: %d %v", status, got["error"])
	}
}

func showAll(v any) string { return fmt.Sprintf("%v %+v %#v %q", v, v, v, v) }

func TestMountRefuses(t *testing.T) {
	s := newServer(t, sandbox.Options{})
	for name, p := range map[string]*providers.Preset{
		"nothing known":        {Name: "x"},
		"not a URL":            {Name: "x", TokenEndpoint: "login.example/token"},
		"two roles of one URL": {Name: "x", TokenEndpoint: issuer + "/x", AuthorizationEndpoint: issuer + "/x"},
	} {
		if err := s.Mount(p); err == nil || !strings.Contains(err.Error(), `imitate "x"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sandbox.New(sandbox.Options{}); err == nil {
		t.Error("without a clock")
	}
}

// TestSharedEndpoints: tenants of one vendor share the userinfo endpoint.
func TestSharedEndpoints(t *testing.T) {
	north, south := acme(), acme()
	north.UserinfoEndpoint, south.UserinfoEndpoint = "https://graph.example/me", "https://graph.example/me"
	south.Issuer = "https://south.acme.example"
	r := newRig(t, north)
	tok := r.authorize()
	if err := r.s.Mount(south); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.do(http.MethodGet, "https://graph.example/me", nil, "Authorization", "Bearer "+tok.AccessToken); status != 200 {
		t.Errorf("a token of the one that was mounted first: %d", status)
	}
}

func TestDiscoveryDocument(t *testing.T) {
	p := acme()
	p.Issuer = issuer + "/tenant"
	r := newRig(t, p)
	for _, at := range []string{
		issuer + "/tenant/.well-known/openid-configuration",
		issuer + "/.well-known/oauth-authorization-server/tenant",
	} {
		status, got := r.do(http.MethodGet, at, nil)
		if status != 200 || got["issuer"] != p.Issuer || got["token_endpoint"] != p.Issuer+"/token" ||
			got["authorization_response_iss_parameter_supported"] != true ||
			fmt.Sprint(got["code_challenge_methods_supported"]) != "[S256]" {
			t.Errorf("%s: %d %v", at, status, got)
		}
	}
}

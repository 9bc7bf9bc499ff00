package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// newPlain serves a sandbox on loopback and returns its base URL.
func newPlain(t *testing.T) (string, *rig) {
	t.Helper()
	c := newClock()
	s := newServer(t, optionsAt(c))
	base, err := s.Serve(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return base, &rig{t: t, s: s, clock: c, http: &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

func TestNothingIsImitatedByAccident(t *testing.T) {
	r := newRig(t, acme())
	for _, u := range []string{
		"https://accounts.google.com/o/oauth2/v2/auth", issuer + "/tokens", issuer + ":8443/token",
		"http://login.acme.example/token", issuer + "/Token",
	} {
		status, got := r.do(http.MethodGet, u, nil)
		text, _ := got["text"].(string)
		if status != http.StatusNotFound || !strings.Contains(text, "nothing here imitates") || !strings.Contains(text, issuer+"/token") {
			t.Errorf("%s: %d %s", u, status, text)
		}
	}
}

func TestHostHeader(t *testing.T) {
	base, r := newPlain(t)
	if err := r.s.Mount(acme()); err != nil {
		t.Fatal(err)
	}
	own := strings.TrimPrefix(base, "http://")
	for host, want := range map[string]int{
		own: 200, "login.acme.example": 200, "evil.example": 421, "127.0.0.1:1": 421, "rebound.example:80": 421,
		"localhost" + own[strings.LastIndex(own, ":"):]: 200,
	} {
		req, _ := http.NewRequest(http.MethodGet, base+"/.well-known/openid-configuration", nil)
		req.Host = host
		resp, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

func TestServeListensOnLoopbackOnly(t *testing.T) {
	s := newServer(t, optionsAt(newClock()))
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		if base, err := s.Serve(t.Context(), address); err == nil {
			t.Errorf("%s: listens at %s", address, base)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	base, err := s.Serve(ctx, "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = s.Close()
	if resp, err := http.Get(base); err == nil {
		_ = resp.Body.Close()
		t.Error("still listens after its context ended")
	}
}

// TestBrowser walks the pages of an imitated server over real HTTP, as a browser
// on the loopback address does.
func TestBrowser(t *testing.T) {
	r := newRig(t, acme())
	front := httptest.NewServer(r.s.Handler())
	defer front.Close()
	jar, _ := cookiejar.New(nil)
	c := front.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	at := r.s.BrowserURL(front.URL, authorizeURL())
	if !strings.HasPrefix(at, front.URL+"/~/login.acme.example/authorize?") {
		t.Fatal(at)
	}
	page := read(t, c, http.MethodGet, at, nil)
	var resp *http.Response
	for _, answer := range []url.Values{{"account": {"kim@sandbox.example"}}, {"decision": {"allow"}, "scope": {"mail.read"}}} {
		form := hidden(page)
		for k, v := range answer {
			form[k] = v
		}
		action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(page)[1]
		target, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		target, err = target.Parse(strings.ReplaceAll(strings.ReplaceAll(action, "&amp;", "&"), "&#43;", "+"))
		if err != nil || !strings.HasPrefix(target.Path, "/~/login.acme.example/authorize") {
			t.Fatalf("the form leads to %s, %v", target, err)
		}
		resp, err = c.PostForm(target.String(), form)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		page = string(b)
	}
	to, err := resp.Location()
	if err != nil {
		t.Fatalf("%d %v %s", resp.StatusCode, err, page)
	}
	_, tok := r.exchange(to.Query().Get("code"))
	if tok["scope"] != "mail.read" {
		t.Errorf("only the ticked scope is granted: %v", tok["scope"])
	}
}

func hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

func read(t *testing.T, c *http.Client, method, u string, body io.Reader) string {
	t.Helper()
	req, err := http.NewRequest(method, u, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBrowserURL(t *testing.T) {
	r := newRig(t, acme())
	p := acme()
	p.Issuer = "http://localhost:9000/realms/x"
	if err := r.s.Mount(p); err != nil {
		t.Fatal(err)
	}
	const base = "http://127.0.0.1:7777"
	for in, want := range map[string]string{
		issuer + "/authorize?a=b":                  base + "/~/login.acme.example/authorize?a=b",
		issuer + "/device":                         base + "/~/login.acme.example/device",
		"http://localhost:9000/realms/x/authorize": base + "/~http/localhost:9000/realms/x/authorize",
		"https://elsewhere.example/x":              "https://elsewhere.example/x",
		base + "/~/login.acme.example/authorize":   base + "/~/login.acme.example/authorize",
		"::":                                       "::",
	} {
		if got := r.s.BrowserURL(base, in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// TestPlainIssuer lets any client use the sandbox's own issuer.
func TestPlainIssuer(t *testing.T) {
	base, r := newPlain(t)
	r.conf = oauth2.Config{
		ClientID: "whatever", ClientSecret: "anything", RedirectURL: callback, Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	tok := r.authorize()
	if tok.RefreshToken == "" || tok.Extra("id_token") == nil {
		t.Error("a token is missing")
	}
	if text := read(t, r.http, http.MethodGet, base+"/", nil); !strings.Contains(text, base+"/token") {
		t.Error("the welcome page does not name the token endpoint")
	}
	status, d := r.post(base+"/device_authorization", url.Values{"client_id": {"tv"}})
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, d)
	}
	if err := r.s.ConsentDevice(t.Context(), d["user_code"].(string)); err != nil {
		t.Error(err)
	}
}

// TestSignedAccessTokens: an API can check what the sandbox's own issuer hands
// out with its keys (RFC 9068), and the sandbox still knows it.
func TestSignedAccessTokens(t *testing.T) {
	base, r := newPlain(t)
	r.conf = oauth2.Config{
		ClientID: "api-client", ClientSecret: "anything", RedirectURL: callback, Scopes: []string{"openid", "read"},
		Endpoint: oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	tok := r.authorize()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(read(t, r.http, http.MethodGet, base+"/jwks", nil)), &keys); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(tok.AccessToken, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := jws.Verify(keys)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if typ := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]; typ != "at+jwt" {
		t.Errorf("typ %v", typ)
	}
	for name, want := range map[string]any{"iss": base, "aud": base, "client_id": "api-client", "scope": "openid read"} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if claims["sub"] == "" || claims["sub"] == "api-client" || claims["jti"] == "" {
		t.Errorf("claims %v", claims)
	}
	form := func(token string) url.Values {
		return url.Values{"token": {token}, "client_id": {"api-client"}, "client_secret": {"anything"}}
	}
	active := func(token string) any {
		_, d := r.post(base+"/introspect", form(token))
		return d["active"]
	}
	if active(tok.AccessToken) != true {
		t.Error("introspection does not know the token")
	}
	forged := tok.AccessToken[:len(tok.AccessToken)-8] + "AAAAAAAA"
	if active(forged) != false {
		t.Error("introspection takes a token with another signature")
	}
	if status, _ := r.post(base+"/revoke", form(tok.AccessToken)); status != http.StatusOK || active(tok.AccessToken) != false {
		t.Error("the token is not revoked")
	}
}

// TestOpaqueAccessTokens: on demand nothing is to be read from a token, and
// introspection tells what is in it.
func TestOpaqueAccessTokens(t *testing.T) {
	o := optionsAt(newClock())
	o.Opaque = true
	s := newServer(t, o)
	base, err := s.Serve(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	r := &rig{t: t, s: s, http: &http.Client{Transport: tr}}
	client := url.Values{"client_id": {"api-client"}, "client_secret": {"anything"}}
	form := url.Values{"grant_type": {"client_credentials"}}
	for name, v := range client {
		form[name] = v
	}
	_, answer := r.post(base+"/token", form)
	token, _ := answer["access_token"].(string)
	if token == "" || strings.Contains(token, ".") {
		t.Fatalf("access token %q", token)
	}
	client.Set("token", token)
	if _, d := r.post(base+"/introspect", client); d["active"] != true {
		t.Errorf("introspection: %v", d)
	}
}

package grant

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// Whatever a metadata document says: an endpoint is taken from it only if it is
// https, or http to this machine where the server itself is here, and leads to
// where the server may lead us.
func FuzzDiscovery(f *testing.F) {
	const issuer = "https://login.example"
	for _, s := range []string{
		`{"issuer":"https://login.example","authorization_endpoint":"https://login.example/a","token_endpoint":"https://login.example/t"}`,
		`{"issuer":"https://login.example","token_endpoint":"https://169.254.169.254/latest"}`,
		`{"issuer":"https://login.example","token_endpoint":"http://login.example/t"}`,
		`{"issuer":"https://login.example","authorization_endpoint":"javascript:alert(1)"}`,
		`{"issuer":"https://login.example/","token_endpoint":7}`, `{"issuer":`, `[]`, `null`,
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, public bool) {
		m := readMetadata([]byte(text))
		if m == nil || m.Issuer != issuer { // as Discover does
			return
		}
		c := &Client{Preset: &providers.Preset{Title: "x", Issuer: issuer}, Conn: &schema.Connection{}, Settings: Settings{Type: AuthorizationCode}}
		if err := c.apply(m, "discover", public); err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("a control character in %q", err)
			}
			return
		}
		p := c.Preset
		for _, endpoint := range []string{p.AuthorizationEndpoint, p.TokenEndpoint, p.DeviceEndpoint, p.RevocationEndpoint, p.IntrospectionEndpoint, p.UserinfoEndpoint, p.JWKSURI} {
			if endpoint == "" {
				continue
			}
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || !plainURL(endpoint) {
				t.Fatalf("took %q", endpoint)
			}
			if host := u.Hostname(); isLoopbackHost(host) || checkReachable(host) != nil || public && checkPublicHost(host) != nil {
				t.Fatalf("public %v: took %q", public, endpoint)
			}
		}
		if len(m.ChallengeMethods) > 0 && !slices.Contains(m.ChallengeMethods, "S256") {
			t.Fatal("S256 was given up")
		}
	})
}

// plainURL: no character of it means anything to a shell, a terminal or a reader.
// "&", ";", "$" and "%" belong to URLs, which is why no shell gets one.
func plainURL(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"'<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// Whatever a device endpoint answers: what is shown is plain and leads to https,
// or to this machine, and polling keeps within its bounds.
func FuzzDevice(f *testing.F) {
	for _, s := range []string{
		`{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://login.example/device","expires_in":900,"interval":5}`,
		`{"device_code":"d","user_code":"A\u001b[2J","verification_uri":"https://login.example/device"}`,
		`{"device_code":"d","user_code":"A","verification_uri":"https://login.example/device","verification_uri_complete":"ms-msdt:/x","interval":9300000000}`,
		`{"device_code":"d","user_code":"A","verification_url":"http://127.0.0.1/","interval":"-1","expires_in":"1e999"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a, err := parseAnswer("application/json", []byte(body))
		if err != nil {
			return
		}
		c := &Client{Preset: &providers.Preset{}, Conn: &schema.Connection{}}
		d, err := c.readDevice(a)
		if err != nil {
			if strings.ContainsFunc(Clean(err.Error()), unicode.IsControl) {
				t.Fatalf("%q", err)
			}
			return
		}
		if d.interval < time.Second || d.interval > maxInterval || d.life <= 0 || d.life > maxCodeLife {
			t.Fatalf("polls each %v for %v", d.interval, d.life)
		}
		if s := d.show.UserCode; s == "" || len(s) > 64 || !isPrintable(s) || s != strings.TrimSpace(s) {
			t.Fatalf("shows the code %q", s)
		}
		for _, raw := range []string{d.show.VerificationURI, d.show.VerificationURIComplete} {
			u, err := url.Parse(raw)
			if raw != "" && (err != nil || !plainURL(raw) || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname()))) {
				t.Fatalf("sends a person to %q", raw)
			}
		}
	})
}

// Whatever an endpoint and a configuration are: what a browser is given is one
// URL of https, or of http to this machine, that goes to the endpoint's host,
// begins with its scheme, and has nothing in it that ends a word.
func FuzzBrowserURL(f *testing.F) {
	for _, endpoint := range []string{
		"https://login.example/authorize", "https://login.example/a?realm=r&x=$(id)", "https://login.example/;touch%20x", "javascript:alert(1)", "file:///etc/passwd",
		"smb://host/share", "ms-msdt:/id", "-https://login.example", "https://login.example/`id`", "http://127.0.0.1:8080/a", "http://login.example/", "https://[::1]/%zz",
		"https://login.example@evil.example/", "https:///a", "https://login.example/\x1b[2J", "HTTPS://login.example/%0a",
	} {
		f.Add(endpoint, "client", "files.read", "de")
		f.Add(endpoint, "a&b;c $(id)", "\"'`|", "-\r\n\x1b[2J\u202e")
	}
	f.Fuzz(func(t *testing.T, endpoint, id, scope, value string) {
		if checkEndpoint(endpoint) != nil { // as ready does, before anything is opened
			return
		}
		c := &Client{
			Preset:   &providers.Preset{AuthorizationEndpoint: endpoint, ScopeSeparator: " "},
			Conn:     &schema.Connection{ClientID: id},
			Settings: Settings{Type: AuthorizationCode, Params: map[string]string{"ui_locales": value, "x" + value: id}, Prompt: value, LoginHint: value},
			Scopes:   []string{scope},
		}
		flow := &codeFlow{c: c, session: &session{state: strings.Repeat("a1", 32)}, redirect: "http://127.0.0.1:7/callback", verifier: strings.Repeat("v", 43), nonce: "n"}
		shown := flow.url()
		u, err := url.Parse(shown)
		want, _ := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname())) || u.Host != want.Host || u.User != nil {
			t.Fatalf("%q became %q", endpoint, shown)
		}
		if !plainURL(shown) || !strings.EqualFold(shown[:4], "http") {
			t.Fatalf("a browser would get %q", shown)
		}
		if strings.Contains(shown, flow.verifier) {
			t.Fatalf("the verifier is in %q", shown)
		}
		if q := u.Query(); q.Get("state") != flow.session.state || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != flow.redirect {
			if !want.Query().Has("state") && !want.Query().Has("code_challenge_method") && !want.Query().Has("redirect_uri") {
				t.Fatalf("not the request that was meant: %q", shown)
			}
		}
	})
}

// Whatever bytes come to the listener: only the right method, host, path and
// state settle it, and no page shows a byte of a request.
func FuzzListener(f *testing.F) {
	state := strings.Repeat("a1", 32)
	for _, s := range []string{
		"GET /cb?code=x&state=" + state + " HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n",
		"GET /cb?code=x&state=" + state + " HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"GET http://evil.example/cb?code=x&state=" + state + " HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n",
		"POST /cb HTTP/1.1\r\nHost: 127.0.0.1:7\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 77\r\n\r\ncode=x&state=" + state,
		"HEAD /cb?code=x&state=" + state + " HTTP/1.0\r\nHost: 127.0.0.1:7\r\n\r\n", "GET //cb?error=x HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n",
		"GET /%63b?code=x&state=" + state + " HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, form bool) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		method, query := http.MethodGet, r.URL.RawQuery
		if form {
			method, query = http.MethodPost, string(body)
		}
		s := &session{doing: "authorize", state: state, party: &party{}}
		l := &listener{session: s, path: "/cb", method: method, host: "127.0.0.1:7", answers: make(chan callback, 1), settled: make(chan struct{}), outcome: pageDone}
		close(l.settled)
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if settled := len(l.answers) == 1; settled {
			v, _ := url.ParseQuery(query)
			if r.Method != method || !strings.EqualFold(r.Host, "127.0.0.1:7") || r.URL.EscapedPath() != "/cb" || !slices.Equal(v["state"], []string{state}) {
				t.Fatalf("settled by %q", raw)
			}
		} else if w.Code == http.StatusOK {
			t.Fatalf("HTTP 200 for %q", raw)
		}
		known := slices.ContainsFunc([]page{pageDone, pageElsewhere}, func(p page) bool { return w.Body.String() == string(pages()[p]) })
		if !known || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Location") != "" {
			t.Fatalf("an answer of its own to %q", raw)
		}
	})
}

// Whatever a server says in words: what is shown of it has no character that a
// terminal obeys or a reader does not see, and is short.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J\x1b]0;x\x07", "a\r\n\tb", "\u202e\u2066\u200b\ufeff", "\u009b31m", "\xff\xfe", strings.Repeat("\x00", 400), "\U000e0041\u3164"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		for _, r := range got { // not by the tables of the code under test
			if r < ' ' || r >= 0x7f && r <= 0xa0 || r == 0xad || r == 0x61c || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e ||
				r >= 0x2060 && r <= 0x206f || r == 0xfeff || r >= 0xe0000 && r <= 0xe0fff {
				t.Fatalf("Clean(%q) = %q holds %U", s, got, r)
			}
		}
		if len(got) > 4*7*maxText { // the longest escape of a character, and spaces
			t.Fatalf("%d bytes of %d", len(got), len(s))
		}
		if strings.Contains(got, "  ") || got != strings.TrimSuffix(got, " ") {
			t.Fatalf("Clean(%q) = %q", s, got)
		}
	})
}

// fuzzKey is a fixed key, so that kept inputs keep their meaning.
func fuzzKey(f *testing.F) *ecdsa.PrivateKey {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte("oauthctl"), 4))
	if err != nil {
		f.Fatal(err)
	}
	return key
}

// Whatever a server signs: an ID token is accepted only if it is about this
// client, this server, this sign-in and this time. And what it has not signed is
// never accepted.
func FuzzIDToken(f *testing.F) {
	const issuer, client, nonce = "https://login.example", "client-1", "n-1"
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := `{"iss":"https://login.example","aud":"client-1","sub":"s","nonce":"n-1","iat":1772366400,"exp":1772370000}`
	for _, s := range []string{
		good, strings.Replace(good, `"client-1"`, `["client-1","other"]`, 1), strings.Replace(good, `"s"`, `""`, 1), strings.Replace(good, "1772370000", "1e400", 1),
		strings.Replace(good, `"n-1"`, `null`, 1), strings.Replace(good, `"iss"`, `"ISS"`, 1), good + "{}", `{}`, `[]`, ``,
	} {
		f.Add(s, "")
		f.Add(s, "AAAA")
	}
	key := fuzzKey(f)
	jwk := jose.JSONWebKey{Key: key, KeyID: "k", Algorithm: "ES256", Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jwk}, nil)
	if err != nil {
		f.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk.Public()}})
	if err != nil {
		f.Fatal(err)
	}
	keeper := NewHTTPClient(HTTPOptions{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(keys)
		return w.Result(), nil
	})})
	p := &party{Client: state.Client{Issuer: issuer, ClientID: client, JWKSURI: issuer + "/keys"}}
	env := Env{HTTP: keeper, Now: func() time.Time { return now }}
	f.Fuzz(func(t *testing.T, payload, signature string) {
		jws, err := signer.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if signature != "" {
			raw = raw[:strings.LastIndexByte(raw, '.')+1] + signature
		}
		who, err := p.verify(context.Background(), env, raw, nonce, "access")
		if err != nil {
			return
		}
		if signature != "" {
			if sig, derr := base64.RawURLEncoding.DecodeString(signature); derr != nil || !bytes.Equal(sig, jws.Signatures[0].Signature) {
				t.Fatalf("accepted with the signature %q", signature)
			}
		}
		var c map[string]any
		if json.Unmarshal([]byte(payload), &c) != nil {
			t.Fatalf("accepted %q", payload)
		}
		if who.Subject == "" || len(who.Subject) > maxSubject {
			t.Fatalf("accepted the subject %q", who.Subject)
		}
		folded := func(name string) (out []any) { // encoding/json does not look at case
			for k, v := range c {
				if strings.EqualFold(k, name) {
					out = append(out, v)
				}
			}
			return out
		}
		if !slices.Contains(folded("iss"), any(issuer)) || !slices.Contains(folded("nonce"), any(nonce)) || !strings.Contains(payload, client) {
			t.Fatalf("accepted %q", payload)
		}
		ahead := func(v any) bool { // a number, which go-oidc reads from a string too
			n, err := strconv.ParseFloat(fmt.Sprint(v), 64)
			return err == nil && n > float64(now.Add(-2*expiryLeeway).Unix())
		}
		if !slices.ContainsFunc(folded("exp"), ahead) {
			t.Fatalf("accepted when it has ended: %q", payload)
		}
	})
}

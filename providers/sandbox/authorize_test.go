package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
)

const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636 appendix B

// authorizeURL is a good request with changes: "-name" removes, "+name" repeats.
func authorizeURL(changes ...string) string {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "scope": {"files.read mail.read"},
		"state": {"st"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		name, value := changes[i], changes[i+1]
		switch name[0] {
		case '-':
			q.Del(name[1:])
		case '+':
			q.Add(name[1:], value)
		default:
			q.Set(name, value)
		}
	}
	return issuer + "/authorize?" + q.Encode()
}

func TestRequestsThatSendNobodyAnywhere(t *testing.T) {
	for name, changes := range map[string][]string{
		"no client":             {"-client_id", ""},
		"two clients":           {"+client_id", "other"},
		"no redirect URI":       {"-redirect_uri", ""},
		"two redirect URIs":     {"+redirect_uri", "https://evil.example/"},
		"relative":              {"redirect_uri", "/callback"},
		"fragment":              {"redirect_uri", "https://app.example/#x"},
		"empty fragment":        {"redirect_uri", "https://app.example/#"},
		"script":                {"redirect_uri", "javascript:alert(1)"},
		"data":                  {"redirect_uri", "data:text/html,x"},
		"user name":             {"redirect_uri", "https://me@app.example/"},
		"content policy escape": {"redirect_uri", "https://app.example;sandbox/"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, acme())
			resp := r.get(authorizeURL(changes...))
			if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
				t.Errorf("status %d, Location %q", resp.StatusCode, resp.Header.Get("Location"))
			}
			if _, err := r.s.Visit(t.Context(), authorizeURL(changes...), sandbox.Visitor{}); err == nil {
				t.Error("a visitor was sent somewhere")
			}
		})
	}
}

func TestRequestsThatAreRefusedByRedirect(t *testing.T) {
	preset := func(change func(*providers.Preset)) *providers.Preset {
		p := acme()
		if change != nil {
			change(p)
		}
		return p
	}
	required := func(p *providers.Preset) { p.PKCE = "required" }
	broken := func(p *providers.Preset) { p.PKCE = "broken" }
	commas := func(p *providers.Preset) { p.ScopeSeparator = "," }
	noCode := func(p *providers.Preset) { p.Grants = []string{"client_credentials"} }
	for name, tt := range map[string]struct {
		change  func(*providers.Preset)
		request []string
		want    string
	}{
		"no response type":       {nil, []string{"-response_type", ""}, "invalid_request"},
		"implicit":               {nil, []string{"response_type", "token"}, "unsupported_response_type"},
		"fragment mode":          {nil, []string{"response_mode", "fragment"}, "invalid_request"},
		"state twice":            {nil, []string{"+scope", "more"}, "invalid_request"},
		"plain PKCE":             {nil, []string{"code_challenge_method", "plain"}, "invalid_request"},
		"PKCE without method":    {nil, []string{"-code_challenge_method", ""}, "invalid_request"},
		"method without PKCE":    {nil, []string{"-code_challenge", ""}, "invalid_request"},
		"short challenge":        {nil, []string{"code_challenge", "abc"}, "invalid_request"},
		"PKCE required":          {required, []string{"-code_challenge", "", "-code_challenge_method", ""}, "invalid_request"},
		"PKCE breaks the server": {broken, nil, "invalid_request"},
		"request object":         {nil, []string{"request", "x"}, "request_not_supported"},
		"request object by URI":  {nil, []string{"request_uri", "x"}, "request_uri_not_supported"},
		"prompt=none":            {nil, []string{"prompt", "none"}, "login_required"},
		"prompt=none and more":   {nil, []string{"prompt", "none login"}, "invalid_request"},
		"scope with a quote":     {nil, []string{"scope", `a"b`}, "invalid_scope"},
		"spaces for commas":      {commas, []string{"scope", "a b"}, "invalid_scope"},
		"grant that is not here": {noCode, nil, "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, preset(tt.change))
			resp := r.get(authorizeURL(tt.request...))
			to, err := resp.Location()
			if err != nil || resp.StatusCode != http.StatusSeeOther {
				t.Fatalf("status %d, %v", resp.StatusCode, err)
			}
			q := to.Query()
			if q.Get("error") != tt.want || q.Get("state") != "st" || q.Get("iss") != issuer {
				t.Errorf("error %q, state %q, iss %q; want error %q", q.Get("error"), q.Get("state"), q.Get("iss"), tt.want)
			}
			if !strings.HasPrefix(to.String(), callback+"?") {
				t.Errorf("sent to %s", to)
			}
		})
	}
}

func TestRegisteredRedirectURIs(t *testing.T) {
	fixed := acme()
	fixed.Redirect.FixedPort = true
	https := acme()
	https.Redirect.HTTPS = true
	refused := acme()
	refused.Redirect.Refused = []string{"::1"}
	for name, tt := range map[string]struct {
		preset     *providers.Preset
		registered string
		sent       string
		ok         bool
	}{
		"the same":                        {acme(), "https://app.example/cb", "https://app.example/cb", true},
		"another path":                    {acme(), "https://app.example/cb", "https://app.example/cb/", false},
		"another query":                   {acme(), "https://app.example/cb", "https://app.example/cb?x=1", false},
		"another port":                    {acme(), "https://app.example/cb", "https://app.example:8443/cb", false},
		"loopback with any port":          {acme(), "http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", true},
		"IPv6 loopback with any port":     {acme(), "http://[::1]:1/cb", "http://[::1]:4711/cb", true},
		"loopback with another path":      {acme(), "http://127.0.0.1/cb", "http://127.0.0.1:4711/", false},
		"localhost is not 127.0.0.1":      {acme(), "http://127.0.0.1/cb", "http://localhost:4711/cb", false},
		"loopback where ports are fixed":  {fixed, "http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", false},
		"http where only https goes":      {https, "http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb", false},
		"a loopback host that is refused": {refused, "http://[::1]:1/cb", "http://[::1]:1/cb", false},
		"a private scheme":                {acme(), "com.example.app:/cb", "com.example.app:/cb", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.preset)
			err := r.s.Register(tt.preset, sandbox.Client{ID: "app", RedirectURIs: []string{tt.registered}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.s.Consent(t.Context(), authorizeURL("redirect_uri", tt.sent))
			if ok := err == nil && strings.HasPrefix(got, tt.sent); ok != tt.ok {
				t.Errorf("accepted %t, want %t (%v)", ok, tt.ok, err)
			}
		})
	}
}

func TestConsentAnswers(t *testing.T) {
	r := newRig(t, acme())
	t.Run("allow", func(t *testing.T) {
		q := r.consent(authorizeURL())
		if q.Get("code") == "" || q.Get("state") != "st" || q.Get("iss") != issuer {
			t.Errorf("code %t, state %q, iss %q", q.Has("code"), q.Get("state"), q.Get("iss"))
		}
	})
	t.Run("deny", func(t *testing.T) {
		to, err := r.s.Visit(t.Context(), authorizeURL(), sandbox.Visitor{Deny: true})
		if err != nil || !strings.Contains(to.URL, "error=access_denied") || strings.Contains(to.URL, "code=") {
			t.Errorf("%s, %v", to.URL, err)
		}
	})
	t.Run("allow, but nothing of it", func(t *testing.T) {
		_, page := r.do(http.MethodGet, authorizeURL(), nil)
		form := hidden(page["text"].(string))
		form.Set("account", "kim@sandbox.example")
		_, page = r.post(authorizeURL(), form)
		form = hidden(page["text"].(string))
		form.Set("decision", "allow")
		resp, err := r.http.PostForm(authorizeURL(), form)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if to := resp.Header.Get("Location"); !strings.Contains(to, "error=access_denied") {
			t.Errorf("sent to %s", to)
		}
	})
	t.Run("form_post", func(t *testing.T) {
		to, err := r.s.Visit(t.Context(), authorizeURL("response_mode", "form_post"), sandbox.Visitor{})
		if err != nil {
			t.Fatal(err)
		}
		if to.URL != callback || to.Form.Get("code") == "" || to.Form.Get("state") != "st" {
			t.Errorf("%s with %d fields", to.URL, len(to.Form))
		}
		req, err := to.Request(t.Context())
		if err != nil || req.Method != http.MethodPost || req.FormValue("state") != "st" {
			t.Errorf("the browser's request: %v, %v", req, err)
		}
		if !strings.HasPrefix(to.String(), callback+"?code=") {
			t.Errorf("to paste: %s", to)
		}
	})
	t.Run("the request may be posted", func(t *testing.T) {
		u, _ := url.Parse(authorizeURL())
		status, page := r.post(issuer+"/authorize", u.Query())
		if status != http.StatusOK || !strings.Contains(page["text"].(string), "Sign in") {
			t.Errorf("status %d", status)
		}
	})
	t.Run("query of the redirect URI is kept", func(t *testing.T) {
		to, err := r.s.Consent(t.Context(), authorizeURL("redirect_uri", "https://app.example/cb?a=1"))
		if err != nil || !strings.HasPrefix(to, "https://app.example/cb?a=1&code=") {
			t.Errorf("%s, %v", to, err)
		}
	})
	t.Run("no iss where the server sends none", func(t *testing.T) {
		p := acme()
		p.AuthorizationEndpoint, p.TokenEndpoint = issuer+"/authorize", issuer+"/token"
		q := newRig(t, p).consent(authorizeURL())
		if q.Has("iss") {
			t.Errorf("iss = %q", q.Get("iss"))
		}
	})
}

func TestWhoSignsIn(t *testing.T) {
	for name, tt := range map[string]struct {
		hint    string
		visitor sandbox.Visitor
		want    string
	}{
		"the person of the options": {"", sandbox.Visitor{}, "sam@sandbox.example"},
		"the hint":                  {"alice@contoso.com", sandbox.Visitor{}, "alice@contoso.com"},
		"the visitor":               {"alice@contoso.com", sandbox.Visitor{Account: "bob@contoso.com"}, "bob@contoso.com"},
		"a hint that is no account": {"alice\x00@contoso.com", sandbox.Visitor{}, "sam@sandbox.example"},
		"a known person":            {"KIM@sandbox.example", sandbox.Visitor{}, "kim@sandbox.example"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, acme())
			to, err := r.s.Visit(t.Context(), authorizeURL("login_hint", tt.hint), tt.visitor)
			if err != nil {
				t.Fatal(err)
			}
			u, _ := url.Parse(to.URL)
			status, tok := r.exchange(u.Query().Get("code"))
			if status != http.StatusOK {
				t.Fatalf("%d %v", status, tok["error_description"])
			}
			_, who := r.do(http.MethodGet, issuer+"/userinfo", nil, "Authorization", "Bearer "+tok["access_token"].(string))
			if who["email"] != tt.want || who["preferred_username"] != tt.want || who["sub"] == "" || who["name"] == "" {
				t.Errorf("signed in: %v, want %s", who, tt.want)
			}
		})
	}
}

package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
)

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B

// get fetches a page and closes it.
func (r *rig) get(address string) *http.Response {
	r.t.Helper()
	resp, err := r.http.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// exchange redeems a code of authorizeURL.
func (r *rig) exchange(code string, changes ...string) (int, map[string]any) {
	r.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {"app"}, "client_secret": {"hush"},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Del(changes[i])
		if changes[i+1] != "" {
			form.Set(changes[i], changes[i+1])
		}
	}
	return r.post(issuer+"/token", form)
}

func TestCodesThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		authorize []string
		changes   []string
		wait      time.Duration
		want      string
	}{
		"unknown code":                 {nil, []string{"code", "x"}, 0, "invalid_grant"},
		"no code":                      {nil, []string{"code", ""}, 0, "invalid_grant"},
		"another client":               {nil, []string{"client_id", "other"}, 0, "invalid_grant"},
		"another redirect URI":         {nil, []string{"redirect_uri", callback + "/"}, 0, "invalid_grant"},
		"no redirect URI":              {nil, []string{"redirect_uri", ""}, 0, "invalid_grant"},
		"no verifier":                  {nil, []string{"code_verifier", ""}, 0, "invalid_grant"},
		"wrong verifier":               {nil, []string{"code_verifier", strings.Repeat("x", 43)}, 0, "invalid_grant"},
		"short verifier":               {nil, []string{"code_verifier", "x"}, 0, "invalid_grant"},
		"verifier without challenge":   {[]string{"-code_challenge", "", "-code_challenge_method", ""}, nil, 0, "invalid_grant"},
		"after its end":                {nil, nil, 10 * time.Minute, "invalid_grant"},
		"no grant type":                {nil, []string{"grant_type", ""}, 0, "invalid_request"},
		"a grant type that is unknown": {nil, []string{"grant_type", "password"}, 0, "unsupported_grant_type"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, acme())
			code := r.consent(authorizeURL(tt.authorize...)).Get("code")
			r.clock.Add(tt.wait)
			status, got := r.exchange(code, tt.changes...)
			if status != http.StatusBadRequest || got["error"] != tt.want || got["access_token"] != nil {
				t.Errorf("%d %v, want %s", status, got["error"], tt.want)
			}
		})
	}
}

func TestReplayedCodeRevokesItsTokens(t *testing.T) {
	r := newRig(t, acme())
	code := r.consent(authorizeURL()).Get("code")
	_, tok := r.exchange(code)
	if status, got := r.exchange(code); status != 400 || got["error"] != "invalid_grant" {
		t.Fatalf("replay: %d %v", status, got["error"])
	}
	if status, _ := r.refresh(tok["refresh_token"].(string)); status != 400 {
		t.Errorf("the refresh token still works: %d", status)
	}
	if status, _ := r.do(http.MethodGet, issuer+"/userinfo", nil, "Authorization", "Bearer "+tok["access_token"].(string)); status != 401 {
		t.Errorf("the access token still works: %d", status)
	}
	if st := r.stats(); st.CodeReuses != 1 || st.LiveRefresh != 0 || st.LiveAccess != 0 {
		t.Errorf("%+v", st)
	}
}

// basic is an Authorization header.
func basic(id, secret string) []string {
	req, _ := http.NewRequest(http.MethodGet, "/", nil)
	req.SetBasicAuth(id, secret)
	return []string{"Authorization", req.Header.Get("Authorization")}
}

func TestClientAuthentication(t *testing.T) {
	only := func(methods ...string) *providers.Preset {
		p := acme()
		p.ClientAuth = methods
		return p
	}
	all := only()
	form := func(kv ...string) url.Values {
		f := url.Values{"grant_type": {"client_credentials"}}
		for i := 0; i < len(kv); i += 2 {
			f.Add(kv[i], kv[i+1])
		}
		return f
	}
	for name, tt := range map[string]struct {
		preset *providers.Preset
		form   url.Values
		header []string
		want   string // error; "" is success
	}{
		"basic":                         {all, form(), basic("app", "hush"), ""},
		"basic, form-encoded":           {all, form(), basic("ap%2Bp", "hu%20sh"), ""},
		"basic, not form-encoded":       {all, form(), basic("app", "100%"), "invalid_client"},
		"post":                          {all, form("client_id", "app", "client_secret", "hush"), nil, ""},
		"both":                          {all, form("client_id", "app", "client_secret", "hush"), basic("app", "hush"), "invalid_request"},
		"two ids":                       {all, form("client_id", "other"), basic("app", "hush"), "invalid_client"},
		"bearer":                        {all, form(), []string{"Authorization", "Bearer x"}, "invalid_client"},
		"nothing":                       {all, form(), nil, "invalid_client"},
		"empty secret":                  {all, form("client_id", "app", "client_secret", ""), nil, "invalid_client"},
		"public client":                 {all, form("client_id", "app"), nil, "unauthorized_client"},
		"assertion":                     {all, form("client_id", "app", "client_assertion", "x"), nil, "invalid_client"},
		"repeated parameter":            {all, form("client_id", "app", "client_secret", "hush", "scope", "a", "scope", "b"), nil, "invalid_request"},
		"basic where only post goes":    {only("client_secret_post"), form(), basic("app", "hush"), "invalid_client"},
		"post where only basic goes":    {only("client_secret_basic"), form("client_id", "app", "client_secret", "hush"), nil, "invalid_client"},
		"none where a secret is a must": {only("client_secret_post"), form("client_id", "app"), nil, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.preset)
			status, got := r.post(issuer+"/token", tt.form, tt.header...)
			code, _ := got["error"].(string)
			want := map[string]int{"": 200, "invalid_client": 401}[tt.want]
			if want == 0 {
				want = 400
			}
			if code != tt.want || status != want {
				t.Errorf("%d %q, want %d %q", status, code, want, tt.want)
			}
		})
	}
}

func TestSecretsAreLearnedAndCompared(t *testing.T) {
	credentials := func(secret string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {secret}}
	}
	t.Run("a registered client has one secret", func(t *testing.T) {
		r := newRig(t, acme())
		if err := r.s.Register(acme(), sandbox.Client{ID: "app", Secret: "hush"}); err != nil {
			t.Fatal(err)
		}
		if status, _ := r.post(issuer+"/token", credentials("hush")); status != 200 {
			t.Errorf("its secret: %d", status)
		}
		if status, got := r.post(issuer+"/token", credentials("wrong")); status != 401 || got["error"] != "invalid_client" {
			t.Errorf("another: %d %v", status, got["error"])
		}
	})
	t.Run("a learned client may get a new secret with a new grant, not with a refresh", func(t *testing.T) {
		r := newRig(t, acme())
		tok := r.authorize()
		status, got := r.post(issuer+"/token", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}, "client_id": {"app"}, "client_secret": {"wrong"},
		})
		if status != 401 || got["error"] != "invalid_client" {
			t.Errorf("refresh with a wrong secret: %d %v", status, got["error"])
		}
		if status, _ := r.post(issuer+"/token", credentials("new")); status != 200 {
			t.Errorf("a new grant with a new secret: %d", status)
		}
		if status, _ := r.refresh(tok.RefreshToken); status != 200 {
			t.Errorf("refresh with the old secret: %d", status)
		}
	})
	t.Run("the plain issuer keeps the first one", func(t *testing.T) {
		base, r := newPlain(t)
		if status, _ := r.post(base+"/token", credentials("first")); status != 200 {
			t.Errorf("the first: %d", status)
		}
		if status, got := r.post(base+"/token", credentials("second")); status != 401 || got["error"] != "invalid_client" {
			t.Errorf("the second: %d %v", status, got["error"])
		}
	})
}

func TestTokenEndpointManners(t *testing.T) {
	r := newRig(t, acme())
	if status, _ := r.do(http.MethodGet, issuer+"/token", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
	if status, got := r.do(http.MethodPost, issuer+"/token", strings.NewReader(`{"grant_type":"x"}`), "Content-Type", "application/json"); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("JSON: %d %v", status, got["error"])
	}
	if status, got := r.post(issuer+"/token", url.Values{"x": {strings.Repeat("x", 100_000)}}); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("100 kB: %d %v", status, got["error"])
	}
	resp, err := r.http.PostForm(issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"a"}, "client_secret": {"b"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers: %v", resp.Header)
	}
}

func TestWhenRefreshTokensAreGiven(t *testing.T) {
	scope := acme()
	scope.OfflineScope = "offline_access"
	params := acme()
	params.OfflineParams = map[string]string{"access_type": "offline", "prompt": "consent"}
	never := acme()
	never.Grants = []string{"authorization_code"}
	for name, tt := range map[string]struct {
		preset  *providers.Preset
		request []string
		want    bool
	}{
		"always":                       {acme(), nil, true},
		"without the scope":            {scope, nil, false},
		"with the scope":               {scope, []string{"scope", "files.read offline_access"}, true},
		"without the parameters":       {params, nil, false},
		"with one parameter":           {params, []string{"access_type", "offline"}, false},
		"with the parameters":          {params, []string{"access_type", "offline", "prompt", "select_account consent"}, true},
		"where there is no such grant": {never, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.preset)
			_, got := r.exchange(r.consent(authorizeURL(tt.request...)).Get("code"))
			if (got["refresh_token"] != nil) != tt.want {
				t.Errorf("refresh token %t, want %t (%v)", got["refresh_token"] != nil, tt.want, got["error_description"])
			}
			if _, ends := got["expires_in"]; ends == (tt.preset == never) {
				t.Errorf("expires_in is there: %t", ends)
			}
		})
	}
}

func TestRevocation(t *testing.T) {
	r := newRig(t, acme())
	revoke := func(token, client string) (int, map[string]any) {
		return r.post(issuer+"/revoke", url.Values{"token": {token}, "client_id": {client}, "client_secret": {"hush"}})
	}
	tok := r.authorize()
	if status, got := revoke(tok.RefreshToken, "other"); status == 200 {
		t.Errorf("by another client: %d %v", status, got)
	}
	if status, _ := revoke("unknown", "app"); status != 200 {
		t.Errorf("an unknown token: %d", status)
	}
	if status, got := revoke("", "app"); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("no token: %d", status)
	}
	if status, _ := revoke(tok.AccessToken, "app"); status != 200 {
		t.Errorf("the access token: %d", status)
	}
	if status, got := r.refresh(tok.RefreshToken); status != 200 {
		t.Errorf("the refresh token outlives the access token: %d %v", status, got["error"])
	} else if status, _ := revoke(got["refresh_token"].(string), "app"); status != 200 {
		t.Errorf("the refresh token: %d", status)
	}
	if st := r.stats(); st.LiveRefresh != 0 || st.LiveAccess != 0 || st.Revocations != 2 {
		t.Errorf("%+v", st)
	}
}

func TestIntrospection(t *testing.T) {
	r := newRig(t, acme())
	look := func(token, client string) map[string]any {
		_, got := r.post(issuer+"/introspect", url.Values{"token": {token}, "client_id": {client}, "client_secret": {"hush"}})
		return got
	}
	tok := r.authorize()
	if got := look(tok.AccessToken, "app"); got["active"] != true || got["scope"] != "files.read mail.read" ||
		got["username"] != "sam@sandbox.example" || got["client_id"] != "app" || got["iss"] != issuer {
		t.Errorf("access token: %v", got)
	}
	if got := look(tok.RefreshToken, "app"); got["active"] != true || got["token_type"] != "refresh_token" {
		t.Errorf("refresh token: %v", got)
	}
	for name, got := range map[string]map[string]any{"another client": look(tok.AccessToken, "other"), "unknown": look("x", "app")} {
		if len(got) != 1 || got["active"] != false {
			t.Errorf("%s learns: %v", name, got)
		}
	}
	r.clock.Add(time.Hour)
	if got := look(tok.AccessToken, "app"); got["active"] != false {
		t.Errorf("after an hour: %v", got)
	}
	if status, got := r.post(issuer+"/introspect", url.Values{"token": {tok.AccessToken}, "client_id": {"nobody"}}); status != 401 {
		t.Errorf("without a secret: %d %v", status, got)
	}
}

func TestUserinfoRefuses(t *testing.T) {
	r := newRig(t, acme())
	_, machine := r.post(issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"m"}, "client_secret": {"x"}})
	for name, header := range map[string]string{
		"no token": "", "another scheme": "Basic x", "unknown": "Bearer x",
		"a machine": "Bearer " + machine["access_token"].(string),
	} {
		if status, got := r.do(http.MethodGet, issuer+"/userinfo", nil, "Authorization", header); status != 401 {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
}

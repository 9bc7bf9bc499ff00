package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// TestEveryPresetIsImitated mounts the whole catalogue in one server and walks
// the code flow at each, in the manner that the preset prescribes.
func TestEveryPresetIsImitated(t *testing.T) {
	r := newRig(t, acme())
	cat := providers.New()
	for _, entry := range cat.List() {
		t.Run(entry.Name, func(t *testing.T) {
			conn := &schema.Connection{Addr: addr.Connection("x"), Provider: entry.Name, ClientID: "app", Args: map[string]schema.Arg{}}
			for _, a := range entry.Arguments {
				if a.Example != "" {
					conn.Args[a.Name] = schema.Arg{Value: cty.StringVal(a.Example)}
				}
			}
			p, diags := cat.Resolve(&schema.Config{}, conn)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if err := r.s.Mount(p); err != nil {
				t.Fatal(err)
			}
			if p.Supports("authorization_code") {
				r.walkPreset(t, p)
			}
		})
	}
}

func (r *rig) walkPreset(t *testing.T, p *providers.Preset) {
	t.Helper()
	scopes := []string{"one", "two"}
	if p.OfflineScope != "" {
		scopes = append(scopes, p.OfflineScope)
	}
	separator := p.ScopeSeparator
	if separator == "" {
		separator = " "
	}
	const back = "https://app.example/callback"
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {back}, "state": {"st"},
		"scope": {strings.Join(scopes, separator)},
	}
	for name, value := range p.OfflineParams {
		q.Set(name, value)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {back}, "client_id": {"app"}}
	if slices.Contains(p.Quirks, "realm_principals") { // which tells client and resource with the realm
		realm := strings.Split(p.TokenEndpoint, "/")[3]
		site, _ := url.Parse(p.Args["site_url"])
		q.Set("scope", "Web.Read")
		form.Set("client_id", "app@"+realm)
		form.Set("resource", "00000003-0000-0ff1-ce00-000000000000/"+site.Host+"@"+realm)
	}
	if p.PKCE != "broken" {
		q.Set("code_challenge", challenge)
		q.Set("code_challenge_method", "S256")
		form.Set("code_verifier", verifier)
	}
	authorize := p.AuthorizationEndpoint
	if authorize == "" {
		authorize = strings.TrimSuffix(p.Issuer, "/") + "/authorize"
	}
	to, err := r.s.Visit(t.Context(), authorize+"?"+q.Encode(), sandbox.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(to.URL)
	if u.Query().Has("iss") != p.RequireIss {
		t.Errorf("iss is sent: %t, the preset says %t", u.Query().Has("iss"), p.RequireIss)
	}
	form.Set("code", u.Query().Get("code"))
	header := []string{"Accept", "application/json"}
	if slices.Contains(p.ClientAuth, "client_secret_post") {
		form.Set("client_secret", "hush")
	} else {
		header = append(header, basic("app", "hush")...)
	}
	status, got := r.post(p.TokenEndpoint, form, header...)
	if slices.Contains(p.Quirks, "json_request") { // and forms are refused
		if status != http.StatusBadRequest {
			t.Errorf("a form: %d %v", status, got)
		}
		object := map[string]string{}
		for name := range form {
			object[name] = form.Get(name)
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		status, got = r.do(http.MethodPost, p.TokenEndpoint, bytes.NewReader(text), append(header, "Content-Type", "application/json")...)
	}
	if status != http.StatusOK || got["access_token"] == nil {
		t.Fatalf("%d %v", status, got)
	}
	if has := got["refresh_token"] != nil; has != p.Supports("refresh_token") {
		t.Errorf("refresh token: %t, the preset says %t", has, p.Supports("refresh_token"))
	}
}

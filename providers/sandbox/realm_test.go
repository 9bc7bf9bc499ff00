package sandbox_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

const (
	farmBack = "https://contoso.example/RedirectAccept.aspx"
	farmACS  = "https://accounts.accesscontrol.windows.net"
)

// mountSite imitates a site of a farm.
func (r *rig) mountSite(site string) {
	r.t.Helper()
	conn := &schema.Connection{Addr: addr.Connection("x"), Provider: "sharepoint", ClientID: "app", Args: map[string]schema.Arg{"site_url": {Value: cty.StringVal(site)}}}
	p, diags := providers.New().Resolve(&schema.Config{}, conn)
	if diags.HasErrors() {
		r.t.Fatal(diags)
	}
	if err := r.s.Mount(p); err != nil {
		r.t.Fatal(err)
	}
}

// ask makes a GET request without following anything.
func (r *rig) ask(target string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.s.Transport().RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// realmOf is the realm in a site's challenge, which stands among others.
func (r *rig) realmOf(site string) string {
	r.t.Helper()
	resp := r.ask(site + "/_vti_bin/client.svc")
	list := resp.Header.Values("WWW-Authenticate")
	if resp.StatusCode != http.StatusUnauthorized || len(list) < 2 {
		r.t.Fatalf("HTTP %d, %q", resp.StatusCode, list)
	}
	_, rest, _ := strings.Cut(strings.Join(list, " "), `Bearer realm="`)
	realm, rest, _ := strings.Cut(rest, `"`)
	if len(realm) != 36 || !strings.Contains(rest, `client_id="00000003-0000-0ff1-ce00-000000000000"`) {
		r.t.Fatalf("%q", list)
	}
	return realm
}

// consentAt walks the consent page of a site and returns the answer's parameters.
func (r *rig) consentAt(site, scopes string, more url.Values) (url.Values, error) {
	q := url.Values{"client_id": {"app"}, "redirect_uri": {farmBack}, "response_type": {"code"}, "scope": {scopes}}
	for k, v := range more {
		q[k] = v
	}
	to, err := r.s.Visit(r.t.Context(), site+"/_layouts/15/OAuthAuthorize.aspx?"+q.Encode(), sandbox.Visitor{Deny: more.Has("deny")})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(to.URL)
	if err != nil {
		return nil, err
	}
	return u.Query(), nil
}

// Sites of one host are one farm with one realm; another host is another farm.
func TestFarmRealms(t *testing.T) {
	r := newRig(t, acme())
	const a, b, c = "https://sp.example/a", "https://sp.example/b", "https://other.example"
	for _, site := range []string{a, b, c, a} {
		r.mountSite(site)
	}
	if r.realmOf(a) != r.realmOf(b) || r.realmOf(a) == r.realmOf(c) {
		t.Error("realms do not follow the hosts")
	}
	for target, want := range map[string]int{
		farmACS + "/metadata/json/1":                                                     200,
		farmACS + "/metadata/json/1?realm=" + r.realmOf(a):                               200,
		farmACS + "/metadata/json/1?realm=" + strings.ToUpper(r.realmOf(c)):              200,
		farmACS + "/metadata/json/1?realm=00000000-0000-0000-0000-000000000000":          400,
		farmACS + "/00000000-0000-0000-0000-000000000000/tokens/OAuth/2":                 400,
		"https://sp.example/c/_vti_bin/client.svc":                                       404,
		a + "/_layouts/15/OAuthAuthorize.aspx":                                           400,
		a + "/_layouts/15/OAuthAuthorize.aspx?client_id=app&redirect_uri=http%3A%2F%2Fx": 400,
	} {
		if got := r.ask(target).StatusCode; got != want {
			t.Errorf("%s: HTTP %d, want %d", target, got, want)
		}
	}
}

// The page: with and without IsDlg, unknown scopes ignored, FullControl refused,
// all or nothing, no state handed back.
func TestFarmConsent(t *testing.T) {
	r := newRig(t, acme())
	const site = "https://sp.example/print"
	r.mountSite(site)
	for _, more := range []url.Values{nil, {"IsDlg": {"1"}}, {"state": {"abc"}}} {
		got, err := r.consentAt(site, "web.read Nonsense.Read List.Write", more)
		if err != nil || got.Get("code") == "" || len(got) != 1 {
			t.Errorf("%v: answered %v, %v", more, got, err)
		}
	}
	for _, scopes := range []string{"Web.FullControl", "List.Read web.fullcontrol", "Nonsense.Read", ""} {
		if got, err := r.consentAt(site, scopes, nil); err == nil {
			t.Errorf("%q was answered: %v", scopes, got)
		}
	}
	if got, err := r.consentAt(site, "Web.Read", url.Values{"deny": {"1"}}); err != nil || got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("a denial: %v, %v", got, err)
	}
}

// The token endpoint: who asks, for what, and that every value is a string.
func TestFarmTokens(t *testing.T) {
	r := newRig(t, acme())
	const site = "https://sp.example:8443/print"
	r.mountSite(site)
	realm := r.realmOf(site)
	endpoint, resource := farmACS+"/"+realm+"/tokens/OAuth/2", "00000003-0000-0ff1-ce00-000000000000/sp.example:8443@"+realm
	form := func(change func(url.Values)) url.Values {
		answer, err := r.consentAt(site, "Web.Read", nil)
		if err != nil {
			t.Fatal(err)
		}
		f := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"app@" + realm}, "client_secret": {"a+b/c="},
			"code": {answer.Get("code")}, "redirect_uri": {farmBack}, "resource": {resource},
		}
		if change != nil {
			change(f)
		}
		return f
	}
	status, got := r.post(endpoint, form(nil))
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, got)
	}
	for name, v := range got {
		if _, ok := v.(string); !ok {
			t.Errorf("%s is no string: %v", name, v)
		}
	}
	until, _ := strconv.ParseInt(got["expires_on"].(string), 10, 64)
	from, _ := strconv.ParseInt(got["not_before"].(string), 10, 64)
	if got["expires_in"] != "43200" || until-from != 43200 || got["resource"] != resource || got["scope"] != nil || got["refresh_token"] == "" {
		t.Errorf("%v", got)
	}

	for name, c := range map[string]struct {
		change func(url.Values)
		wait   time.Duration
		want   string
	}{
		"without realm":    {change: func(f url.Values) { f.Set("client_id", "app") }, want: "AADSTS700016"},
		"without resource": {change: func(f url.Values) { f.Del("resource") }, want: "AADSTS500011"},
		"another host":     {change: func(f url.Values) { f.Set("resource", strings.Replace(resource, ":8443", "", 1)) }, want: "AADSTS500011"},
		"late":             {wait: 5 * time.Minute, want: "AADSTS70008"},
		"another redirect": {change: func(f url.Values) { f.Set("redirect_uri", farmBack+"/") }, want: "AADSTS50011"},
	} {
		f := form(c.change)
		r.clock.Add(c.wait)
		status, got := r.post(endpoint, f)
		text, _ := got["error_description"].(string)
		if status < 400 || !strings.HasPrefix(text, c.want+": ") || got["error_codes"] == nil {
			t.Errorf("%s: %d %v, want %s", name, status, got, c.want)
		}
	}
}

package quirk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

const (
	principal = "00000003-0000-0ff1-ce00-000000000000"
	guid      = "5a4db0c5-1111-4222-8333-9ee4cbd0a1f7"
	other     = "00000000-aaaa-4bbb-8ccc-dddddddddddd"
)

// farm answers at the site and at the token service.
type farm struct {
	status   int
	location string
	headers  []string // WWW-Authenticate
	service  int
	document string
	err      error
	asked    []*http.Request
}

func (f *farm) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked = append(f.asked, r)
	if f.err != nil {
		return nil, f.err
	}
	resp := &http.Response{StatusCode: f.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
	if strings.HasPrefix(r.URL.Path, "/metadata/") {
		resp.StatusCode, resp.Body = f.service, io.NopCloser(strings.NewReader(f.document))
		return resp, nil
	}
	for _, h := range f.headers {
		resp.Header.Add("WWW-Authenticate", h)
	}
	if f.location != "" {
		resp.Header.Set("Location", f.location)
	}
	return resp, nil
}

func (f *farm) locate(t testing.TB, args map[string]string) (string, error) {
	t.Helper()
	e := quirk.Endpoints{Args: args}
	client := &http.Client{Transport: f, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	err := quirk.Locate(t.Context(), []string{"realm_challenge"}, client, &e)
	return e.Token, err
}

func document(host, realm string) string {
	return `{"keys":[],"endpoints":[{"location":"https://` + host + `/` + realm + `/tokens/delegation/1","protocol":"DelegationIssuance1.0","usage":"issuance"},` +
		`{"location":"https://` + host + `/` + realm + `/tokens/OAuth/2","protocol":"OAuth2","usage":"issuance"}]}`
}

const (
	global = "accounts.accesscontrol.windows.net"
	site   = "https://sharepoint.fabrikam.example/print"
	own    = `Bearer realm="` + guid + `",client_id="` + principal + `",trusted_issuers="00000001-0000-0000-c000-000000000000@*,D3776938-3DBA-481F-A652-4BEDFCAB7CD8@*"`
)

// The realm is found among whatever other challenges there are (RFC 9110 §11.6.1).
func TestRealmAmongChallenges(t *testing.T) {
	for _, headers := range [][]string{
		{own},
		{"NTLM", "Negotiate", own},
		{own, "NTLM"},
		{"NTLM, Negotiate, " + own},
		{own + ", NTLM"},
		{"Negotiate YII=, NTLM TlRMTVNTUAACAAAA/w+a, " + own},
		{`Basic realm="a \"quoted\", Bearer realm=\"` + other + `\"", ` + own},
		{`bearer client_id=` + principal + ` , Realm = "` + strings.ToUpper(guid) + `"`},
		{",,, ," + own + ",,"},
		{`Digest realm="` + other + `", nonce="x", qop="auth", ` + own},
		{`Bearer realm="` + other + `",client_id="somebody-else"`, own},
		{`Bearer realm="` + guid + `"`},
		{`Bearer realm="` + guid + `"`, `Bearer error="invalid_token"`},
		{`Negotiate` + "\t" + `, Bearer realm="` + guid + `"`},
	} {
		f := &farm{status: 401, headers: headers, service: 200, document: document(global, guid)}
		got, err := f.locate(t, map[string]string{"site_url": site + "/"})
		if want := "https://" + global + "/" + guid + "/tokens/OAuth/2"; err != nil || got != want {
			t.Errorf("%q: %q, %v", headers, got, err)
			continue
		}
		ask, doc := f.asked[0], f.asked[1]
		if ask.Method != http.MethodGet || ask.URL.String() != site+"/_vti_bin/client.svc" || ask.Header.Get("Authorization") != "Bearer " {
			t.Errorf("asked the site by %s %s %q", ask.Method, ask.URL, ask.Header)
		}
		if doc.URL.String() != "https://"+global+"/metadata/json/1?realm="+guid || doc.Header.Get("Authorization") != "" {
			t.Errorf("asked the service by %s %q", doc.URL, doc.Header)
		}
	}
}

// The service is that of the cloud; a realm that is given needs no question.
func TestRealmService(t *testing.T) {
	const china = "accounts.accesscontrol.chinacloudapi.cn"
	for _, c := range []struct{ site, cloud, want string }{
		{"https://portal.fabrikam.example", "auto", global},
		{"https://portal.fabrikam.cn:8443/x", "auto", china},
		{"https://portal.fabrikam.cn", "public", global},
		{"https://portal.fabrikam.example/site.cn", "auto", global},
		{"https://portal.fabrikam.example", "china", china},
	} {
		f := &farm{status: 401, headers: []string{own}, service: 200, document: document(c.want, guid)}
		if got, err := f.locate(t, map[string]string{"site_url": c.site, "cloud": c.cloud}); err != nil || !strings.HasPrefix(got, "https://"+c.want+"/") {
			t.Errorf("%s, %s: %q, %v", c.site, c.cloud, got, err)
		}
	}
	f := &farm{err: errors.New("asked")}
	e := quirk.Endpoints{Token: "https://" + global + "/" + guid + "/tokens/OAuth/2"}
	if err := quirk.Locate(t.Context(), []string{"realm_challenge"}, &http.Client{Transport: f}, &e); err != nil || len(f.asked) > 0 {
		t.Errorf("asked all the same: %v", err)
	}
}

// Whatever is wrong is said, with what to do; nothing is believed that does not fit.
func TestRealmNotFound(t *testing.T) {
	for _, c := range []struct {
		name      string
		farm      farm
		want      string
		temporary bool
	}{
		{"a farm without ACS", farm{status: 401, headers: []string{"NTLM", "Negotiate"}}, "not connected to ACS: it names no realm, and offers only NTLM, Negotiate", false},
		{"no challenge at all", farm{status: 401}, "offers only nothing", false},
		{"a realm that is none", farm{status: 401, headers: []string{`Bearer realm="*"`}}, "offers only Bearer without a realm", false},
		{"a realm with more behind it", farm{status: 401, headers: []string{`Bearer realm="` + guid + `/../x"`}}, "names no realm", false},
		{"the realm twice in one challenge", farm{status: 401, headers: []string{`Bearer realm="` + guid + `", realm="` + other + `"`}}, "names no realm", false},
		{"two realms", farm{status: 401, headers: []string{`Bearer realm="` + guid + `"`, `Bearer realm="` + other + `"`}}, "several realms", false},
		{"no SharePoint", farm{status: 404}, "no SharePoint site at this address", false},
		{"anonymous", farm{status: 200}, "no demand for a token", false},
		{"somewhere else", farm{status: 302, location: "https://login.evil.example/x?y=z"}, "sends elsewhere, to https://login.evil.example", false},
		{"busy", farm{status: 503}, "cannot answer now", true},
		{"no network", farm{err: errors.New("no route")}, "no route", true},
		{"unknown to ACS", farm{status: 401, headers: []string{own}, service: 400, document: `{"error":"invalid_request"}`}, "does not know the realm " + guid, false},
		{"ACS busy", farm{status: 401, headers: []string{own}, service: 502}, "cannot answer now", true},
		{"no document", farm{status: 401, headers: []string{own}, service: 200, document: "<html>"}, "no metadata document", false},
		{"without OAuth 2", farm{status: 401, headers: []string{own}, service: 200, document: `{"endpoints":[{"location":"https://x","protocol":"WS-Trust"}]}`}, "no endpoint of the protocol OAuth2", false},
		{"an endpoint elsewhere", farm{status: 401, headers: []string{own}, service: 200, document: document("accounts.evil.example", guid)}, "not one of ACS", false},
		{"an endpoint of another realm", farm{status: 401, headers: []string{own}, service: 200, document: document(global, other)}, "not one of ACS", false},
		{"plain http", farm{status: 401, headers: []string{own}, service: 200, document: strings.ReplaceAll(document(global, guid), "https:", "http:")}, "not one of ACS", false},
	} {
		got, err := c.farm.locate(t, map[string]string{"site_url": site})
		var e *quirk.LocateError
		if got != "" || !errors.As(err, &e) || !strings.Contains(e.Detail, c.want) || e.Temporary != c.temporary || e.Remedy == "" || e.Doing == "" {
			t.Errorf("%s: %q, %+v", c.name, got, err)
		}
	}
	f := farm{err: context.Canceled}
	if _, err := f.locate(t, map[string]string{"site_url": site}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interruption became %v", err)
	}
}

// Whatever a server writes in its headers and its document, what is found is an
// endpoint of the service, in a realm that is a GUID.
func FuzzRealm(f *testing.F) {
	f.Add(own, document(global, guid))
	f.Add("NTLM TlRMTVNTUAACAAAA==, "+own, "")
	f.Add("Bearer realm=\"\\", `{"endpoints":[{"location":"//x","protocol":"oauth2"}]}`)
	f.Add("Bearer realm=\""+guid+"\", =,,=\x00", document(global, "%00"))
	f.Fuzz(func(t *testing.T, header, doc string) {
		farm := &farm{status: 401, headers: strings.Split(header, "\n"), service: 200, document: doc}
		got, err := farm.locate(t, map[string]string{"site_url": site})
		if (err == nil) == (got == "") {
			t.Fatalf("%q, %v", got, err)
		}
		if err == nil && (!strings.HasPrefix(got, "https://"+global+"/") || strings.ContainsAny(got, "@?# \n")) {
			t.Errorf("found %q", got)
		}
	})
}

// Client and resource are told with the realm of the endpoint, once, in POST
// requests to an endpoint of a realm.
func TestPrincipalsWithRealm(t *testing.T) {
	for _, c := range []struct{ url, body, want string }{
		{"https://" + global + "/" + guid + "/tokens/OAuth/2", "client_id=app&client_secret=a%2Bb%2Fc%3D&grant_type=refresh_token&resource=" + principal + "%2Fhost%3A8443",
			"client_id=app%40" + guid + "&client_secret=a%2Bb%2Fc%3D&grant_type=refresh_token&resource=" + principal + "%2Fhost%3A8443%40" + guid},
		{"https://" + global + "/" + guid + "/tokens/OAuth/2", "client_id=app%40x&resource=r%40x", "client_id=app%40x&resource=r%40x"},
		{"https://" + global + "/" + guid + "/tokens/OAuth/2", "grant_type=refresh_token", "grant_type=refresh_token"},
		{"https://login.acme.example/token", "client_id=app", "client_id=app"},
	} {
		s := &server{status: 200, answer: "{}"}
		rt, err := quirk.Wrap([]string{"realm_principals"}, s)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if s.body != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, s.body, c.want)
		}
	}
}

// Seconds since 1970, as strings, become a lifetime where there is none.
func TestEpochLifetime(t *testing.T) {
	for in, want := range map[string]string{
		`{"expires_in":"43199","not_before":"1","expires_on":"9"}`:        `{"expires_in":"43199","not_before":"1","expires_on":"9"}`,
		`{"not_before":"1700000000","expires_on":"1700043200"}`:           `{"expires_in":43200,"expires_on":"1700043200","not_before":"1700000000"}`,
		`{"not_before":1700000000,"expires_on":1700043200}`:               `{"expires_in":43200,"expires_on":1700043200,"not_before":1700000000}`,
		`{"expires_on":"1700043200"}`:                                     `{"expires_on":"1700043200"}`,
		`{"not_before":"9","expires_on":"8"}`:                             `{"not_before":"9","expires_on":"8"}`,
		`{"not_before":"soon","expires_on":"99999999999999999999999999"}`: `{"not_before":"soon","expires_on":"99999999999999999999999999"}`,
	} {
		if _, got := send(t, []string{"epoch_lifetime"}, &server{status: 200, answer: in}, http.MethodPost, "a=b"); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

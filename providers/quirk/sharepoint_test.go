package quirk_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
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

// prepare is what becomes of scopes, and what is wrong with them.
func prepare(scopes ...string) (*quirk.Draft, string) {
	d := &quirk.Draft{
		Server: "SharePoint", Grant: "authorization_code", Interactive: true, ClientID: "app", Scopes: scopes,
		Args: map[string]string{"site_url": site}, Token: map[string]string{},
	}
	var b strings.Builder
	for _, f := range quirk.Prepare([]string{"realm_challenge", "scope_aliases", "no_state"}, d) {
		b.WriteString(f.Attr + ": " + f.Summary + ": " + f.Detail + "\n")
	}
	return d, b.String()
}

// Every alias of the vendor's table, with exactly its rights.
func TestScopeAliases(t *testing.T) {
	table := map[string][]string{
		"Site": {"Read", "Write", "Manage"}, "Web": {"Read", "Write", "Manage"}, "List": {"Read", "Write", "Manage"},
		"AllSites": {"Read", "Write", "Manage"}, "Search": {"QueryAsUserIgnoreAppPrincipal"}, "ProjectAdmin": {"Manage"},
		"Projects": {"Read", "Write"}, "Project": {"Read", "Write"}, "ProjectResources": {"Read", "Write"},
		"ProjectStatusing": {"SubmitStatus"}, "ProjectReporting": {"Read"}, "ProjectWorkflow": {"Elevate"},
		"AllProfiles": {"Read", "Write", "Manage"}, "Social": {"Read", "Write", "Manage"}, "Microfeed": {"Read", "Write", "Manage"},
		"TermStore": {"Read", "Write"},
	}
	n := 0
	for alias, rights := range table {
		for _, right := range []string{"Read", "Write", "Manage", "QueryAsUserIgnoreAppPrincipal", "SubmitStatus", "Elevate", "FullControl"} {
			scope := alias + "." + right
			d, problems := prepare(strings.ToLower(scope))
			if !slices.Contains(rights, right) {
				if problems == "" {
					t.Errorf("%s was accepted", scope)
				}
				continue
			}
			n++
			if problems != "" || !slices.Equal(d.Scopes, []string{scope}) || !strings.HasPrefix(d.ScopeNames[scope], "http://sharepoint/") {
				t.Errorf("%s: %v, %v, %s", scope, d.Scopes, d.ScopeNames, problems)
			}
		}
	}
	if all := quirk.ScopeTable(); len(all) != n {
		t.Errorf("%d rows, %d are expected", len(all), n)
	}
}

// How scopes may be written, and what becomes of them.
func TestScopesAsWritten(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want string
		note string
	}{
		{[]string{"Web.Read", "List.Write"}, "Web.Read List.Write", ""},
		{[]string{"WEB.read list.WRITE"}, "Web.Read List.Write", ""},
		{[]string{"Web.Read", "web.read"}, "Web.Read", ""},
		{[]string{"Web.Read", "Web.Manage", "Web.Write", "List.Read"}, "Web.Manage List.Read", "Web.Manage contains Web.Write, which is not asked for by itself"},
		{[]string{"http://sharepoint/content/sitecollection/web", "Read"}, "Web.Read", ""},
		{[]string{"https://sharepoint/content/sitecollection/web/list Write"}, "List.Write", ""},
		{[]string{"http://SharePoint/Content/tenant.manage", "http://sharepoint/taxonomy:Read", "http://sharepoint/social/core#Write", "http://sharepoint/search/QueryAsUserIgnoreAppPrincipal"},
			"AllSites.Manage TermStore.Read Social.Write Search.QueryAsUserIgnoreAppPrincipal", ""},
		{[]string{"http://sharepoint/projectserver/projects/", "Read", "http://sharepoint/projectserver/projects/project", "Write"}, "Projects.Read Project.Write", ""},
	} {
		d, problems := prepare(c.in...)
		if problems != "" || strings.Join(d.Scopes, " ") != c.want {
			t.Errorf("%q: %q, %s", c.in, d.Scopes, problems)
		}
		if c.note != "" && !slices.Contains(d.Notes, c.note) {
			t.Errorf("%q: the plan says %q", c.in, d.Notes)
		}
	}
}

// What cannot be asked for, with the reason, a suggestion, and what there is.
func TestScopesRefused(t *testing.T) {
	for in, wants := range map[string][]string{
		"Webb.Read":                            {"There is no scope", `Did you mean "Web.Read"?`, "ignore it silently", "Site.Read|Write|Manage, Web.Read"},
		"Wev.Foo":                              {"There is no scope", `Did you mean "Web"?`},
		"Sites.Read.All":                       {"There is no scope"},
		"offline_access":                       {"a refresh token comes without being asked for"},
		"Web":                                  {"Scope without a right", "Web.Read, Web.Write or Web.Manage"},
		"Web.":                                 {"Scope without a right"},
		"Web.Raed":                             {"Unknown right", `Did you mean "Read"?`, "Web.Read, Web.Write or Web.Manage"},
		"Web.FullControl":                      {"cannot have FullControl", "Web.Manage"},
		"List.fullcontrol":                     {"cannot have FullControl"},
		"Search.Read":                          {"Unknown right", "Search.QueryAsUserIgnoreAppPrincipal"},
		"":                                     {"No scopes"},
		"http://sharepoint/content/tenant":     {"AllSites, and needs a right"},
		"http://sharepoint/content/tenant Foo": {"AllSites, and needs a right", `no scope "Foo"`},
		"http://sharepoint/content/elsewhere Read": {"There is no scope"},
		"http://sharepoint/bcs/connection Read":    {"never had an alias"},
		"http://sharepoint/bcs/connection.Read":    {"never had an alias"},
		"https://graph.microsoft.com/User.Read":    {"There is no scope"},
		"Web.Read\u202e":                           {"Unknown right"},
	} {
		if d, problems := prepare(strings.Fields(in)...); problems == "" {
			t.Errorf("%q became %q", in, d.Scopes)
		} else {
			for _, want := range wants {
				if !strings.Contains(problems, want) {
					t.Errorf("%q: want %q in %s", in, want, problems)
				}
			}
		}
	}
}

// Whatever is written as a scope is refused or becomes one of the table, and
// what it became becomes itself.
func FuzzScopes(f *testing.F) {
	for _, s := range []string{"Web.Read List.Write", "http://sharepoint/content/tenant/", "http://sharepoint/bcs/connection#", "https://sharepoint/", "://", ".", "İ.read"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		d, problems := prepare(strings.Fields(words)...)
		if problems != "" {
			return
		}
		again, problems := prepare(d.Scopes...)
		if problems != "" || !slices.Equal(again.Scopes, d.Scopes) {
			t.Errorf("%q became %q, and that %q: %s", words, d.Scopes, again.Scopes, problems)
		}
		rows, err := quirk.ExplainScopes(words)
		if err != nil || len(rows) < len(d.Scopes) {
			t.Errorf("%q cannot be explained: %v", words, err)
		}
	})
}

// A client as AppRegNew.aspx makes it, and a site that is one.
func TestFarmClients(t *testing.T) {
	for _, c := range []struct {
		change func(*quirk.Draft)
		want   string
	}{
		{func(*quirk.Draft) {}, ""},
		{func(d *quirk.Draft) { d.ClientID = "C78D058C-7f82-44ca-a077-fba855e14d38" }, "client_id: Client id in upper case"},
		{func(d *quirk.Draft) { d.ClientID = "app@" + guid }, "client_id: Client id with a realm"},
		{func(d *quirk.Draft) { d.ClientID = "app " }, "client_id: Client id with spaces"},
		{func(d *quirk.Draft) { d.Resource = []string{"https://x.example"} }, "resource: Resource that is known already"},
		{func(d *quirk.Draft) { d.Args["site_url"] = site + "/_layouts/15/AppRegNew.aspx" }, `such as "` + site + `"`},
		{func(d *quirk.Draft) { d.Args["site_url"] = site + "/SitePages/Home.aspx" }, `such as "` + site + `"`},
		{func(d *quirk.Draft) { d.Args["site_url"] = "https://fabrikam.sharepoint.de/x" }, "closed on 2021-10-29"},
	} {
		d := &quirk.Draft{Grant: "authorization_code", ClientID: "app", Args: map[string]string{"site_url": site}, Token: map[string]string{}}
		c.change(d)
		var got strings.Builder
		for _, f := range quirk.Prepare([]string{"realm_challenge"}, d) {
			got.WriteString(f.Attr + ": " + f.Summary + ": " + f.Detail)
		}
		if c.want == "" && got.String() != "" || !strings.Contains(got.String(), c.want) {
			t.Errorf("want %q, got %q", c.want, got.String())
		}
	}
}

// The successors that are known by their GUID are well formed, and rows say
// something about whatever became wider or nothing.
func TestScopeTable(t *testing.T) {
	for _, r := range quirk.ScopeTable() {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*quirk.Successor{r.Delegated, r.Application} {
			if s != nil && (len(s.ID) != 36 || s.Name == "") {
				t.Errorf("%s", text)
			}
		}
		if r.Delegated == nil && r.Caveat == "" {
			t.Errorf("nothing says why %s has no successor", r.Scope)
		}
		if !slices.Contains(r.Rights, r.Right) || r.Scope != r.Alias+"."+r.Right || !strings.HasPrefix(r.URI, "http://sharepoint/") {
			t.Errorf("%s", text)
		}
	}
}

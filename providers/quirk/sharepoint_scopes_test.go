package quirk_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

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

package engine_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// Another way to write the same thing is no change; another site is another consent.
func TestSharePointChanges(t *testing.T) {
	i := newImitated(t, sharepoint(plainSite))
	i.connect()
	for _, c := range []struct {
		config string
		action plan.Action
	}{
		{"  site_url = \"" + farm + "/\"\n  scopes = [\"web.read\", \"LIST.WRITE\"]", plan.NoOp},
		{"  site_url = \"https://SHAREPOINT.fabrikam.example/print\"\n  scopes = \"http://sharepoint/content/sitecollection/web Read https://sharepoint/content/sitecollection/web/list.Write\"", plan.NoOp},
		{"  site_url = \"" + farm + "\"\n  is_dlg = true\n  scopes = \"Web.Read List.Write List.Read\"", plan.NoOp},
		{"  site_url = \"" + farm + "\"\n  scopes = \"Web.Read List.Write Site.Read\"", plan.Reauthorize},
		{"  site_url = \"https://sharepoint.fabrikam.example/archive\"\n  scopes = \"Web.Read List.Write\"", plan.Reauthorize},
		{"  site_url = \"https://portal.fabrikam.example/print\"\n  scopes = \"Web.Read List.Write\"", plan.Reauthorize},
	} {
		i.use(sharepoint(c.config))
		if got := i.plan(i.cfg, plan.Options{}).Changes[0]; got.Action != c.action {
			t.Errorf("%s\n%s %v %v → %v", c.config, got.Action, got.Reasons, got.Before, got.After)
		}
	}
}

// What cannot work is refused before anything is sent, and the rest is noted.
func TestSharePointRefusalsAtPlan(t *testing.T) {
	for _, c := range []struct {
		name, source, config, want string
	}{
		{"without a site", onTheFly, `  scopes = "Web.Read"`, "needs the argument site_url"},
		{"plain http", onTheFly, "  site_url = \"http://sharepoint.fabrikam.example\"\n  scopes = \"Web.Read\"", "The argument site_url does not accept"},
		{"loopback", "for trying out", "  site_url = \"http://localhost:8080/print\"\n  scopes = \"Web.Read\"", ""},
		{"a query", onTheFly, "  site_url = \"https://a.example/x?y=z\"\n  scopes = \"Web.Read\"", "The argument site_url does not accept"},
		{"a page", register, "  site_url = \"" + farm + "/_layouts/15/AppRegNew.aspx\"\n  scopes = \"Web.Read\"", "Write the address of the site that it belongs to, such as \"" + farm + "\""},
		{"an unknown scope", onTheFly + "#Scope", "  site_url = \"" + farm + "\"\n  scopes = \"Web.Read Lists.Write\"", `There is no scope "Lists.Write", and the server would ignore it silently. Did you mean "List.Write"?`},
		{"full control", onTheFly + "#Scope", "  site_url = \"" + farm + "\"\n  scopes = \"Web.FullControl\"", "cannot have FullControl"},
		{"an http redirect URI", register, plainSite + "\n  redirect_uris = [\"http://localhost/cb\"]", "accepts https redirect URIs only"},
		{"another authentication", tokenRequest, plainSite + "\n  client_auth = \"client_secret_basic\"", "Client authentication not accepted"},
		{"an account", "ACS names nobody", plainSite + "\n  account = \"alice@fabrikam.example\"", "SharePoint Server with ACS does not say who signed in. Remove account"},
		{"another grant", onTheFly, plainSite + "\n  grant \"client_credentials\" {}", "does not offer \"client_credentials\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := sharepoint(c.config)
			if strings.Count(text, "redirect_uris") > 1 {
				text = strings.Replace(text, "  redirect_uris = [\"https://contoso.example/RedirectAccept.aspx\"]\n", "", 1)
			}
			got := newKit(t).problems(text)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: want %q, got\n%s", c.source, c.want, got)
			}
		})
	}
}

// SharePoint Online is refused with the date, and with a connection that can be
// pasted: it is valid, formatted, and asks for what is said.
func TestSharePointOnlineIsRetired(t *testing.T) {
	for _, c := range []struct {
		site, tenant, cloud string
	}{
		{"https://contoso.sharepoint.com/sites/print", "contoso.onmicrosoft.com", ""},
		{"https://contoso-my.sharepoint.com", "contoso.onmicrosoft.com", ""},
		{"https://Contoso.SharePoint.US/", "contoso.onmicrosoft.us", "us-gov"},
		{"https://contoso.sharepoint-mil.us", "contoso.onmicrosoft.us", "us-dod"},
		{"https://contoso.sharepoint.cn", "contoso.partner.onmschina.cn", "china"},
	} {
		k := newKit(t)
		got := k.problems(sharepoint("  site_url = \"" + c.site + "\"\n  scopes = \"Web.Read List.Write Site.Write Search.QueryAsUserIgnoreAppPrincipal Social.Read Project.Read\""))
		u, _ := url.Parse(strings.ToLower(c.site))
		for _, want := range []string{
			u.Host + " is SharePoint Online", "2026-04-02", "SharePoint Server farms",
			"Web.Read becomes wider: AllSites.Read reaches every site that the person can reach, instead of one web",
			"List.Write becomes wider", "Lists.SelectedOperations.Selected",
			"an administrator has to consent to Sites.Search.All",
			"Social.Read has no successor here: the feature was retired",
			"Project.Read has no successor here: Project Online ended on 2026-09-30",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s: want %q in\n%s", retirement, c.site, want, got)
			}
		}
		from := strings.Index(got, "  connection ")
		to := strings.Index(got, "\n  }\n")
		if from < 0 || to < from {
			t.Fatalf("%s: no block in\n%s", c.site, got)
		}
		block := strings.ReplaceAll(got[from:to]+"\n  }\n", "\n  ", "\n")[2:]
		if formatted := string(hclwrite.Format([]byte(block))); formatted != block {
			t.Errorf("%s: the block is not formatted\n%s", c.site, cmp.Diff(formatted, block))
		}
		if problems := k.problems(block); problems != "" {
			t.Errorf("%s: the block is not valid: %s\n%s", c.site, problems, block)
		}
		conn := k.config(block).Connections[0]
		want := []string{"/AllSites.Read", "/AllSites.Write", "/Sites.Search.All"}
		for n := range want {
			want[n] = "https://" + u.Host + want[n]
		}
		if d := cmp.Diff(want, conn.Scopes); d != "" {
			t.Errorf("%s: scopes (-want +got):\n%s", c.site, d)
		}
		if got := conn.Args["tenant"].Value.AsString(); got != c.tenant {
			t.Errorf("%s: tenant %q", c.site, got)
		}
		if cloud, ok := conn.Args["cloud"]; ok != (c.cloud != "") || ok && cloud.Value.AsString() != c.cloud {
			t.Errorf("%s: cloud %v", c.site, cloud.Value)
		}
	}
}

package providers_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// withExamples writes a connection that uses a provider with the examples of its
// required arguments, and with all of them if all is set.
func withExamples(provider string, args []providers.Argument, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "connection \"test\" {\n  provider  = %q\n  client_id = \"client\"\n", provider)
	for _, a := range args {
		if a.Required || all {
			fmt.Fprintf(&b, "  %s = %q\n", a.Name, a.Example)
		}
	}
	return b.String() + "}\n"
}

// What is known of a server needs no arguments.
func TestNamed(t *testing.T) {
	c := providers.New()
	for _, name := range c.Names() {
		if p := c.Named(name); p == nil || p.Base != name || p.Title == "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p := c.Named("../catalog/github"); p != nil {
		t.Errorf("found %+v", p)
	}
}

func TestPresetsDemanded(t *testing.T) {
	c := providers.New()
	for _, name := range []string{"microsoft", "google", "github", "gitlab", "okta", "auth0", "keycloak"} {
		if _, ok := c.Source(name); !ok {
			t.Errorf("there is no preset %s", name)
		}
	}
}

func TestEveryPresetResolves(t *testing.T) {
	list := providers.New().List()
	if len(list) != len(providers.New().Names()) {
		t.Fatalf("%d entries of %d files", len(list), len(providers.New().Names()))
	}
	var taken []string
	for _, a := range slices.Concat(schema.Language()["connection"].Spec.Attrs, providers.Spec().Attrs) {
		taken = append(taken, a.Name)
	}
	for _, e := range list {
		t.Run(e.Name, func(t *testing.T) {
			if e.Title == "" || e.Title == e.Name {
				t.Error("no title")
			}
			if !strings.HasPrefix(e.Docs, "https://") {
				t.Errorf("docs = %q, want an https link", e.Docs)
			}
			for _, a := range e.Arguments {
				if a.Doc == "" || a.Example == "" || a.Pattern == "" {
					t.Errorf("argument %s: doc, example and pattern have to be set", a.Name)
				}
				if slices.Contains(taken, a.Name) {
					t.Errorf("argument %s is an attribute of connections or provider blocks", a.Name)
				}
				if a.Required == (a.Default != "") {
					t.Errorf("argument %s: either required or with a default", a.Name)
				}
			}
			for _, all := range []bool{false, true} {
				p := mustResolve(t, withExamples(e.Name, e.Arguments, all))
				checkPreset(t, p)
			}
		})
	}
}

func checkPreset(t *testing.T, p *providers.Preset) {
	t.Helper()
	if p.TokenEndpoint == "" && !p.Located() || p.AuthorizationEndpoint == "" {
		t.Error("a preset names its endpoints, so that a plan can name the hosts")
	}
	for _, u := range []string{
		p.AuthorizationEndpoint, p.TokenEndpoint, p.RefreshEndpoint, p.DeviceEndpoint, p.RevocationEndpoint,
		p.IntrospectionEndpoint, p.UserinfoEndpoint, p.JWKSURI,
	} {
		if u != "" && !strings.HasPrefix(u, "https://") {
			t.Errorf("%s is not https", u)
		}
	}
	if len(p.Grants) == 0 || len(p.ClientAuth) == 0 || p.Rotation.Kind == "" {
		t.Errorf("grants, client_auth and rotation have to be set: %v %v %q", p.Grants, p.ClientAuth, p.Rotation.Kind)
	}
	if p.Supports("device_code") && p.DeviceEndpoint == "" {
		t.Error("device_code without a device endpoint")
	}
	if p.Revocation == "rfc7009" && p.RevocationEndpoint == "" && p.Discovery == "none" {
		t.Error("revocation without an endpoint")
	}
	if p.IDToken && p.Issuer == "" {
		t.Error("ID tokens without an issuer")
	}
	for _, h := range p.Hints {
		if h.Cause == "" || h.Remedy == "" || h.Needs == "" {
			t.Errorf("hint %s %q: cause, remedy and needs have to be set", h.Error, h.Match)
		}
	}
}

// What "oauthctl providers show" prints can be pasted under another name, and
// then means the same.
func TestSourceCanBePasted(t *testing.T) {
	c := providers.New()
	for _, e := range c.List() {
		t.Run(e.Name, func(t *testing.T) {
			text, ok := c.Source(e.Name)
			if !ok {
				t.Fatal("no source")
			}
			pasted := strings.Replace(text, fmt.Sprintf("provider %q {", e.Name), `provider "mine" {`, 1)
			if pasted == text {
				t.Fatal("the block does not have the name of its file")
			}
			want := mustResolve(t, withExamples(e.Name, e.Arguments, true))
			got := mustResolve(t, pasted+withExamples("mine", e.Arguments, true))
			if got.Name != "mine" {
				t.Errorf("name = %q", got.Name)
			}
			ignore := cmpopts.IgnoreFields(providers.Preset{}, "Name", "Base", "Range")
			if d := cmp.Diff(want, got, ignore); d != "" {
				t.Errorf("pasted preset differs (-preset +pasted):\n%s", d)
			}
		})
	}
}

func TestSourceOfNothing(t *testing.T) {
	c := providers.New()
	for _, name := range []string{"", "nope", "../preset", "microsoft.hcl", "MICROSOFT"} {
		if text, ok := c.Source(name); ok {
			t.Errorf("Source(%q) = %q", name, text)
		}
	}
}

// Ten thousand connections at one server share one Preset; those with other
// arguments do not.
func TestResolveShares(t *testing.T) {
	cfg := load(t, `
provider "contoso" {
  preset = "microsoft"
}
connection "many" {
  for_each  = toset(flatten([for i in range(100) : [for j in range(100) : tostring(100 * i + j)]]))
  provider  = "contoso"
  client_id = "client"
  tenant    = tonumber(each.key) < 5000 ? "a.example" : "b.example"
}
`)
	c := providers.New()
	seen := map[*providers.Preset]int{}
	for _, conn := range cfg.Connections {
		p, diags := c.Resolve(cfg, conn)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		seen[p]++
	}
	if len(cfg.Connections) != 10000 || len(seen) != 2 {
		t.Errorf("%d connections have %d presets, want 2", len(cfg.Connections), len(seen))
	}
}

// One catalogue serves connections that are applied at the same time.
func TestResolveTogether(t *testing.T) {
	cfg := load(t, `
connection "c" {
  for_each  = toset(["a", "b", "c", "d"])
  provider  = "okta"
  client_id = "client"
  domain    = "${each.key}.okta.com"
}
`)
	c := providers.New()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			conn := cfg.Connections[i%len(cfg.Connections)]
			p, diags := c.Resolve(cfg, conn)
			if diags.HasErrors() || !strings.Contains(p.Issuer, "https://"+conn.Addr.Key+".okta.com/") {
				t.Errorf("%s: %+v %s", conn.Addr, p, messages(diags))
			}
		})
	}
	wg.Wait()
}

func BenchmarkResolve(b *testing.B) {
	cfg := load(b, `connection "c" {
  provider  = "microsoft"
  client_id = "client"
  tenant    = "contoso.onmicrosoft.com"
}`)
	c := providers.New()
	for b.Loop() {
		if _, diags := c.Resolve(cfg, cfg.Connections[0]); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

func TestMicrosoftIssuer(t *testing.T) {
	for tenant, want := range map[string]string{
		"common":                               "https://login.microsoftonline.com/{tenantid}/v2.0",
		"organizations":                        "https://login.microsoftonline.com/{tenantid}/v2.0",
		"contoso.com":                          "https://login.microsoftonline.com/{tenantid}/v2.0",
		"consumers":                            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
		"8EAEF023-2B34-4DA1-9BAA-8BC8C9D6A490": "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0",
	} {
		p := mustResolve(t, fmt.Sprintf("connection \"c\" {\n provider = \"microsoft\"\n client_id = \"x\"\n tenant = %q\n}", tenant))
		if p.Issuer != want {
			t.Errorf("issuer of %s = %s, want %s", tenant, p.Issuer, want)
		}
		if want := "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/token"; p.TokenEndpoint != want {
			t.Errorf("token endpoint of %s = %s, want %s", tenant, p.TokenEndpoint, want)
		}
	}
}

func hasWarning(diags hcl.Diagnostics, text string) bool {
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning && strings.Contains(d.Detail, text) {
			return true
		}
	}
	return false
}

package engine_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// A hostile server sends the browser on to an honest one, whose answer then
// arrives at the hostile one's redirect URI (RFC 9700 §4.4). Where that brings
// it the honest one's code, plans warn; and they warn nowhere else.
func TestMixUp(t *testing.T) {
	const issuers = `
provider "a" {
  issuer                 = "https://login.a.example"
  authorization_endpoint = "https://login.a.example/authorize"
  token_endpoint         = "https://login.a.example/token"
  A
}
provider "b" {
  issuer                 = "https://login.b.example"
  authorization_endpoint = "https://login.b.example/authorize"
  token_endpoint         = "https://login.b.example/token"
  B
}`
	const noIssuer = `
provider "a" {
  issuer       = "https://login.a.example"
  response_iss = true
}
provider "b" {
  authorization_endpoint = "https://login.b.example/authorize"
  token_endpoint         = "https://login.b.example/token"
}`
	const says, ports = "response_iss = true", "redirect {\n fixed_port = true\n }"
	for name, tc := range map[string]struct {
		servers, a, b string // b may begin with attributes
		uriA, uriB    string
		mixed         bool
	}{
		"no declared URIs":         {servers: issuers},
		"paths of their own":       {issuers, "", "", "http://127.0.0.1/a", "http://127.0.0.1/b", false},
		"the same":                 {issuers, "", "", "http://127.0.0.1/cb", "http://127.0.0.1/cb", true},
		"the same, pasted":         {issuers, "", "", "https://app.example/cb", "https://app.example/cb", true},
		"one says who it is":       {issuers, says, "", "http://127.0.0.1/cb", "http://127.0.0.1/cb", false},
		"both say who they are":    {issuers, says, says, "http://127.0.0.1/cb", "http://127.0.0.1/cb", false},
		"which nobody can compare": {noIssuer, "", "", "http://127.0.0.1/cb", "http://127.0.0.1/cb", true},
		"ports are not compared":   {issuers, "", "", "http://127.0.0.1:PORT1/cb", "http://127.0.0.1:PORT2/cb", true},
		"by one of them":           {issuers, ports, "", "http://127.0.0.1:PORT1/cb", "http://127.0.0.1:PORT2/cb", true},
		"ports are compared":       {issuers, ports, ports, "http://127.0.0.1:PORT1/cb", "http://127.0.0.1:PORT2/cb", false},
		"one port, and none":       {issuers, "", "", "http://127.0.0.1:PORT1/cb", "http://127.0.0.1/cb", true},
		"another name of loopback": {issuers, "", "", "http://127.0.0.1/cb", "http://localhost/cb", false},
		"another query":            {issuers, "", "", "http://127.0.0.1/cb?s=a", "http://127.0.0.1/cb?s=b", false},
		"ports elsewhere":          {issuers, "", "", "https://app.example:1/cb", "https://app.example:2/cb", false},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("\n  A\n", "\n"+tc.a+"\n", "\n  B\n", "\n"+tc.b+"\n").Replace(tc.servers) + clientAt("a", tc.uriA) + clientAt("b", tc.uriB)
			text = strings.NewReplacer("PORT1", freePort(t), "PORT2", freePort(t)).Replace(text)
			warned, arrived := false, false
			for _, hostile := range []string{"a", "b"} {
				i := newImitated(t, text)
				_, diags, err := i.engine.Plan(i.ctx, i.cfg, plan.Options{})
				if err != nil || diags.HasErrors() {
					t.Fatal(err, diags)
				}
				warned = mixUps(diags) != ""
				if i.attack(hostile) {
					arrived = true
				}
			}
			if arrived != tc.mixed || warned != tc.mixed {
				t.Errorf("a code reached the hostile server: %t, plan warned: %t, want both %t", arrived, warned, tc.mixed)
			}
		})
	}
}

// clientAt is a connection at the provider of its name.
func clientAt(name, uri string) string {
	uris := ""
	if uri != "" {
		uris = "\n  redirect_uris = [\"" + uri + "\"]"
	}
	return "\nconnection \"" + name + "\" {\n  provider  = \"" + name + "\"\n  client_id = \"app-at-" + name + "\"" + uris + "\n}\n"
}

// attack lets one of two servers turn hostile, and reports whether it gets a
// code that the other one gave.
func (i *imitated) attack(hostile string) bool {
	i.t.Helper()
	honest := "b"
	if hostile == "b" {
		honest = "a"
	}
	for _, c := range i.plan(i.cfg, plan.Options{}).Changes {
		if c.Addr.Name != honest {
			continue
		}
		if err := i.box.Register(i.preset(c.Addr), sandbox.Client{ID: "app-at-" + honest, RedirectURIs: []string{c.RedirectURI}}); err != nil {
			i.t.Fatal(err)
		}
	}
	var page *url.URL // of the honest server
	i.page.divert = func(v grant.Visit) string {
		u, err := url.Parse(v.URL)
		if err != nil {
			i.t.Error(err)
			return ""
		}
		if v.Addr.Name == honest {
			page = u
			return v.URL
		}
		q := u.Query() // with the state and the challenge of its own flow
		q.Set("client_id", "app-at-"+honest)
		onward := *page
		onward.RawQuery = q.Encode()
		return onward.String()
	}
	for _, name := range []string{honest, hostile} {
		p := i.plan(i.cfg, plan.Options{Targets: []addr.Addr{addr.Connection(name)}})
		out, err := i.engine.Apply(i.ctx, i.cfg, p)
		if err != nil {
			i.t.Fatal(err)
		}
		if r := out.Results[0]; name == honest && r.State != engine.Done {
			i.t.Fatalf("the honest server: %s: %v", r.State, r.Err)
		}
	}
	for _, r := range i.box.Requests() {
		if r.Role == sandbox.RoleToken && strings.HasPrefix(r.URL, "https://login."+hostile+".example/") && len(r.Form["code"]) > 0 {
			return true
		}
	}
	return false
}

// mixUps are the details of the warnings about shared redirect URIs.
func mixUps(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning && strings.Contains(d.Summary, "Redirect URI of two servers") {
			b.WriteString(d.Subject.String() + ": " + d.Detail + "\n")
		}
	}
	return b.String()
}

// The warning names the place, both connections and what to do, once for a
// block; it does not come where there is one server, or no code.
func TestMixUpWarning(t *testing.T) {
	const servers = `
provider "a" { issuer = "https://login.a.example" }
provider "b" { issuer = "https://login.b.example" }
provider "many" {
  argument "host" { required = true }
  issuer = "https://${arg.host}/main"
}
`
	const shared = "\n  redirect_uris = [\"http://127.0.0.1/cb\"]"
	for name, tc := range map[string]struct {
		text string
		want []string // of each warning, in order
	}{
		"two":   {clientAt("a", "http://127.0.0.1/cb") + clientAt("b", "http://127.0.0.1/cb"), []string{"connection.b (login.b.example) and connection.a (login.a.example)"}},
		"three": {clientAt("a", "http://127.0.0.1/cb") + clientAt("b", "http://127.0.0.1/cb") + "connection \"c\" {\n provider = \"many\"\n host = \"c.example\"\n client_id = \"x\"" + shared + "\n}", []string{"connection.b", "connection.c (c.example) and connection.a"}},
		"many of one block": {"connection \"m\" {\n for_each = toset([\"x.example\", \"y.example\", \"z.example\"])\n provider = \"many\"\n host = each.key\n client_id = \"x\"" + shared + "\n}",
			[]string{`connection.m["y.example"] (y.example) and connection.m["x.example"] (x.example)`}},
		"many of one server":      {"connection \"m\" {\n for_each = toset([\"x\", \"y\"])\n provider = \"a\"\n client_id = each.key" + shared + "\n}", nil},
		"two issuers of one host": {"connection \"m\" {\n provider = \"many\"\n host = \"login.a.example\"\n client_id = \"x\"" + shared + "\n}" + clientAt("a", "http://127.0.0.1/cb"), nil},
		"without a code":          {clientAt("a", "http://127.0.0.1/cb") + "connection \"b\" {\n provider = \"b\"\n client_id = \"x\"\n client_secret = env(\"S\")" + shared + "\n grant \"client_credentials\" {}\n}", nil},
		"what a preset gives": {"connection \"x\" {\n provider = \"microsoft\"\n tenant = \"contoso.example\"\n client_id = \"11111111-2222-3333-4444-555555555555\"\n scopes = [\"User.Read\"]\n}" + clientAt("a", "http://localhost"),
			[]string{"http://127.0.0.1/callback/login.a.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			cfg := k.config(servers + tc.text)
			diags := k.engine.Validate(k.ctx, cfg)
			_, planned, err := k.engine.Plan(k.ctx, cfg, plan.Options{})
			if err != nil || diags.HasErrors() {
				t.Fatal(err, diags)
			}
			if a, b := mixUps(diags), mixUps(planned); a != b {
				t.Errorf("validate says\n%s\nand plan\n%s", a, b)
			}
			lines := strings.Split(strings.TrimSpace(mixUps(diags)), "\n")
			if mixUps(diags) == "" {
				lines = nil
			}
			if len(lines) != len(tc.want) {
				t.Fatalf("%d warnings, want %d:\n%s", len(lines), len(tc.want), mixUps(diags))
			}
			for i, line := range lines {
				if !strings.Contains(line, tc.want[i]) || !strings.Contains(line, "main.hcl:") || !strings.Contains(line, "without redirect_uris") {
					t.Errorf("the warning does not say %q, its place and what to do:\n%s", tc.want[i], line)
				}
			}
		})
	}
}

// No example shows two servers at one redirect URI.
func TestExamplesAreNotMixedUp(t *testing.T) {
	files, err := filepath.Glob("../examples/*.hcl")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	k := newKit(t)
	for _, file := range files {
		cfg, diags := schema.Load(k.ctx, schema.Source{File: file, MakeUp: true})
		if diags = append(diags, k.engine.Validate(k.ctx, cfg)...); diags.HasErrors() || mixUps(diags) != "" {
			t.Errorf("%s: %v", file, diags)
		}
	}
}

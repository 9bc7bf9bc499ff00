package providers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/providers"
)

const connectionC = "\nconnection \"c\" {\n  provider  = \"p\"\n  client_id = \"x\"\n}\n"

// The block of the user is laid over the preset, attribute by attribute.
func TestOverride(t *testing.T) {
	base := mustResolve(t, strings.Replace(connectionC, `"p"`, `"google"`, 1))
	for name, tc := range map[string]struct {
		body string
		want func(p *providers.Preset)
	}{
		"nothing":      {``, func(*providers.Preset) {}},
		"an attribute": {`pkce = "required"`, func(p *providers.Preset) { p.PKCE = "required" }},
		"a removal, with what needs it": {`device_endpoint = ""`, func(p *providers.Preset) {
			p.DeviceEndpoint, p.Grants = "", []string{"authorization_code", "jwt_bearer", "refresh_token"}
		}},
		"null is unset":  {`pkce = null`, func(*providers.Preset) {}},
		"a map as whole": {`offline_params = { access_type = "offline" }`, func(p *providers.Preset) { p.OfflineParams = map[string]string{"access_type": "offline"} }},
		"part of a block": {"token_lifetimes {\n refresh = \"7d\"\n}", func(p *providers.Preset) {
			p.Lifetimes.Refresh = 7 * 24 * time.Hour
		}},
		"a hint goes before the preset's": {"hint \"invalid_grant\" {\n cause = \"ours\"\n}", func(p *providers.Preset) {
			p.Hints = slices.Insert(p.Hints, 0, providers.Hint{Error: "invalid_grant", Cause: "ours"})
		}},
		"another issuer drops the endpoints": {`issuer = "https://login.acme.example"`, func(p *providers.Preset) {
			p.Issuer, p.Discovery = "https://login.acme.example", "auto"
			p.AuthorizationEndpoint, p.TokenEndpoint, p.DeviceEndpoint = "", "", ""
			p.RevocationEndpoint, p.UserinfoEndpoint, p.JWKSURI = "", "", ""
		}},
		"the same issuer keeps them": {`issuer = "https://accounts.google.com"`, func(*providers.Preset) {}},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustResolve(t, "provider \"p\" {\n preset = \"google\"\n"+tc.body+"\n}\n"+connectionC)
			want := base.Clone()
			want.Name, want.Range = "p", got.Range
			tc.want(want)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A refresh token never goes to the preset's host when the token endpoint is another.
func TestTokenEndpointDropsRefreshEndpoint(t *testing.T) {
	p := mustResolve(t, "provider \"p\" {\n preset = \"figma\"\n token_endpoint = \"https://proxy.acme.example/token\"\n}\n"+connectionC)
	if p.RefreshEndpoint != "" {
		t.Errorf("refresh endpoint = %s", p.RefreshEndpoint)
	}
}

func TestStrayEndpointsWarn(t *testing.T) {
	cfg := load(t, "provider \"p\" {\n preset = \"google\"\n token_endpoint = \"https://proxy.acme.example/token\"\n revocation_endpoint = \"\"\n}\n"+connectionC)
	diags := providers.New().Check(cfg)
	if diags.HasErrors() || !hasWarning(diags, "userinfo_endpoint") || hasWarning(diags, "revocation_endpoint") {
		t.Errorf("want one warning, for userinfo_endpoint:\n%s", messages(diags))
	}
}

func TestFromScratch(t *testing.T) {
	all := []string{"authorization_code", "device_code", "client_credentials", "refresh_token", "jwt_bearer", "token_exchange"}
	for name, tc := range map[string]struct {
		body string
		want providers.Preset
	}{
		"an issuer": {`issuer = "https://login.acme.example"`, providers.Preset{
			Issuer: "https://login.acme.example", Discovery: "auto", Grants: all, Revocation: "rfc7009",
			Redirect: providers.RedirectRules{Path: "/callback/login.acme.example"},
		}},
		"endpoints": {`
authorization_endpoint = "https://login.acme.example/authorize"
token_endpoint         = "https://login.acme.example/token"
client_auth            = ["client_secret_post"]
scope_separator        = ","
rotation {
  kind  = "single_use"
  grace = "30s"
}`, providers.Preset{
			AuthorizationEndpoint: "https://login.acme.example/authorize", TokenEndpoint: "https://login.acme.example/token",
			Discovery: "none", Revocation: "none", ClientAuth: []string{"client_secret_post"}, ScopeSeparator: ",",
			Grants:   slices.DeleteFunc(slices.Clone(all), func(g string) bool { return g == "device_code" }),
			Rotation: providers.Rotation{Kind: "single_use", Grace: 30 * time.Second},
			Redirect: providers.RedirectRules{Path: "/callback/login.acme.example"},
		}},
		"a token endpoint on this machine": {`token_endpoint = "http://127.0.0.1:9000/token"`, providers.Preset{
			TokenEndpoint: "http://127.0.0.1:9000/token", Discovery: "none", Revocation: "none",
			Grants: []string{"client_credentials", "refresh_token", "jwt_bearer", "token_exchange"},
		}},
		"arguments of its own": {`
issuer = "https://${arg.region}.acme.example"
argument "region" {
  default = "eu"
}`, providers.Preset{
			Issuer: "https://eu.acme.example", Args: map[string]string{"region": "eu"}, Discovery: "auto", Grants: all, Revocation: "rfc7009",
			Redirect: providers.RedirectRules{Path: "/callback/eu.acme.example"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustResolve(t, "provider \"p\" {\n"+tc.body+"\n}\n"+connectionC)
			want := tc.want
			want.Name, want.Title, want.PKCE, want.Range = "p", "p", "supported", got.Range
			want.Redirect.LoopbackHost = "127.0.0.1"
			if want.Redirect.Path == "" {
				want.Redirect.Path = "/callback"
			}
			if want.ScopeSeparator == "" {
				want.ScopeSeparator = " "
			}
			if want.Rotation.Kind == "" {
				want.Rotation.Kind = "unknown"
			}
			if d := cmp.Diff(&want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// The connection's own argument goes before the block's, and that before the default.
func TestArgumentOrder(t *testing.T) {
	for name, tc := range map[string]struct{ block, conn, want string }{
		"default":    {``, ``, "gitlab.com"},
		"block":      {`host = "block.example"`, ``, "block.example"},
		"connection": {`host = "block.example"`, `host = "conn.example"`, "conn.example"},
		"null":       {`host = "block.example"`, `host = null`, "gitlab.com"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustResolve(t, "provider \"p\" {\n preset = \"gitlab\"\n"+tc.block+"\n}\n"+
				"connection \"c\" {\n provider = \"p\"\n client_id = \"x\"\n"+tc.conn+"\n}")
			if want := "https://" + tc.want; p.Issuer != want {
				t.Errorf("issuer = %s, want %s", p.Issuer, want)
			}
		})
	}
}

// Every mistake is reported at the line where it is written, and says what to do.
func TestMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string // parts of the messages
	}{
		"unknown provider": {
			"connection \"c\" {\n  provider  = \"mircosoft\"\n  client_id = \"x\"\n}",
			[]string{"main.hcl:2", "connection.c", `Did you mean "microsoft"?`, "oauthctl providers"},
		},
		"unknown preset": {
			"provider \"p\" {\n  preset = \"keyclock\"\n}\n" + connectionC,
			[]string{"main.hcl:2", `Did you mean "keycloak"?`},
		},
		"unknown argument of a connection": {
			"connection \"c\" {\n  provider  = \"microsoft\"\n  client_id = \"x\"\n  tennant   = \"acme.com\"\n}",
			[]string{"main.hcl:4", `no attribute "tennant"`, `Did you mean "tenant"?`, "Arguments of Microsoft Entra ID: cloud, tenant."},
		},
		"misspelt attribute of a connection": {
			"connection \"c\" {\n  provider  = \"google\"\n  client_id = \"x\"\n  redirect_uri = \"http://localhost\"\n}",
			[]string{"main.hcl:4", `Did you mean "redirect_uris"?`, "Google takes no arguments."},
		},
		"alias and version of Terraform's providers": {
			"provider \"p\" {\n  preset = \"google\"\n  alias = \"x\"\n  version = \"~> 1\"\n}\n" + connectionC,
			[]string{"main.hcl:3", `provider "NAME" {`, "main.hcl:4", "Presets come with oauthctl"},
		},
		"unknown attribute of a block": {
			"provider \"p\" {\n  preset = \"google\"\n  isuer = \"https://x.example\"\n}\n" + connectionC,
			[]string{"main.hcl:3", `Did you mean "issuer"?`},
		},
		"missing argument": {
			"connection \"c\" {\n  provider  = \"okta\"\n  client_id = \"x\"\n}",
			[]string{"main.hcl:2", "Okta needs the argument domain", `domain = "dev-123456.okta.com"`},
		},
		"missing argument of a block": {
			"provider \"p\" {\n  preset = \"okta\"\n}\n" + connectionC,
			[]string{`add it to connection.c or to provider "p"`},
		},
		"argument that does not fit": {
			"provider \"p\" {\n  preset = \"okta\"\n  domain = \"https://dev-1.okta.com\"\n}\n" + connectionC,
			[]string{"main.hcl:3", `does not accept "https://dev-1.okta.com"`, "For example"},
		},
		"argument that smuggles": {
			"connection \"c\" {\n  provider  = \"microsoft\"\n  client_id = \"x\"\n  tenant = \"common/../../evil\"\n}",
			[]string{"main.hcl:4", "does not accept"},
		},
		"argument that makes no host": {
			"connection \"c\" {\n  provider  = \"auth0\"\n  client_id = \"x\"\n  domain = \"acme..auth0.com\"\n}",
			[]string{"main.hcl:2", "its host name is not valid"},
		},
		"argument of another type": {
			"connection \"c\" {\n  provider  = \"microsoft\"\n  client_id = \"x\"\n  tenant = [\"a\"]\n}",
			[]string{"main.hcl:4", "must be a string"},
		},
		"sensitive argument": {
			"variable \"t\" {\n  type = string\n  sensitive = true\n  default = \"acme.com\"\n}\nconnection \"c\" {\n  provider  = \"microsoft\"\n  client_id = \"x\"\n  tenant = var.t\n}",
			[]string{"main.hcl:9", "wrap it: tenant = nonsensitive(…)"},
		},
		"argument that only an apply tells": {
			"connection \"c\" {\n  provider  = \"microsoft\"\n  client_id = \"x\"\n  tenant = connection.other.account\n}\n" +
				"connection \"other\" {\n  provider  = \"google\"\n  client_id = \"x\"\n}",
			[]string{"main.hcl:4", "has not been applied"},
		},
		"attribute that only an apply tells": {
			"locals {\n  host = connection.other.account\n}\nprovider \"p\" {\n  token_endpoint = \"https://${local.host}/token\"\n}\n" + connectionC +
				"connection \"other\" {\n  provider  = \"google\"\n  client_id = \"x\"\n}",
			[]string{"main.hcl:5", "has not been applied"},
		},
		"no endpoints": {
			"provider \"p\" {\n  title = \"Acme\"\n}\n" + connectionC,
			[]string{"main.hcl:1", "no token endpoint and no issuer"},
		},
		"plain http": {
			"provider \"p\" {\n  token_endpoint = \"http://login.acme.example/token\"\n}\n" + connectionC,
			[]string{"main.hcl:2", "http is for this machine only"},
		},
		"parameter of the flow, kept": {
			"provider \"p\" {\n  issuer = \"https://login.acme.example\"\n  callback_params = [\"realmId\", \"state\"]\n}\n" + connectionC,
			[]string{"main.hcl:3", `"state" is used by the flow itself`, "Remove it"},
		},
		"issuer with a query": {
			"provider \"p\" {\n  issuer = \"https://login.acme.example/?x=1\"\n}\n" + connectionC,
			[]string{"main.hcl:2", "an issuer has no query"},
		},
		"unknown grant": {
			"provider \"p\" {\n  issuer = \"https://login.acme.example\"\n  grants = [\"password\"]\n}\n" + connectionC,
			[]string{"main.hcl:3", `no grant "password"`, "Known: authorization_code"},
		},
		"grant without endpoint": {
			"provider \"p\" {\n  token_endpoint = \"https://login.acme.example/token\"\n  grants = [\"device_code\"]\n}\n" + connectionC,
			[]string{"main.hcl:3", "no device_endpoint"},
		},
		"unknown quirk": {
			"provider \"p\" {\n  issuer = \"https://login.acme.example\"\n  quirks = [\"acept_json\"]\n}\n" + connectionC,
			[]string{"main.hcl:3", `Did you mean "accept_json"?`},
		},
		"discovery without issuer": {
			"provider \"p\" {\n  token_endpoint = \"https://login.acme.example/token\"\n  discovery = \"oidc\"\n}\n" + connectionC,
			[]string{"main.hcl:3", "no issuer to discover from"},
		},
		"a hint that matches nothing": {
			"provider \"p\" {\n  issuer = \"https://login.acme.example\"\n  hint \"*\" {\n    match = 42\n    cause = \"x\"\n  }\n}\n" + connectionC,
			[]string{"main.hcl:4", "string or a list of strings"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, diags := resolve(t, tc.text)
			if !diags.HasErrors() || p != nil {
				t.Fatalf("want an error, have %+v", p)
			}
			for _, want := range tc.want {
				if !strings.Contains(messages(diags), want) {
					t.Errorf("want %q in:\n%s", want, messages(diags))
				}
			}
		})
	}
}

// validate finds mistakes in blocks that no connection uses, each once; a
// missing argument is none, since a connection may give it.
func TestCheck(t *testing.T) {
	cfg := load(t, `
provider "okta" {
  preset = "okta"
}
provider "unused" {
  issuer = "ftp://login.acme.example"
}
connection "c" {
  for_each  = toset(["a", "b"])
  provider  = "okta"
  client_id = "x"
  domain    = "${each.key}.okta.com"
}
`)
	c := providers.New()
	diags := c.Check(cfg)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "must begin with https://") {
		t.Errorf("want one error, about the issuer:\n%s", messages(diags))
	}
	p, more := c.Resolve(cfg, cfg.Connections[1])
	if more.HasErrors() || p.TokenEndpoint != "https://b.okta.com/oauth2/default/v1/token" {
		t.Errorf("after Check, Resolve gives %v %s", p, messages(more))
	}
}

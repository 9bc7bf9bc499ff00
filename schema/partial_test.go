package schema_test

import (
	"context"
	"slices"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

// A configuration that is checked without its environment has unknown values
// where nothing gives one, and every other mistake as before.
func TestPartial(t *testing.T) {
	const text = `
variable "sites" { type = set(string) }
variable "id" {}
variable "given" { default = "app" }
variable "secret" {
  type      = string
  sensitive = true
  validation {
    condition     = length(var.secret) > 8
    error_message = "too short"
  }
}
locals { all = concat(tolist(var.sites), ["x"]) }
connection "one" {
  provider      = "acme"
  client_id     = var.id
  client_secret = env("ONE")
  scopes        = local.all
  description   = var.given
}
connection "many" {
  for_each      = var.sites
  provider      = "acme"
  client_id     = each.value
  client_secret = var.secret
}
connection "after" {
  provider  = "acme"
  client_id = connection.many["a"].account
}
output "all" { value = [for c in connection.many : c.scopes] }
`
	load := func(src schema.Source) (*schema.Config, int) {
		src.Dir = write(t, map[string]string{"a.hcl": text})
		cfg, diags := schema.Load(context.Background(), src)
		if src.Partial {
			for _, d := range diags {
				t.Errorf("%s: %s", d.Summary, d.Detail)
			}
		}
		return cfg, len(diags)
	}
	if _, n := load(schema.Source{}); n < 3 {
		t.Errorf("without values there are %d errors", n)
	}
	cfg, _ := load(schema.Source{Partial: true})
	if !cfg.Partial || len(cfg.Connections) != 2 {
		t.Fatalf("%d connections", len(cfg.Connections))
	}
	one := cfg.Connections[1]
	if !slices.Equal(one.Unknown, []string{"client_id", "client_secret", "scopes"}) || one.Description != "app" {
		t.Errorf("%s: unknown %q", one.Addr, one.Unknown)
	}
	// What has a value is checked with it.
	dir := write(t, map[string]string{"a.hcl": text})
	_, diags := schema.Load(context.Background(), schema.Source{Dir: dir, Partial: true, Vars: []schema.VarInput{{Name: "secret", Value: "short"}}})
	if len(diags) != 1 || diags[0].Summary != "Invalid value for variable" {
		t.Errorf("%v", diags)
	}
	// Made-up values go before unknown ones.
	cfg, diags = schema.Load(context.Background(), schema.Source{
		Dir: dir, Partial: true, MakeUp: true, Vars: []schema.VarInput{{Name: "sites", Value: `["a"]`}, {Name: "id", Value: "x"}},
	})
	if len(diags) > 0 || len(cfg.MadeUp) != 2 || len(cfg.Connections) != 3 {
		t.Errorf("%v, made up %q", diags, cfg.MadeUp)
	}
}

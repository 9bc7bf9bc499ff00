package schema_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

// write makes a configuration directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSmoke(t *testing.T) {
	dir := write(t, map[string]string{"main.hcl": `
variable "tenant" {
  type    = string
  default = "contoso"
}
locals { sites = toset(["north", "south"]) }
provider "contoso" {
  preset = "microsoft"
  tenant = var.tenant
}
connection "graph" {
  provider      = "contoso"
  client_id     = "1111"
  client_secret = env("S")
  scopes        = "User.Read Files.Read"
  tenant        = var.tenant
  redirect_uris = ["http://localhost"]
  grant "authorization_code" { prompt = "select_account" }
  token_lifetimes {
    access = "1h"
    refresh_before = "5m"
  }
}
connection "audit" {
  for_each = local.sites
  provider = "microsoft"
  client_id = "x-${each.key}"
}
connection "down" {
  provider = "microsoft"
  client_id = connection.graph.account
  grant "token_exchange" { subject_token = connection.audit["north"].access_token }
}
output "x" { value = connection.graph.expires_at }
`})
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir, LookupEnv: func(string) (string, bool) { return "hunter2", true }})
	for _, d := range diags {
		t.Error(d, d.Detail)
	}
	for _, c := range cfg.Connections {
		t.Logf("%+v", c)
	}
}

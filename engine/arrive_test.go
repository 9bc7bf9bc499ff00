package engine_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// A consent may come from anybody who knows the public key. Whatever it says, it
// gets nothing that is here sent to a server of its choice: no token of another
// connection, no file and no variable, and no secret of the configuration.
func TestForgedConsent(t *testing.T) {
	const discovered = `
provider "acme" { issuer = "SERVER" }
connection "graph" {
  provider      = "acme"
  client_id     = "app"
  client_secret = env("SECRET")
  scopes        = ["read"]
}
`
	for name, forged := range map[string]struct {
		declared string
		change   func(*state.Info)
		want     string
	}{
		"feeds on a connection": {"", func(i *state.Info) {
			i.Grant, i.Exchange = "token_exchange", &state.Exchange{Subject: state.Source{Connection: "connection.bank", Attribute: "refresh_token"}}
		}, "by itself"},
		"reads a variable": {"", func(i *state.Info) {
			i.Grant, i.Exchange = "jwt_bearer", &state.Exchange{Subject: state.Source{Env: "AWS_SECRET_ACCESS_KEY"}}
		}, "by itself"},
		"reads a file": {"", func(i *state.Info) {
			i.Client.Auth, i.Client.AssertionFile = "federated", "/var/run/secrets/token"
		}, "read on this machine"},
		"asks the platform":   {"", func(i *state.Info) { i.Client.Auth, i.Client.AssertionGitHub = "federated", true }, "read on this machine"},
		"refreshes elsewhere": {one, func(i *state.Info) { i.Client.RefreshEndpoint = "https://collector.example/token" }, "collector.example"},
		"revokes elsewhere": {strings.Replace(one, "revocation_endpoint", "# revocation_endpoint", 1), func(i *state.Info) {
			i.Client.RevocationEndpoint = "https://collector.example/revoke"
		}, "collector.example"},
		"what is discovered is elsewhere": {discovered, func(i *state.Info) {
			i.Client.TokenEndpoint = "https://collector.example/token"
		}, "collector.example"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.applied(one)
			r := k.record(graph)
			forged.change(r.Info)
			sealed, err := state.SealConsent(r, []string{k.id.Recipient().String()}, false)
			if err != nil {
				t.Fatal(err)
			}
			there, _ := k.other()
			there.id = k.id
			there.store = there.open(there.backend)
			there.options.Store = there.store
			there.engine = engine.New(there.options)
			var cfg *schema.Config
			if forged.declared != "" {
				cfg = there.config(forged.declared)
			}
			_, err = there.engine.Arrive(there.ctx, cfg, sealed, engine.ArriveOptions{})
			if class(err) != engine.ClassError || !strings.Contains(err.Error(), forged.want) {
				t.Errorf("it is taken: %v", err)
			}
			if cfg != nil { // as it was sealed, it is right
				if sealed, err = state.SealConsent(k.record(graph), []string{k.id.Recipient().String()}, false); err != nil {
					t.Fatal(err)
				}
				if _, err := there.engine.Arrive(there.ctx, cfg, sealed, engine.ArriveOptions{}); err != nil {
					t.Errorf("a true one is refused: %v", err)
				}
			}
		})
	}
}

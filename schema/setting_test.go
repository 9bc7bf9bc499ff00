package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// What stands in many blocks is evaluated once, and what is wrong with it is said
// of each of them.
func TestEqualCallsInManyBlocks(t *testing.T) {
	blocks := func(secret string) string {
		var b strings.Builder
		for i := range 300 {
			fmt.Fprintf(&b, "connection \"c%d\" {\n  provider = \"p\"\n  client_id = lower(\"X%d\")\n  client_secret = %s\n  scopes = split(\" \", \"a b\")\n}\n", i, i, secret)
		}
		return b.String()
	}
	cfg := load(t, blocks(`env("S")`), map[string]string{"S": "hunter22"})
	for _, c := range cfg.Connections {
		want := strings.Replace(c.Addr.Name, "c", "x", 1)
		if c.ClientID != want || c.ClientSecret.Reveal() != "hunter22" || len(c.Scopes) != 2 {
			t.Fatalf("%s: client %q, secret %q, scopes %q", c.Addr, c.ClientID, c.ClientSecret.Reveal(), c.Scopes)
		}
	}
	cfg.Connections[0].Scopes[0] = "changed"
	if got := cfg.Connections[1].Scopes[0]; got != "a" {
		t.Errorf("connections share a list: %q", got)
	}
	for name, secret := range map[string]string{"not set": `env("S")`, "a literal": `env("S", "hunter22")`} {
		_, diags := try(t, blocks(secret), nil)
		lines := map[int]bool{}
		for _, d := range diags {
			lines[d.Subject.Start.Line] = true
		}
		if len(lines) != 300 {
			t.Errorf("%s: said of %d blocks, not of 300: %s", name, len(lines), diags[:min(len(diags), 2)])
		}
	}
}

// Instances share what does not depend on their key, and nothing that does.
func TestInstancesShareWhatIsTheSame(t *testing.T) {
	cfg := load(t, `
connection "c" {
  for_each      = toset(["a", "b", "c"])
  provider      = "p"
  client_id     = "client-${each.key}"
  client_secret = env("S")
  account       = each.key == "b" ? "bob" : null
  scopes        = ["x", "y"]
  token_lifetimes { access = "1h" }
}
`, map[string]string{"S": "hunter22"})
	for i, key := range []string{"a", "b", "c"} {
		c := cfg.Connections[i]
		if c.Addr != addr.Connection("c").Instance(key) || c.ClientID != "client-"+key || c.ClientSecret.Reveal() != "hunter22" || (c.Account == "bob") != (key == "b") {
			t.Errorf("%s: client %q, account %q", c.Addr, c.ClientID, c.Account)
		}
		if _, ok := c.Ranges["access"]; !ok || c.Ranges["client_id"].Start.Line != 5 {
			t.Errorf("%s: places %v", c.Addr, c.Ranges)
		}
		c.Scopes[0] = key
	}
	if got := cfg.Connections[0].Scopes[0]; got != "a" {
		t.Errorf("instances share a list: %q", got)
	}
}

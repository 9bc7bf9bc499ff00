package schema_test

import (
	"context"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// What is written is read again as it was, whatever is in it.
func TestGeneratedTextsAreReadAgain(t *testing.T) {
	for _, id := range []string{"plain", `quote " and \ backslash`, "${env(\"HOME\")} %{ if true }", "line\nbreak\ttab", "$${x}", "ünïcode 日本", "end$", "bell\a"} {
		text := new(schema.Config).Generate(nil, []schema.Draft{{Addr: addr.Connection("a"), Provider: "github", ClientID: id}})
		cfg, diags := schema.Load(context.Background(), schema.Source{Dir: write(t, map[string]string{"main.hcl": string(text)})})
		if diags.HasErrors() || len(cfg.Connections) != 1 || cfg.Connections[0].ClientID != id {
			t.Errorf("%q was written as\n%s%v", id, text, diags)
		}
	}
}

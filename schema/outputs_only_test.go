package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Whoever wants an output asks for the connections that it names, and for no
// others, however many there are.
func TestOutputsAskForWhatTheyName(t *testing.T) {
	dir := t.TempDir()
	text := `
connection "c" {
  for_each  = toset([for i in range(500) : format("k%%d", i)])
  provider  = "acme"
  client_id = each.key
}
connection "other" {
  provider  = "acme"
  client_id = "other"
}
locals { second = connection.c["k2"].account }
output "one" { value = "${connection.c["k1"].account} ${local.second}" }
output "all" { value = %s }
`
	for all, want := range map[string]int{`"none"`: 2, `length(connection.c)`: 500} {
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), fmt.Appendf(nil, text, all), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(t.Context(), Source{Dir: dir, OutputsOnly: true})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if len(cfg.Connections) != 0 {
			t.Errorf("%d connections were evaluated", len(cfg.Connections))
		}
		asked := map[addr.Addr]bool{}
		outs, diags := cfg.Outputs(func(a addr.Addr) (cty.Value, bool) {
			asked[a] = true
			v := unknownAttributes().AsValueMap()
			v["account"] = cty.StringVal(a.Key)
			return cty.ObjectVal(v), true
		})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if len(asked) != want {
			t.Errorf("%s: %d connections were asked for, want %d", all, len(asked), want)
		}
		for _, o := range outs {
			if o.Name == "one" && o.Value.AsString() != "k1 k2" {
				t.Errorf("one is %s", o.Value.AsString())
			}
		}
	}
}

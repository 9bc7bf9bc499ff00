package schema_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// manyBlocks writes n connection blocks into files of at most 1,000.
func manyBlocks(n int) map[string]string {
	files := map[string]string{"a.hcl": "variable \"secret\" {\n  sensitive = true\n  default = null\n}\nlocals {\n  tenant = \"contoso\"\n}\n"}
	for from := 0; from < n; from += 1000 {
		var b strings.Builder
		for i := from; i < min(n, from+1000); i++ {
			fmt.Fprintf(&b, `connection "c%d" {
  provider      = "microsoft"
  client_id     = "11111111-2222-3333-4444-%012d"
  client_secret = var.secret
  scopes        = ["User.Read", "Files.ReadWrite.All", "offline_access"]
  redirect_uris = ["http://localhost"]
  tenant        = local.tenant
  token_lifetimes {
    refresh = "90d"
  }
  grant "authorization_code" {
    prompt = "select_account"
  }
}
`, i, i)
		}
		files[fmt.Sprintf("c%05d.hcl", from)] = b.String()
	}
	return files
}

func manyInstances(n int) map[string]string {
	return map[string]string{"main.hcl": fmt.Sprintf(`
variable "secret" {
  sensitive = true
  default   = null
}
locals {
  rows  = [for i in range(100) : [for j in range(%d) : "k${i}-${j}"]]
  sites = { for k in flatten(local.rows) : k => { id = "id-${k}" } }
}
connection "audit" {
  for_each      = local.sites
  provider      = "microsoft"
  client_id     = each.value.id
  client_secret = var.secret
  scopes        = ["User.Read", "Files.ReadWrite.All", "offline_access"]
  redirect_uris = ["https://audits-${each.key}.example.com/auth/callback"]
}
connection "down" {
  for_each  = local.sites
  provider  = "acme"
  client_id = "worker"
  grant "token_exchange" {
    subject_token = connection.audit[each.key].access_token
  }
}
`, n/100)}
}

// manyInASet writes n instances of one block, over a set written out.
func manyInASet(n int) map[string]string {
	var b strings.Builder
	b.WriteString("connection \"c\" {\n  for_each = toset([")
	for i := range n {
		fmt.Fprintf(&b, "\"c%05d\",", i)
	}
	b.WriteString("])\n  provider = \"acme\"\n  client_id = \"client-${each.key}\"\n}\n")
	return map[string]string{"main.hcl": b.String()}
}

func loadMany(tb testing.TB, dir string, want int) {
	tb.Helper()
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir})
	if diags.HasErrors() || len(cfg.Connections) != want {
		tb.Fatal(len(cfg.Connections), diags)
	}
}

// The work grows with the configuration and not with its square.
func TestLoadIsLinear(t *testing.T) {
	for name, shape := range map[string]struct {
		files func(n int) map[string]string
		per   int
	}{"blocks": {manyBlocks, 1}, "instances": {manyInstances, 2}} {
		t.Run(name, func(t *testing.T) {
			allocs := func(n int) float64 {
				dir := write(t, shape.files(n))
				return testing.AllocsPerRun(1, func() { loadMany(t, dir, n*shape.per) })
			}
			small, large := allocs(200), allocs(2000)
			if large > 12*small {
				t.Errorf("10 times the connections take %.1f times the allocations (%.0f, %.0f)", large/small, small, large)
			}
		})
	}
}

func BenchmarkLoad10kBlocks(b *testing.B) {
	dir := write(b, manyBlocks(10_000))
	b.ReportAllocs()
	for b.Loop() {
		loadMany(b, dir, 10_000)
	}
}

func BenchmarkLoad10kInstances(b *testing.B) {
	dir := write(b, manyInstances(10_000))
	b.ReportAllocs()
	for b.Loop() {
		loadMany(b, dir, 20_000)
	}
}

func BenchmarkLoad10kSet(b *testing.B) {
	dir := write(b, manyInASet(10_000))
	b.ReportAllocs()
	for b.Loop() {
		loadMany(b, dir, 10_000)
	}
}

// However many sinks with for_each refer to connections with for_each, each connection
// is looked at once.
func TestSinksShareWhatTheyEvaluate(t *testing.T) {
	const n = 40
	cfg, diags := schema.Load(t.Context(), schema.Source{Dir: write(t, map[string]string{"main.hcl": fmt.Sprintf(`
locals { keys = toset([for i in range(%d) : "k${i}"]) }
connection "a" {
  for_each  = local.keys
  provider  = "github"
  client_id = "x"
}
sink "file" "s" {
  for_each = local.keys
  secrets  = { T = connection.a[each.key].account }
}`, n)})})
	if diags.HasErrors() || len(cfg.Sinks) != n {
		t.Fatal(len(cfg.Sinks), diags)
	}
	asked := 0
	spec := &schema.Spec{Attrs: []schema.Attr{{Name: "for_each", Kind: schema.Static}, {Name: "secrets", Kind: schema.StringMap}}}
	for _, b := range cfg.SinksWith(func(a addr.Addr) (cty.Value, bool) {
		asked++
		return cty.ObjectVal(map[string]cty.Value{"account": cty.StringVal(a.Key)}), true
	}) {
		o, diags := b.Decode(spec, nil)
		if diags.HasErrors() || o.StringMap("secrets")["T"] != b.Addr().Key {
			t.Fatal(b.Addr(), o.StringMap("secrets"), diags)
		}
	}
	if asked != n {
		t.Errorf("%d instances were looked at %d times", n, asked)
	}
}

package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

const recordedConfig = `
variable "tenant" { type = string }
variable "limits" {
  type    = object({ soft = number, hard = optional(number, 7) })
  default = { soft = 3 }
}
variable "pass" {
  sensitive = true
  default   = null
}
variable "unused" { default = "not needed" }

locals {
  host   = "${var.tenant}.example"
  eu     = connection.c["eu \"x\" ${"$"}{y}"].account
  chain  = [local.host, local.eu]
  unused = var.unused
  text   = <<-EOT
    Two lines of ${local.host}
      with "quotes"
  EOT
}

connection "one" {
  provider  = "acme"
  client_id = var.tenant
}
connection "c" {
  for_each  = { "eu \"x\" $${y}" = 1, us = 2, "%%{z}\n" = 3 }
  provider  = "acme"
  client_id = each.key
}
connection "unused" {
  provider  = "acme"
  client_id = "x"
}

output "plain" { value = connection.one.account }
output "parenthesised" { value = (1 + (2)) * (3) }
output "heredoc" {
  value = <<EOT
${local.text}
it is ${connection.one.expires_at}
EOT
}
output "all" { value = { for k, v in connection.c : k => v.account if k != "us" } }
output "splat" { value = values(connection.c)[*].account }
output "chain" { value = join(",", local.chain) }
output "object" {
  description = "of several lines"
  value = {
    limits = var.limits # a comment
    "quoted key" = var.tenant == "a" ? null : upper(var.tenant)
    nested = [for x in [1, 2] : { n = x, s = format("%d-%s", x, "é") }]
  }
}
output "secret" {
  value     = var.pass
  sensitive = true
}
output "token" {
  value     = connection.one.access_token
  sensitive = true
}
output "guarded" {
  value = connection.one.account
  precondition {
    condition     = connection.one.account != var.tenant
    error_message = "It is ${var.tenant}."
  }
}
output "env" {
  value     = env("HOME_SITE", "none")
  sensitive = true
}
output "file" { value = file("words.txt") }
output "nothing" { value = null }
`

const recordedJSONConfig = `{
  "locals": {"j": ["${connection.one.account}", {"k": "${local.host}"}], "deep": "${local.j[0]}"},
  "output": {
    "from_json": {"value": "${local.deep} and ${connection.c[\"us\"].account}", "description": "in JSON"},
    "number": {"value": 17, "precondition": {"condition": "${var.tenant != \"\"}", "error_message": "empty"}},
    "list": {"value": ["a", true, null, {"x": "${var.tenant}"}]}
  }
}`

// What is recorded gives the values that the configuration gives, whatever the
// state has, and nothing but what the outputs need is in it.
func TestRecordedOutputs(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"main.hcl": recordedConfig, "more.hcl.json": recordedJSONConfig, "words.txt": "from a file"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"OAUTHCTL_VAR_tenant": "fabrikam", "OAUTHCTL_VAR_pass": "hunter2-hunter2", "HOME_SITE": "north"}
	src := Source{Dir: dir, LookupEnv: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	cfg, diags := Load(t.Context(), src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rec, err := cfg.Record()
	if err != nil {
		t.Fatal(err)
	}
	text := rec.Files[recordedNative] + rec.Files[recordedJSON]
	if strings.Contains(text, "unused") || strings.Contains(text, "hunter2") {
		t.Errorf("it has more than the outputs need:\n%s", text)
	}
	if got, want := slices.Sorted(maps.Keys(rec.Values)), []string{"limits", "pass", "tenant"}; !slices.Equal(got, want) {
		t.Errorf("values of %v, want %v", got, want)
	}

	env["OAUTHCTL_VAR_tenant"] = "another" // the value at the apply counts
	former, diags := LoadRecorded(t.Context(), src, rec)
	if diags.HasErrors() {
		t.Fatalf("%v in\n%s", diags, text)
	}
	again, err := former.Record()
	if err != nil || !again.Equal(rec) {
		t.Errorf("recorded again it is (%v)\n%s", err, again.Files)
	}
	for n, known := range []Known{
		func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false },
		knownAs("fabrikam"),
		knownAs("alice"),
	} {
		want, wantDiags := cfg.Outputs(known)
		got, gotDiags := former.Outputs(known)
		if len(got) != len(want) || len(want) != 16 || len(gotDiags) != len(wantDiags) {
			t.Fatalf("%d: %d outputs and %v, want %d and %v", n, len(got), gotDiags, len(want), wantDiags)
		}
		for i := range want {
			if got[i].Name != want[i].Name || got[i].Sensitive != want[i].Sensitive || got[i].Description != want[i].Description || !got[i].Value.RawEquals(want[i].Value) {
				t.Errorf("%d: %s is %#v, want %#v", n, want[i].Name, got[i].Value, want[i].Value)
			}
		}
	}
}

func knownAs(account string) Known {
	return func(a addr.Addr) (cty.Value, bool) {
		v := unknownAttributes().AsValueMap()
		v["account"], v["expires_at"] = cty.StringVal(account+a.Key), cty.StringVal("2027-01-01T00:00:00Z")
		v["access_token"] = cty.StringVal("secret of " + a.String()).Mark(Sensitive)
		return cty.ObjectVal(v), true
	}
}

// Of an output that names instances of a connection, only these are recorded.
func TestRecordedInstances(t *testing.T) {
	dir := t.TempDir()
	text := `
connection "c" {
  for_each  = toset([for i in range(500) : format("k%d", i)])
  provider  = "acme"
  client_id = each.key
}
output "one" { value = connection.c["k1"].account }
output "two" { value = connection.c["k2"].account }
`
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(t.Context(), Source{Dir: dir})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, names := range [][]string{nil, {"one"}, {"two"}} {
		rec, err := cfg.Record(names...)
		if err != nil {
			t.Fatal(err)
		}
		text := rec.Files[recordedNative]
		for _, k := range []string{"k1", "k2", "k3"} {
			want := k != "k3" && (names == nil || names[0] == map[string]string{"k1": "one", "k2": "two"}[k])
			if got := strings.Contains(text, fmt.Sprintf("%q = null", k)); got != want {
				t.Errorf("%v: %s is there: %v\n%s", names, k, got, text)
			}
		}
	}
}

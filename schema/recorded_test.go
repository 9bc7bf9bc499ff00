package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
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

// loadRecordable loads the text of a configuration.
func loadRecordable(t *testing.T, text string, env map[string]string) (*Config, Source) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	src := Source{Dir: dir, LookupEnv: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	cfg, diags := Load(t.Context(), src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg, src
}

// What a variable is declared as holds for the value that was recorded: one that is
// sensitive is in no message, and one that is ephemeral is not recorded at all.
func TestRecordedVariablesStaySecret(t *testing.T) {
	const secret = "hunter2-hunter2"
	env := map[string]string{"OAUTHCTL_VAR_pass": secret, "OAUTHCTL_VAR_once": secret}
	cfg, src := loadRecordable(t, `
variable "pass" { sensitive = true }
variable "once" {
  type      = string
  ephemeral = true
}
variable "odd" {
  ephemeral = true
  default   = { "a b" = [1, null], "c\"" = {} }
}
locals { once = "now ${var.once}" }
output "odd" { value = ephemeralasnull(var.odd) }
output "part" { value = ephemeralasnull(var.odd["a b"]) }
output "is" { value = issensitive(var.pass) }
output "once" { value = ephemeralasnull(local.once) }
output "guarded" {
  value = "x"
  precondition {
    condition     = var.once != "" && env("GUARD", "up") == "up"
    error_message = "not with ${var.once}"
  }
}
output "refused" {
  value = "x"
  precondition {
    condition     = nonsensitive(env("GUARD", "up")) == "up"
    error_message = "not with ${var.pass}"
  }
}
output "number" {
  value     = nonsensitive(env("GUARD", "up")) == "up" ? 1 : parseint(var.pass, 10)
  sensitive = true
}
`, env)
	rec, err := cfg.Record()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rec.Values["once"].Reveal()+rec.Files[recordedNative], secret) {
		t.Errorf("an ephemeral value is recorded: %v", rec)
	}
	nothing := func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false }
	former, diags := LoadRecorded(t.Context(), src, rec)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if again, err := former.Record(); err != nil || !again.Equal(rec) {
		t.Errorf("recorded again it is (%v)\n%v", err, again)
	}
	want, _ := cfg.Outputs(nothing)
	got, diags := former.Outputs(nothing)
	if diags.HasErrors() || len(got) != len(want) {
		t.Fatalf("%d outputs, %v", len(got), diags)
	}
	for i := range want {
		if !got[i].Value.RawEquals(want[i].Value) {
			t.Errorf("%s is %#v, want %#v", want[i].Name, got[i].Value, want[i].Value)
		}
	}

	env["GUARD"] = "down" // now there are messages
	former, diags = LoadRecorded(t.Context(), src, rec)
	_, more := former.Outputs(nothing)
	if diags = append(diags, more...); len(diags) < 2 || strings.Contains(diagText(diags), secret) {
		t.Errorf("%s", diagText(diags))
	}
}

func diagText(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// An output that has no value any more keeps its name, how it is written, and
// nobody from the others.
func TestRecordedOutputThatFails(t *testing.T) {
	env := map[string]string{"SITE": "north"}
	cfg, src := loadRecordable(t, `
locals { site = nonsensitive(env("SITE")) }
output "other" { value = "x" }
output "site" { value = "in ${local.site}" }
`, env)
	rec, err := cfg.Record()
	if err != nil {
		t.Fatal(err)
	}
	delete(env, "SITE")
	former, diags := LoadRecorded(t.Context(), src, rec)
	if !diags.HasErrors() {
		t.Error("no error, although the variable is not set")
	}
	outs, _ := former.Outputs(func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false })
	if len(outs) != 2 || !outs[0].Value.RawEquals(cty.StringVal("x")) || outs[1].Value.IsWhollyKnown() {
		t.Fatalf("%#v", outs)
	}
	only, err := former.Record("other")
	if err != nil {
		t.Fatal(err)
	}
	if _, diags := former.Former(t.Context(), only); diags.HasErrors() {
		t.Errorf("what is wrong with one is said of the other: %v", diags)
	}
}

// What came of several files may be larger than one may be.
func TestRecordedOutputsAreLarge(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("x", 1000)
	for _, name := range []string{"a", "b"} {
		var b strings.Builder
		fmt.Fprintf(&b, "output %q { value = local.%s[0] }\nlocals {\n%s = [\n", name, name, name)
		for range maxFile/len(line) - 50 {
			fmt.Fprintf(&b, "%q,\n", line)
		}
		b.WriteString("]\n}\n")
		if err := os.WriteFile(filepath.Join(dir, name+".hcl"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := Load(t.Context(), Source{Dir: dir})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rec, err := cfg.Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, diags := cfg.Former(t.Context(), rec); diags.HasErrors() {
		t.Error(diags)
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

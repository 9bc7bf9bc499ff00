package schema_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

var ownSpec = &schema.Spec{
	Attrs: []schema.Attr{
		{Name: "name", Kind: schema.String, Required: true},
		{Name: "mode", Kind: schema.String, OneOf: []string{"fast", "slow"}},
		{Name: "on", Kind: schema.Bool},
		{Name: "port", Kind: schema.Number},
		{Name: "ttl", Kind: schema.Duration},
		{Name: "hosts", Kind: schema.Strings},
		{Name: "scopes", Kind: schema.ScopeList},
		{Name: "params", Kind: schema.StringMap},
		{Name: "secret", Kind: schema.Sensitive},
		{Name: "any", Kind: schema.Any},
	},
	Blocks: []schema.Nested{
		{Type: "hint", Labels: []string{"error"}, Spec: &schema.Spec{Attrs: []schema.Attr{{Name: "cause", Kind: schema.String}}}},
		{Type: "raw", Max: 1},
	},
}

// block parses one block of the type "thing".
func block(t *testing.T, body string) *schema.Block {
	t.Helper()
	blocks, diags := schema.ParseBlocks("thing.hcl", []byte("thing \"x\" {\n"+body+"\n}\n"), "thing")
	if diags.HasErrors() || len(blocks) != 1 || blocks[0].Labels[0] != "x" || blocks[0].LabelRange[0].Start.Line != 1 {
		t.Fatal(diags, blocks)
	}
	return blocks[0]
}

func TestDecodeGivesEveryKind(t *testing.T) {
	o, diags := block(t, `
name   = upper(arg.name)
mode   = "fast"
on     = "true"
port   = 8085
ttl    = "1d12h"
hosts  = toset(["b", "a"])
scopes = "x y"
params = { a = 1 }
secret = arg.secret
any    = [1, "a"]
hint "invalid_grant" {
  cause = "gone"
}
hint "other" {}
raw {
  nested "deep" {}
}`).Decode(ownSpec, map[string]cty.Value{"arg": cty.ObjectVal(map[string]cty.Value{
		"name":   cty.StringVal("me"),
		"secret": cty.StringVal("canary").Mark(schema.Sensitive),
	})})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if o.String("name") != "ME" || o.String("mode") != "fast" || !o.Bool("on") || o.Int("port") != 8085 || o.Duration("ttl") != 36*time.Hour {
		t.Errorf("%+v", o.Values)
	}
	if diff := cmp.Diff([]string{"a", "b"}, o.Strings("hosts")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x", "y"}, o.Strings("scopes")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "1"}, o.StringMap("params")); diff != "" {
		t.Error(diff)
	}
	if o.Secret("secret").Reveal() != "canary" || !schema.IsSensitive(o.Values["secret"]) || !o.Has("any") || o.Has("nope") {
		t.Error("secret, any or nope")
	}
	hints := o.Nested["hint"]
	if len(hints) != 2 || hints[0].Labels[0] != "invalid_grant" || hints[0].String("cause") != "gone" || hints[1].Has("cause") {
		t.Errorf("%+v", hints)
	}
	raw := o.Nested["raw"][0]
	if _, diags := raw.Block.Decode(&schema.Spec{Blocks: []schema.Nested{{Type: "nested", Labels: []string{"l"}}}}, nil); diags.HasErrors() {
		t.Error(diags)
	}
	if o.Ranges["mode"].Start.Line == 0 || o.Ranges["mode"].Filename != "thing.hcl" {
		t.Error(o.Ranges["mode"])
	}
}

func TestDecodeReportsEverything(t *testing.T) {
	_, diags := block(t, `
mode = "fsat"
on   = "maybe"
port = 1.5
ttl  = "1.5s"
fruit = "x"
hnit "x" {}
raw {}
raw {}
secret = "literal-canary"
params = { client_secret = "literal-canary" }`).Decode(ownSpec, nil)
	var got []string
	for _, d := range diags {
		if strings.Contains(d.Detail, "canary") || d.Subject == nil {
			t.Error(d)
		}
		got = append(got, d.Summary)
	}
	for _, want := range []string{"Invalid value for mode", "Wrong type of value", "Invalid value for port", "Invalid value for ttl", "Unsupported argument", "Unsupported block type", "Too many raw blocks", "Secret written in the configuration", "Missing required argument"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
}

// Getters give the zero value for what is not set, not known or null.
func TestGettersOfNothing(t *testing.T) {
	unknown := cty.ObjectVal(map[string]cty.Value{"x": cty.DynamicVal})
	o, diags := block(t, "name = arg.x\nscopes = [arg.x]\nparams = null\nsecret = arg.x\nany = null\nport = arg.x\nttl = null").Decode(ownSpec, map[string]cty.Value{"arg": unknown})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]string{"name", "port", "scopes", "secret"}, o.Unknown); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"name", "scopes", "params", "secret", "any", "port", "ttl", "never"} {
		if o.Has(name) || o.String("name") != "" || o.Strings(name) != nil || o.StringMap(name) != nil || o.Bool(name) || o.Int(name) != 0 || o.Duration(name) != 0 || !o.Secret(name).Empty() {
			t.Errorf("%s is set", name)
		}
	}
}

func TestParseBlocksRefusesOthers(t *testing.T) {
	for _, text := range []string{"other \"x\" {}\n", "thing {}\n", "thing \"x\" {", "a = 1\n", strings.Repeat("thing \"x\" {\n", 200)} {
		if _, diags := schema.ParseBlocks("x.hcl", []byte(text), "thing"); !diags.HasErrors() {
			t.Errorf("%q is taken", text)
		}
	}
	// A preset sees functions and its arguments, and nothing of the user's.
	_, diags := block(t, "name = env(\"X\")\nmode = var.x\nany = connection.x.y").Decode(ownSpec, nil)
	if len(diags) < 3 {
		t.Error(diags)
	}
}

func TestFormat(t *testing.T) {
	got, diags := schema.Format([]byte("connection  \"a\"{\nx=1\n  longer = 2\n}\n"), "a.hcl")
	if want := "connection \"a\" {\n  x      = 1\n  longer = 2\n}\n"; diags.HasErrors() || string(got) != want {
		t.Errorf("%v %q", diags, got)
	}
	if again, _ := schema.Format(got, "a.hcl"); string(again) != string(got) {
		t.Error("not stable")
	}
	for _, bad := range []string{"a {", strings.Repeat("(", 100_000), "\xff"} {
		if got, diags := schema.Format([]byte(bad), "a.hcl"); !diags.HasErrors() || string(got) != bad {
			t.Errorf("%.10q is taken", bad)
		}
	}
	if _, diags := schema.Format([]byte("{}"), "a.hcl.json"); !diags.HasErrors() {
		t.Error("JSON is taken")
	}
}

func TestLanguageIsDocumented(t *testing.T) {
	var visit func(path string, s *schema.Spec)
	visit = func(path string, s *schema.Spec) {
		if s == nil {
			return
		}
		for _, a := range s.Attrs {
			if a.Doc == "" || !strings.HasSuffix(a.Doc, ".") {
				t.Errorf("%s.%s has no sentence of documentation", path, a.Name)
			}
		}
		for _, n := range s.Blocks {
			if n.Doc == "" {
				t.Errorf("%s.%s has no documentation", path, n.Type)
			}
			visit(path+"."+n.Type, n.Spec)
		}
	}
	for name, n := range schema.Language() {
		if n.Doc == "" {
			t.Errorf("%s has no documentation", name)
		}
		visit(name, n.Spec)
	}
}

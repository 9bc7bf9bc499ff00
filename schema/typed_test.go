package schema_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// What is typed is guarded as files are: no nesting ends the process.
func TestTypedExpressionsAreGuarded(t *testing.T) {
	cfg, diags := try(t, "locals {\n  a = 1\n}\n", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, text := range map[string]string{
		"deep":    strings.Repeat("(", 1_000_00) + "1",
		"not":     strings.Repeat("!", 1_000_00) + "true",
		"long":    strings.Repeat("1+", 1<<20) + "1",
		"control": "\"a\x00b\"",
		"empty":   "",
		"each":    "each.key",
	} {
		v, _, diags := cfg.Evaluate(schema.Typed{Name: "<stdin>", Line: 1, Text: text}, nil)
		if !diags.HasErrors() || v.IsWhollyKnown() {
			t.Errorf("%s: %#v", name, v)
		}
	}
	v, _, diags := cfg.Evaluate(schema.Typed{Name: "<stdin>", Line: 7, Text: "local.a"}, nil)
	if diags.HasErrors() || !v.RawEquals(cty.NumberIntVal(1)) {
		t.Errorf("%#v, %s", v, diags)
	}
}

// A place is that of the input, whatever line it begins in.
func TestTypedExpressionsHavePlaces(t *testing.T) {
	cfg, _ := try(t, "locals {\n  a = 1\n}\n", nil)
	_, _, diags := cfg.Evaluate(schema.Typed{Name: "<stdin>", Line: 7, Text: "[\n  local.b,\n]"}, nil)
	if len(diags) != 1 || diags[0].Subject.Start.Line != 8 {
		t.Fatalf("%+v", diags)
	}
	s, ok := cfg.Sources.Snippet(*diags[0].Subject)
	if !ok || s.Text[s.From:s.To] != "local.b" {
		t.Errorf("%+v", s)
	}
}

func TestContinues(t *testing.T) {
	for text, want := range map[string]bool{
		"1 + 1\n": false, "[\n": true, "{ a = [1,\n": true, "f(1)\n": false, "\"${\n": true, "<<EOT\nx\n": true,
		"<<EOT\nx\nEOT\n": false, ")\n": false, "\"[\"\n": false,
	} {
		if got := schema.Continues(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

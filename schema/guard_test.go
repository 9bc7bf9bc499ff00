package schema_test

import (
	"context"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

// Each of these texts kills the process with a stack overflow, or takes minutes,
// if hcl's parser sees it.
func TestDeepTextIsRefused(t *testing.T) {
	const n = 100_000
	rep := strings.Repeat
	for name, file := range map[string][2]string{
		"parens":          {"a.hcl", "locals {\n a = " + rep("(", n) + "1" + rep(")", n) + "\n}\n"},
		"open parens":     {"a.hcl", "locals {\n a = " + rep("(", n)},
		"lists":           {"a.hcl", "locals {\n a = " + rep("[", n) + rep("]", n) + "\n}\n"},
		"objects":         {"a.hcl", "locals {\n a = " + rep("{a=", n) + "1" + rep("}", n) + "\n}\n"},
		"for":             {"a.hcl", "locals {\n a = " + rep("[for x in ", n) + "1" + rep(": x]", n) + "\n}\n"},
		"blocks":          {"a.hcl", rep("a {\n", n) + rep("}\n", n)},
		"broken blocks":   {"a.hcl", rep("a{\nb=}\n", n)},
		"broken lines":    {"a.hcl", rep("a {\n b = 1 2 }\n", 70_000)},
		"templates":       {"a.hcl", "locals {\n a = " + rep(`"${`, n) + "1" + rep(`}"`, n) + "\n}\n"},
		"directives":      {"a.hcl", "locals {\n a = \"" + rep("%{if true}", n) + rep("%{endif}", 5) + "\"\n}\n"},
		"heredoc":         {"a.hcl", "locals {\n a = <<E\n" + rep("%{for x in y}", 70_000) + "\nE\n}\n"},
		"not":             {"a.hcl", "locals {\n a = " + rep("!", n) + "true\n}\n"},
		"minus":           {"a.hcl", "locals {\n a = " + rep("-", n) + "1\n}\n"},
		"minus spaced":    {"a.hcl", "locals {\n a = (" + rep("-\n", n) + "1)\n}\n"},
		"plus":            {"a.hcl", "locals {\n a = 1" + rep("+1", n) + "\n}\n"},
		"equal":           {"a.hcl", "locals {\n a = 1" + rep("==1", n) + "\n}\n"},
		"not equal":       {"a.hcl", "locals {\n a = 1" + rep("!=1", n) + "\n}\n"},
		"at least":        {"a.hcl", "locals {\n a = 1" + rep(">=1", n) + "\n}\n"},
		"conditional":     {"a.hcl", "locals {\n a = " + rep("true?1:", n) + "1\n}\n"},
		"condition lines": {"a.hcl", "locals {\n a = {for x in y: " + rep("true?1:\n", n) + "1\n}\n}\n"},
		"for lines":       {"a.hcl", "locals {\n a = {\n # x\n for x in y: " + rep("true?1:\n", n) + "1\n}\n}\n"},
		"index":           {"a.hcl", "locals {\n a = b" + rep("[b]", n) + "\n}\n"},
		"splat":           {"a.hcl", "locals {\n a = b" + rep("[*]", n) + "\n}\n"},
		"calls":           {"a.hcl", "locals {\n a = " + rep("f(", n) + rep(")", n) + "\n}\n"},
		"json arrays":     {"a.hcl.json", `{"locals":` + rep("[", n) + rep("]", n) + "}"},
		"json objects":    {"a.hcl.json", rep(`{"a":`, n) + "1" + rep("}", n)},
		"json mismatch":   {"a.hcl.json", `{"locals":` + rep("["+rep("[", 50)+"x"+rep("}", 50)+"]", 3000)},
		"json string":     {"a.hcl.json", `{"locals":{"a":"${` + rep("(", n) + `1"}}`},
		"json escapes":    {"a.hcl.json", `{"locals":{"a":"\u0024{` + rep(`\u0028`, n) + `1"}}`},
		"json type":       {"a.hcl.json", `{"variable":{"a":{"type":"` + rep("list(", n) + `","default":null}}}`},
		"json prepend":    {"a.hcl.json", "[\"\u0600\",\"" + rep("[", n) + `"]`},
		"json decoded":    {"a.hcl", "locals {\n a = jsondecode(file(\"deep.txt\"))\n}\n"},
		"number":          {"a.hcl", "locals {\n a = \"${1e1000000000}\"\n}\n"},
		"json number":     {"a.hcl.json", `{"locals":{"a":1e1000000000}}`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{file[0]: file[1], "deep.txt": rep("[", n) + rep("]", n)})
			_, diags := schema.Load(context.Background(), schema.Source{Dir: dir})
			if !diags.HasErrors() {
				t.Fatal("accepted")
			}
			if len(diags) > 1 || diags[0].Subject == nil {
				t.Errorf("want one error with a place, got %d: %v", len(diags), diags)
			}
			t.Log(diags[0].Summary)
		})
	}
}

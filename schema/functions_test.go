package schema_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema"
)

// A few expressions whose results a Terraform user knows. The left side is
// compared with the right side by the language itself.
func TestFunctionsHaveTerraformsResults(t *testing.T) {
	for left, right := range map[string]string{
		`alltrue([true, "true"])`:                     `true`,
		`alltrue([])`:                                 `true`,
		`anytrue([false, null, true])`:                `true`,
		`anytrue([])`:                                 `false`,
		`base64encode("ü")`:                           `"w7w="`,
		`base64decode("w7w=")`:                        `"ü"`,
		`coalesce(null, "", "b")`:                     `""`,
		`endswith("abc", "bc")`:                       `true`,
		`startswith("abc", "bc")`:                     `false`,
		`strcontains("abc", "b")`:                     `true`,
		`index(["a", "b"], "b")`:                      `1`,
		`join(",", sort(["b", "a"]))`:                 `"a,b"`,
		`jsondecode("{\"a\": [1]}").a[0]`:             `1`,
		`jsonencode({ a = [1] })`:                     `"{\"a\":[1]}"`,
		`length("äb")`:                                `2`,
		`length({ a = 1 })`:                           `1`,
		`length([1, 2])`:                              `2`,
		`length(toset(["a", "a"]))`:                   `1`,
		`lookup({ a = "x" }, "a")`:                    `"x"`,
		`lookup({ a = "x" }, "b", "y")`:               `"y"`,
		`lookup(tomap({ a = "x" }), "b", "y")`:        `"y"`,
		`matchkeys(["i", "j"], ["a", "b"], ["b"])[0]`: `"j"`,
		`one([])`:                                `null`,
		`one(["a"])`:                             `"a"`,
		`replace("a.b", ".", "-")`:               `"a-b"`,
		`replace("a1b2", "/[0-9]/", "")`:         `"ab"`,
		`sha256("")`:                             `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`,
		`substr(sha512(""), 0, 8)`:               `"cf83e135"`,
		`sum([1, 2.5])`:                          `3.5`,
		`timeadd("2026-01-31T00:00:00Z", "24h")`: `"2026-02-01T00:00:00Z"`,
		`timecmp("2026-01-31T00:00:00Z", "2026-01-31T01:00:00+01:00")`: `0`,
		`tonumber("5") + 1`:                             `6`,
		`transpose({ a = ["x"], b = ["x", "y"] }).x[1]`: `"b"`,
		`try(local.nothing.at.all, "b")`:                `"b"`,
		`can(tonumber("x"))`:                            `false`,
		`urlencode("a b&c")`:                            `"a+b%26c"`,
		`urldecode("a+b%26c")`:                          `"a b&c"`,
		`env("HOME_OF")`:                                `"here"`,
		`env("MISSING", "there")`:                       `"there"`,
		`env("MISSING", null)`:                          `null`,
		`issensitive(env("HOME_OF"))`:                   `true`,
		`issensitive(nonsensitive(env("HOME_OF")))`:     `false`,
		`issensitive([sensitive("x")])`:                 `true`,
		`issensitive(nonsensitive([sensitive("x")]))`:   `false`,
		`issensitive("x${sensitive("x")}")`:             `true`,
		`fileexists("main.hcl")`:                        `true`,
		`fileexists("nope.hcl")`:                        `false`,
	} {
		text := fmt.Sprintf("locals {\n  nothing = {}\n}\noutput \"o\" {\n  value = nonsensitive(jsonencode(%s)) == jsonencode(%s)\n}\n", left, right)
		cfg, diags := try(t, text, map[string]string{"HOME_OF": "here"})
		if diags.HasErrors() {
			t.Errorf("%s: %s", left, diags)
			continue
		}
		outs, diags := cfg.Outputs(nil)
		if diags.HasErrors() || !outs[0].Value.True() {
			t.Errorf("%s is not %s (%v)", left, right, diags)
		}
	}
}

// Sensitive arguments make sensitive results, and no function breaks on them, on
// null or on what is not known.
func TestFunctionsTakeAnything(t *testing.T) {
	args := []string{`env("S")`, `[env("S")]`, `{ a = env("S") }`, `null`, `connection.graph.account`, `connection.graph.scopes`, `connection.graph`, `[connection.graph.account]`, `1`, `""`, `[]`, `{}`, `toset(["a", env("S")])`, `[null]`}
	for _, name := range schema.FunctionNames() {
		var b strings.Builder
		b.WriteString(simple)
		n := 0
		for _, x := range args {
			fmt.Fprintf(&b, "output \"o%d\" {\n  sensitive = true\n  value = %s(%s)\n}\n", n, name, x)
			n++
			for _, y := range args {
				fmt.Fprintf(&b, "output \"o%d\" {\n  sensitive = true\n  value = %s(%s, %s)\n}\n", n, name, x, y)
				fmt.Fprintf(&b, "output \"p%d\" {\n  sensitive = true\n  value = %s(%s, %s, %s)\n}\n", n, name, y, x, y)
				n++
			}
		}
		cfg, diags := try(t, b.String(), map[string]string{"S": "hunter2-canary"})
		for _, d := range diags {
			if strings.Contains(d.Summary+d.Detail, "hunter2") {
				t.Errorf("%s: %s: %s", name, d.Summary, d.Detail)
			}
		}
		for _, d := range diags {
			if s, ok := cfg.Sources.Snippet(*d.Subject); ok && s.To < s.From {
				t.Errorf("%s: snippet %v", name, s)
			}
		}
	}
}

// docs/functions.md lists every function once, and every one that is left out.
func TestFunctionsPage(t *testing.T) {
	page, err := os.ReadFile("../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	have, leftOut, _ := strings.Cut(string(page), "## Left out")
	names := func(text string) []string {
		var out []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9]+)").FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
		slices.Sort(out)
		return out
	}
	if diff := cmp.Diff(schema.FunctionNames(), names(have)); diff != "" {
		t.Errorf("functions (-language +page):\n%s", diff)
	}
	if diff := cmp.Diff(schema.FunctionsLeftOut(), names(leftOut)); diff != "" {
		t.Errorf("left out (-language +page):\n%s", diff)
	}
}

package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

// A template has what it is given, and nothing else.
func TestTemplates(t *testing.T) {
	const config = "variable \"secret\" {\n  sensitive = true\n  default   = \"hunter2-canary\"\n}\noutput \"o\" {\n  sensitive = SENSITIVE\n  value     = EXPR\n}\n"
	deep := strings.Repeat("${\"", 5000)
	files := map[string]string{
		"a.tmpl":     "Hello ${name}!%{ for s in scopes } ${s}%{ endfor }",
		"b.tmpl":     "${n}",
		"list.tmpl":  "${l}",
		"var.tmpl":   "${var.secret}",
		"miss.tmpl":  "x\n${nam}",
		"twice.tmpl": "${templatefile(\"a.tmpl\", {})}",
		"env.tmpl":   "${env(\"HOME_OF\")}",
		"fail.tmpl":  "${tonumber(name)}",
		"deep.tmpl":  deep,
		"open.tmpl":  "${",
	}
	for name, c := range map[string]struct{ expr, want, wrong string }{
		"file":           {expr: `templatefile("a.tmpl", { name = "you", scopes = ["a", "b"] })`, want: "Hello you! a b"},
		"number":         {expr: `templatefile("b.tmpl", { n = 1.5 })`, want: "1.5"},
		"map":            {expr: `templatefile("b.tmpl", tomap({ n = "x" }))`, want: "x"},
		"sensitive":      {expr: `templatefile("b.tmpl", { n = var.secret })`, wrong: "comes from something sensitive"},
		"env":            {expr: `templatefile("env.tmpl", {})`, wrong: "comes from something sensitive"},
		"list":           {expr: `templatefile("list.tmpl", { l = [] })`, wrong: "gives a list, and not text"},
		"var":            {expr: `templatefile("var.tmpl", {})`, wrong: `refers to "var" at var.tmpl:1, which is not among`},
		"missing":        {expr: `templatefile("miss.tmpl", { name = "x" })`, wrong: `The template refers to "nam" at miss.tmpl:2, which is not among the names that it is given (did you mean "name"?).`},
		"twice":          {expr: `templatefile("twice.tmpl", {})`, wrong: "no function named"},
		"outside":        {expr: `templatefile("../a.tmpl", {})`, wrong: "not inside the configuration directory"},
		"not there":      {expr: `templatefile("c.tmpl", {})`, wrong: "cannot be read"},
		"not an object":  {expr: `templatefile("a.tmpl", "x")`, wrong: "Want an object"},
		"secret reason":  {expr: `templatefile("fail.tmpl", { name = var.secret })`, wrong: "the reason is not shown"},
		"deep":           {expr: `templatefile("deep.tmpl", {})`, wrong: "100 levels deep"},
		"open":           {expr: `templatefile("open.tmpl", {})`, wrong: "The template is wrong at open.tmpl:1: "},
		"string":         {expr: `templatestring("a $${b}", { b = "c" })`, want: "a c"},
		"string outside": {expr: `templatestring("$${env(\"HOME_OF\")}", {})`, wrong: "no function named"},
		"string secret":  {expr: `templatestring(var.secret, {})`, wrong: "comes from something sensitive"},
	} {
		dir := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := strings.NewReplacer("SENSITIVE", "false", "EXPR", c.expr).Replace(config)
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, LookupEnv: func(string) (string, bool) { return "here", true }})
		if c.wrong == "" {
			outs, more := cfg.Outputs(nil)
			if diags.HasErrors() || more.HasErrors() || outs[0].Value.AsString() != c.want {
				t.Errorf("%s: %s %s %#v", name, diags, more, outs)
			}
			continue
		}
		all := ""
		for _, d := range diags {
			all += d.Summary + ": " + d.Detail + "\n"
		}
		if !strings.Contains(all, c.wrong) || strings.Contains(all, "hunter2") {
			t.Errorf("%s: %s", name, all)
		}
	}
}

package schema_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

// In every line of these files that a snippet could show, the word "canary"
// stands in a secret, and must not be seen; the word "shown" must.
func TestLinesHideSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"simple":           `client_secret = "canary" # canary`,
		"json":             `{"connection": {"shown": {"client_secret": "canary", "client_id": "shown"}}}`,
		"json lines":       "{\"connection\": {\n\"shown\": {\n\"client_secret\":\n\"canary\",\n\"client_id\": \"shown\"}}}",
		"json broken":      "{\"connection\": {\n\"client_secret\": \"canary,\n\"client_id\": \"shown\"}}}",
		"other names":      "password = \"canary\"\napi_key = \"canary\"\nprivate_key=\"canary\"\nmy_token = \"canary\"\nid = \"shown\"",
		"misspelt":         "client_secert = \"canary\"\npasword = \"canary\"\nscope = \"shown\"",
		"heredoc":          "connection \"shown\" {\nprivate_key = <<EOT\ncanary 1\n  canary ${var.shown} canary\nEOT\nx = \"shown\"\n}",
		"broken heredoc":   "connection \"shown\" {\nprivate_key = <<-EOT\n canary = ${\n canary\n  EOT\nx = \"shown\"\n",
		"lists":            "connection \"shown\" {\nclient_secret = [\n\"canary\",\n\"canary\"]\nx = \"shown\"\n}",
		"broken list":      "connection \"shown\" {\na = \"x\nclient_secret = [\n\"canary\",\n\"canary\"]\nx = 1\n}",
		"unclosed":         "connection \"shown\" {\na = \"x\nclient_secret = \"canary\"\n}",
		"unclosed itself":  "connection \"shown\" {\nclient_secret = \"canary\nx = \"y\"\n}",
		"bare":             "client_secret = canary-canary.canary",
		"single quotes":    "client_secret = 'canary'",
		"numbers":          "client_secret = 31337 # no canary",
		"references":       `client_secret = var.shown`,
		"functions":        `client_secret = trimspace("canary${file("shown")}")`,
		"env":              `client_secret = env("shown")`,
		"env default":      `client_secret = env("shown", "canary")`,
		"nested":           "a = { b = { client_secret = \"canary\", c = \"shown\" } }",
		"one line":         `connection "x" { client_secret = "canary" }`,
		"variable":         "variable \"x\" {\n  default = \"canary\"\n  sensitive = true\n}\nlocals {\n a = \"shown\"\n}",
		"variable after":   "variable \"x\" {\n  sensitive = true\n  default = {\n    a = \"canary\"\n  }\n}",
		"variable open":    "variable \"x\" {\n  sensitive = true\n  default = \"canary\"\n",
		"variable by name": "variable \"client_secret\" {\n  default = \"canary\"\n}\nvariable \"x\" {\n  default = \"shown\"\n}",
		"variable json":    `{"variable": {"x": {"default": "canary", "sensitive": true}, "y": {"default": "shown"}}}`,
		"not sensitive":    "variable \"x\" {\n  default = \"shown\"\n  sensitive = false\n}",
		"comment":          "# client_secret = \"canary\"\nx = \"shown\"",
		"harmless names":   "token_endpoint = \"shown\"\ntoken_lifetimes {}\nsubject_token_type = \"shown\"\nx_refresh_token_expires_in = \"shown\"\ntoken_lifetime = \"shown\"",
	} {
		t.Run(name, func(t *testing.T) {
			file := "a.hcl"
			if strings.HasPrefix(text, "{") {
				file = "a.hcl.json"
			}
			dir := write(t, map[string]string{file: text})
			cfg, _ := schema.Load(context.Background(), schema.Source{Dir: dir})
			files := cfg.Sources.Files()
			if len(files) != 1 {
				t.Fatal(files)
			}
			var shown []string
			for n := 1; ; n++ {
				line, ok := cfg.Sources.Line(files[0], n)
				if !ok {
					break
				}
				shown = append(shown, line)
			}
			all := strings.Join(shown, "\n")
			if strings.Contains(all, "canary") || strings.Contains(all, "31337") {
				t.Errorf("a secret is shown:\n%s", all)
			}
			broken := strings.Contains(name, "broken") // then too much may be hidden
			if got, want := strings.Count(all, "shown"), strings.Count(text, "shown"); got != want && !broken {
				t.Errorf("%d of %d words are shown:\n%s", got, want, all)
			}
			if got, want := len(shown), strings.Count(text, "\n")+1; got != want {
				t.Errorf("%d lines, want %d", got, want)
			}
		})
	}
}

// Literals that flow into a secret are hidden where they stand, whatever they are called.
func TestLinesHideWhatFlowsIntoSecrets(t *testing.T) {
	text := `
locals {
  plain = "shown"
  x     = { y = "canary" }
}
variable "z" {
  default = "canary"
}
connection "a" {
  provider      = "shown"
  client_id     = local.plain
  client_secret = var.z
}
connection "b" {
  provider      = "shown"
  client_id     = "shown"
  client_secret = local.x.y
}
`
	cfg, diags := try(t, text, nil)
	if len(diags) != 2 {
		t.Error(diags)
	}
	var all strings.Builder
	for n := 1; n < 25; n++ {
		line, _ := cfg.Sources.Line(cfg.Sources.Files()[0], n)
		all.WriteString(line + "\n")
	}
	if strings.Contains(all.String(), "canary") || strings.Count(all.String(), "shown") != 4 {
		t.Error(all.String())
	}
}

func TestFilesWithValuesAreNotShown(t *testing.T) {
	dir := write(t, map[string]string{
		"a.hcl":              "variable \"a\" {\n  type = number\n}\n",
		"oauthctl.oauthvars": "a = \"canary\"\nundeclared = \"canary\"\n",
	})
	cfg, diags := schema.Load(context.Background(), schema.Source{Dir: dir})
	if text := render(t, dir, cfg, diags); strings.Contains(text, "canary") || !strings.Contains(text, "undeclared") {
		t.Error(text)
	}
}

func TestSnippets(t *testing.T) {
	text := "# \u202e\x1b[31m é\u2028\U000e0911\nlocals {\n\tclient_secret = \"x\" == var.b\n  a = \"é\"\n}\nvariable \"b\" {\n  default = 1\n}\r\n"
	at := strings.Index(text, "var.b")
	cfg := load(t, text, nil)
	file := cfg.Sources.Files()[0]
	if line, _ := cfg.Sources.Line(file, 1); strings.ContainsAny(line, "\x1b\u202e\u2028\U000e0911") || !strings.Contains(line, `\u202e\u001b[31m`) {
		t.Errorf("%q could act on a terminal", line)
	}
	s, ok := cfg.Sources.Snippet(hcl.Range{Filename: file, Start: hcl.Pos{Line: 3, Byte: at}, End: hcl.Pos{Line: 3, Byte: at + 5}})
	if !ok || s.Text[s.From:s.To] != "var.b" {
		t.Errorf("%+v", s)
	}
	if _, ok := cfg.Sources.Line(file, 0); ok {
		t.Error("line 0")
	}
	if _, ok := cfg.Sources.Line(file, 99); ok {
		t.Error("line 99")
	}
	if _, ok := cfg.Sources.Line("nope", 1); ok {
		t.Error("no file")
	}
}

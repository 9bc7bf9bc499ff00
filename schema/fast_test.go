package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// What the quick look lets pass, the look at the tokens has to let pass too: the
// second is what keeps the parser's stack small.
func FuzzPlainlyShallow(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.txtar")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "", 0)
	}
	for _, part := range []string{"(", "[", "{", "a {\n", "{a=", "{\nfor x in y:", "!", "-\n", "1?2:", "x[0]", "\"${", "a{\nb=}\n", "a {\n}\n", "# {\n", "// [\n", "/* \n", "\"\\\"", "\"$", "\"%", "<<E\n", "1e", "f(", ", ", "=\n"} {
		for _, lead := range []string{"a = ", "a {\n b = ", "a = [", "a = { ", "a = \"$", "# x\n", "a = { # c\n"} {
			f.Add(lead, part, 300)
		}
	}
	f.Fuzz(func(t *testing.T, lead, part string, n int) {
		if n < 0 || n > 2000 || len(part) > 20 {
			return
		}
		text := []byte(lead + strings.Repeat(part, n))
		if checkBytes("a.hcl", text) != nil || !plainlyShallow(text) {
			return
		}
		tokens, _ := hclsyntax.LexConfig(text, "a.hcl", hcl.InitialPos)
		if d := checkTokens(tokens); d != nil {
			t.Errorf("the quick look lets pass: %s", d)
		}
	})
}

// Ordinary configurations are measured by the quick look.
func TestOrdinaryTextIsPlain(t *testing.T) {
	text := `# a comment
connection "graph" { // another
  provider  = "microsoft"
  client_id = "x-1" # {
  scopes    = ["a/b", "c\"d", "100%"]
  grant "authorization_code" { prompt = "select_account" }
  token_lifetimes {
    refresh = "90d"
  }
}
`
	if !plainlyShallow([]byte(text)) {
		t.Error("has to be lexed twice")
	}
	for name, text := range map[string]string{
		"template": `a = "${b}"`,
		"heredoc":  "a = <<E\nE\n",
		"unclosed": "a {\n",
		"exponent": "a = 1e1000000000",
		"for":      "a = {\n for x in y : x => x\n}\n",
	} {
		if plainlyShallow([]byte(text)) {
			t.Errorf("%s: passes for plain", name)
		}
	}
}

package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
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
	for _, part := range []string{"(", "[", "{", "a {\n", "{a=", "{\nfor x in y:", "!", "-\n", "1?2:", "x[0]", "\"${", "a{\nb=}\n", "a {\n}\n", "# {\n", "// [\n", "/* \n", "\"\\\"", "\"$", "\"%", "\"${a.b}\"\n", "\n", "a \"b\" {}\n", "\ufeffa {}\n", "<<E\n", "1e", "f(", ", ", "=\n"} {
		for _, lead := range []string{"a = ", "a {\n b = ", "a = [", "a = { ", "a = \"$", "# x\n", "a = { # c\n"} {
			f.Add(lead, part, 300)
		}
	}
	f.Fuzz(func(t *testing.T, lead, part string, n int) {
		if n < 0 || n > 2000 || len(part) > 20 {
			return
		}
		text := []byte(lead + strings.Repeat(part, n))
		if checkBytes("a.hcl", text) != nil {
			return
		}
		parts, ok := plainlyShallow(text)
		if !ok {
			return
		}
		tokens, _ := hclsyntax.LexConfig(text, "a.hcl", hcl.InitialPos)
		if d := checkTokens(tokens); d != nil {
			t.Errorf("the quick look lets pass: %s", d)
		}
		sameInParts(t, text, parts)
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
  account   = "${var.name}@contoso.com"
  token_lifetimes {
    refresh = "90d"
  }
}
`
	if _, ok := plainlyShallow([]byte(text)); !ok {
		t.Error("has to be lexed twice")
	}
	for name, text := range map[string]string{
		"template": `a = "${b(c)}"`,
		"escape":   `a = "$${b}"`,
		"index":    `a = "${b.1e1000000000}"`,
		"if":       `a = "%{b}"`,
		"heredoc":  "a = <<E\nE\n",
		"unclosed": "a {\n",
		"exponent": "a = 1e1000000000",
		"for":      "a = {\n for x in y : x => x\n}\n",
	} {
		if _, ok := plainlyShallow([]byte(text)); ok {
			t.Errorf("%s: passes for plain", name)
		}
	}
}

// sameInParts holds that parsing in parts makes what parsing the whole makes.
func sameInParts(t *testing.T, text []byte, starts []hcl.Pos) {
	t.Helper()
	f := parseParts("a.hcl", text, starts)
	if f == nil {
		return
	}
	whole, diags := hclsyntax.ParseConfig(text, "a.hcl", hcl.InitialPos)
	if len(diags) > 0 {
		t.Fatalf("the parts parse, and the whole does not: %s", diags)
	}
	if !reflect.DeepEqual(f.Body, whole.Body) {
		t.Error("the parts make another body than the whole")
	}
}

// A large file is parsed in parts, with the places of the whole.
func TestLargeFileInParts(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "connection \"c%d\" { # %c\r\n  client_id = \"${each.key}-ä\"\n  scopes = [\n \"a\", \"b\",\n]\n  grant \"x\" {}\n}\n", i, 'a'+i%26)
		if i%3 == 0 {
			b.WriteString("// between\n\n  locals { a = 1 }\n")
		}
	}
	text := []byte(b.String())
	parts, ok := plainlyShallow(text)
	if !ok || len(parts) < len(text)/partSize/2 {
		t.Fatalf("%d bytes are in %d parts", len(text), len(parts))
	}
	if parseParts("a.hcl", text, parts) == nil {
		t.Fatal("not parsed in parts")
	}
	sameInParts(t, text, parts)

	// Mistakes are those of the whole.
	wrong := []byte(b.String() + "connection \"x\" {\n a = b c\n}\n")
	_, diags := parseFile("a.hcl", wrong)
	_, want := hclsyntax.ParseConfig(wrong, "a.hcl", hcl.InitialPos)
	if !reflect.DeepEqual(diags, want) || !diags.HasErrors() {
		t.Errorf("got %s, want %s", diags, want)
	}

	// So are attributes at the top, which could be there twice.
	if _, diags := parseFile("a.hcl", []byte("a = 1\n"+b.String()+"a = 2\n")); !diags.HasErrors() {
		t.Error("an attribute at the top stands there twice")
	}
}

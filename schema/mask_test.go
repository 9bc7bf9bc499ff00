package schema

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
)

// The end of a value is where counting brackets from its start leads.
func TestValueEnds(t *testing.T) {
	texts := []string{"a = {b = [1, (2)], c = \"${d}\"}\ne = f", "a = {b = {", "a = }]) b = 1\n", "a = [\n1,\n# x\n2] // y\nb = <<E\n${c}\nE\n", "", "}"}
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			texts = append(texts, string(f.Data))
		}
	}
	for _, text := range texts {
		toks, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
		for i, end := range valueEnds(toks) {
			if want := countedEnd(toks, i); end != want {
				t.Fatalf("the value at token %d of %q ends at %d, want %d", i, text, end, want)
			}
		}
	}
}

func countedEnd(toks hclsyntax.Tokens, i int) int {
	depth := 0
	for ; i < len(toks); i++ {
		switch t := toks[i]; t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if depth--; depth < 0 {
				return i
			}
		case hclsyntax.TokenNewline, hclsyntax.TokenComma:
			if depth == 0 {
				return i
			}
		case hclsyntax.TokenComment:
			if depth == 0 && bytes.HasSuffix(t.Bytes, []byte("\n")) {
				return i
			}
		}
	}
	return i
}

// Secrets that lie inside each other are all kept out, and in no more time than
// others.
func TestNestedSecretsAreMaskedOnce(t *testing.T) {
	const n = 50_000
	for name, text := range map[string]string{
		"attributes": "locals {\n a = " + strings.Repeat("{token = ", n) + `"c4n4ry"` + strings.Repeat("}", n) + "\n}\n",
		"defaults":   "locals {\n a = " + strings.Repeat("{token={default=", n/2) + `"c4n4ry"` + strings.Repeat("}}", n/2) + "\n}\n",
	} {
		s := newSources()
		f := s.add("a.hcl", []byte(text))
		if line, ok := s.Line("a.hcl", 2); !ok || strings.Contains(line, "c4n4ry") {
			t.Errorf("%s: the secret is shown", name)
		}
		if !strings.Contains(string(f.text), "c4n4ry") {
			t.Errorf("%s: the secret was not there", name)
		}
	}
}

package sink_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
)

var update = flag.Bool("update", false, "write the tables of docs/sinks.md")

const (
	sinksPage  = "../../docs/sinks.md"
	kindsBegin = "<!-- kinds: written by go test ./engine/sink -run Page -update -->\n"
	kindsEnd   = "<!-- end of kinds -->\n"
)

// The page has a table of every kind, written from the tables that decode, and an
// example, which the tests of the pages load.
func TestSinksPage(t *testing.T) {
	text, err := os.ReadFile(sinksPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), kindsBegin)
	_, after, ended := strings.Cut(rest, kindsEnd)
	if !found || !ended {
		t.Fatal("the place of the tables is gone")
	}
	want := before + kindsBegin + kinds() + kindsEnd + after
	if *update {
		if err := os.WriteFile(sinksPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		text = []byte(want)
	}
	if string(text) != want {
		t.Error("docs/sinks.md is not what the tables say; write it with: go test ./engine/sink -run Page -update")
	}
	for _, kind := range sink.Types() {
		if !strings.Contains(before+after, "\nsink \""+kind.Name+"\" ") {
			t.Errorf("docs/sinks.md has no example of %s", kind.Name)
		}
	}
}

func kinds() string {
	var b strings.Builder
	for _, kind := range sink.Types() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", kind.Name, kind.Doc)
		arguments(&b, kind.Spec)
	}
	b.WriteString("\n### Every kind\n\n")
	every := sink.Type{Spec: &schema.Spec{}}
	arguments(&b, every.FullSpec())
	b.WriteByte('\n')
	return b.String()
}

func arguments(b *strings.Builder, spec *schema.Spec) {
	b.WriteString("| argument | | default |\n|---|---|---|\n")
	for _, a := range spec.Attrs {
		text := a.Doc
		if len(a.OneOf) > 0 {
			text += " One of `" + strings.Join(a.OneOf, "`, `") + "`."
		}
		if a.Kind == schema.Sensitive {
			text += " Never a literal."
		}
		without := cmp.Or(a.Default, "none")
		if a.Required {
			without = "required"
		} else if a.Default != "" {
			without = "`" + without + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Name, text, without)
	}
	for _, n := range spec.Blocks {
		fmt.Fprintf(b, "\nBlock `%s`: %s\n\n", n.Type, n.Doc)
		if n.Spec != nil {
			arguments(b, n.Spec)
		}
	}
}

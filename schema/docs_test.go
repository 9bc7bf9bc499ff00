package schema_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema"
)

// Every block of HCL on the page is a configuration.
func TestLanguagePage(t *testing.T) {
	page, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 5 {
		t.Fatal("the blocks are gone")
	}
	for _, b := range blocks {
		cfg, diags := schema.Load(context.Background(), schema.Source{Dir: write(t, map[string]string{"a.hcl": b[1]}), MakeUp: true, Version: "0.1.0"})
		if len(diags) > 0 {
			t.Error(render(t, "", cfg, diags))
		}
		if formatted, _ := schema.Format([]byte(b[1]), "a.hcl"); string(formatted) != b[1] {
			t.Errorf("not in the canonical layout:\n%s", b[1])
		}
	}
	// The tables list every argument of the language.
	for name, n := range schema.Language() {
		if n.Spec == nil {
			continue
		}
		for _, a := range n.Spec.Attrs {
			if !strings.Contains(string(page), "`"+a.Name+"`") && !strings.Contains(string(page), a.Name+" ") {
				t.Errorf("%s.%s is not on the page", name, a.Name)
			}
		}
	}
}

package engine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// Every block of HCL on the page of a provider is a valid configuration, in the
// canonical layout.
func TestProviderPages(t *testing.T) {
	for _, name := range []string{"sharepoint"} {
		page, err := os.ReadFile("../docs/providers/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(string(page), -1)
		if len(blocks) == 0 {
			t.Errorf("%s: no blocks", name)
		}
		for _, b := range blocks {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(b[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, MakeUp: true})
			e := engine.New(engine.Options{Catalog: providers.New(), Now: time.Now})
			if diags = append(diags, e.Validate(t.Context(), cfg)...); len(diags) > 0 {
				t.Errorf("%s: %v\n%s", name, diags, b[1])
			}
			if formatted, _ := schema.Format([]byte(b[1]), "main.hcl"); string(formatted) != b[1] {
				t.Errorf("%s: not in the canonical layout:\n%s", name, b[1])
			}
		}
	}
}

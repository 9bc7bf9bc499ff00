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

// Every block of HCL on the pages about providers is a valid configuration of
// its own, without any environment.
func TestProviderPages(t *testing.T) {
	pages, err := filepath.Glob("../docs/providers/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	fence := regexp.MustCompile("(?s)\n```hcl\n(.*?)\n```\n")
	for _, page := range pages {
		if filepath.Base(page) == "README.md" { // a reference, with pieces of blocks
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(block[1]), 0o600); err != nil {
					t.Fatal(err)
				}
				cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, MakeUp: true})
				if !diags.HasErrors() {
					e := engine.New(engine.Options{Catalog: providers.New(), Now: time.Now})
					diags = append(diags, e.Validate(t.Context(), cfg)...)
				}
				if diags.HasErrors() {
					t.Errorf("%v\n%s", diags, block[1])
				}
			}
		})
	}
}

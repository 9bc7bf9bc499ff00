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

// Every block of HCL on the page is a valid configuration.
func TestClientAuthenticationPage(t *testing.T) {
	page, err := os.ReadFile("../docs/client-authentication.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 2 {
		t.Fatal("the blocks are gone")
	}
	for _, b := range blocks {
		dir := t.TempDir()
		for name, text := range map[string]string{"main.hcl": b[1], "app.crt": "the sandbox makes up key and certificate"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, MakeUp: true})
		e := engine.New(engine.Options{Catalog: providers.New(), Now: time.Now})
		if diags = append(diags, e.Validate(t.Context(), cfg)...); len(diags) > 0 {
			t.Errorf("%v\n%s", diags, b[1])
		}
		if formatted, _ := schema.Format([]byte(b[1]), "main.hcl"); string(formatted) != b[1] {
			t.Errorf("not in the canonical layout:\n%s", b[1])
		}
	}
}

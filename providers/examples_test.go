package providers_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// Every example is a configuration of its own that loads with an empty
// environment, and all its servers are known.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*.hcl")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, diags := schema.Load(t.Context(), schema.Source{File: file, MakeUp: true})
			if len(diags) > 0 {
				t.Fatalf("load:\n%s", messages(diags))
			}
			c := providers.New()
			if diags := c.Check(cfg); len(diags) > 0 {
				t.Errorf("check:\n%s", messages(diags))
			}
			if len(cfg.Connections) == 0 {
				t.Error("no connections")
			}
			for _, conn := range cfg.Connections {
				p, diags := c.Resolve(cfg, conn)
				if len(diags) > 0 {
					t.Errorf("%s:\n%s", conn.Addr, messages(diags))
					continue
				}
				for _, uri := range conn.RedirectURIs {
					if _, err := p.Redirect.Check(uri); err != nil {
						t.Errorf("%s: %v", conn.Addr, err)
					}
				}
			}
		})
	}
}

// Presets and examples are written as "oauthctl fmt" would write them.
func TestFormatted(t *testing.T) {
	for _, pattern := range []string{"catalog/*.hcl", "errors/*.hcl", "../examples/*.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := hclwrite.Format(text)
			if bytes.Equal(text, want) {
				continue
			}
			if !*update {
				t.Errorf("%s is not formatted; run: oauthctl fmt", file)
			} else if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

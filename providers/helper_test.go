package providers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// load reads a configuration of one file, which must be right.
func load(t testing.TB, text string) *schema.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := schema.Load(t.Context(), schema.Source{File: file, MakeUp: true})
	if diags.HasErrors() {
		t.Fatalf("load: %s\n%s", diags.Error(), text)
	}
	return cfg
}

// resolve resolves the first connection of a configuration.
func resolve(t testing.TB, text string) (*providers.Preset, hcl.Diagnostics) {
	t.Helper()
	cfg := load(t, text)
	return providers.New().Resolve(cfg, cfg.Connections[0])
}

// mustResolve is resolve for a configuration that is right.
func mustResolve(t testing.TB, text string) *providers.Preset {
	t.Helper()
	p, diags := resolve(t, text)
	if diags.HasErrors() {
		t.Fatalf("resolve: %s\n%s", diags.Error(), text)
	}
	return p
}

// messages are the details of diagnostics with their places.
func messages(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		if d.Subject != nil {
			b.WriteString(filepath.Base(d.Subject.Filename))
			b.WriteString(":")
			b.WriteString(strings.TrimPrefix(d.Subject.String(), d.Subject.Filename+":"))
			b.WriteString(": ")
		}
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}

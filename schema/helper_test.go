package schema_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

// write makes a configuration directory.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load reads a configuration of one file that has to be right.
func load(t testing.TB, text string, env map[string]string) *schema.Config {
	t.Helper()
	cfg, diags := try(t, text, env)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg
}

func try(t testing.TB, text string, env map[string]string) (*schema.Config, hcl.Diagnostics) {
	t.Helper()
	return schema.Load(context.Background(), schema.Source{
		Dir:       write(t, map[string]string{"main.hcl": text}),
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
}

package schema_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Whatever stands in a file, Load returns, says where its errors are, and shows
// no value that came from the environment.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range archive.Files {
			if strings.HasSuffix(a.Name, ".hcl") || strings.HasSuffix(a.Name, ".json") {
				f.Add(string(a.Data), strings.HasSuffix(a.Name, ".json"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "a.hcl"
		if isJSON {
			name = "a.hcl.json"
		}
		const canary = "canary-in-the-environment"
		cfg, diags := schema.Load(context.Background(), schema.Source{
			Dir:       write(t, map[string]string{name: text}),
			LookupEnv: func(string) (string, bool) { return canary, true },
		})
		for _, d := range diags {
			if strings.Contains(d.Summary+d.Detail, canary) {
				t.Errorf("shows a secret: %s", d)
			}
			if d.Subject == nil {
				t.Errorf("has no place: %s", d)
				continue
			}
			cfg.Sources.Snippet(*d.Subject)
		}
		if diags.HasErrors() {
			return
		}
		unknown := func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false }
		outs, diags := cfg.Outputs(unknown)
		if diags.HasErrors() {
			t.Errorf("outputs that Load took: %s", diags)
		}
		sameWhenRecorded(t, cfg, outs)
		for i, c := range cfg.Connections {
			if i > 5 {
				break
			}
			if _, diags := cfg.Resolve(c.Addr, unknown); diags.HasErrors() {
				t.Errorf("a connection that Load took: %s", diags)
			}
		}
	})
}

// sameWhenRecorded: what is recorded of outputs gives their values again.
func sameWhenRecorded(t *testing.T, cfg *schema.Config, outs []schema.Output) {
	rec, err := cfg.Record()
	if err != nil {
		t.Fatal(err)
	}
	former, diags := cfg.Former(t.Context(), rec)
	if diags.HasErrors() {
		t.Fatalf("%s in %q", diags, rec.Files)
	}
	again, _ := former.Outputs(func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false })
	if len(again) != len(outs) {
		t.Fatalf("%d outputs were recorded as %d: %q", len(outs), len(again), rec.Files)
	}
	for i := range outs {
		if o, r := outs[i], again[i]; o.Name != r.Name || o.Sensitive != r.Sensitive || !o.Value.RawEquals(r.Value) {
			t.Errorf("the output %s is %#v, and recorded %#v: %q", o.Name, o.Value, r.Value, rec.Files)
		}
	}
}

package schema_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/oauthctl/oauthctl/schema"
)

var update = flag.Bool("update", false, "write the expected parts of testdata anew")

// Every file under testdata/broken is a configuration and the diagnostics that
// it gets, with the lines that a person is shown. The comment of the archive may
// have lines "env NAME=VALUE", "var NAME=VALUE", "varfile NAME", "version V",
// and "sandbox".
func TestBrokenConfigurations(t *testing.T) {
	each(t, "broken", func(t *testing.T, src schema.Source) string {
		cfg, diags := schema.Load(context.Background(), src)
		if !diags.HasErrors() && !strings.Contains(t.Name(), "warning") {
			t.Error("no error")
		}
		return render(t, src.Dir, cfg, diags)
	})
}

func TestGoodConfigurations(t *testing.T) {
	each(t, "good", func(t *testing.T, src schema.Source) string {
		cfg, diags := schema.Load(context.Background(), src)
		if diags.HasErrors() {
			t.Error(diags)
		}
		return render(t, src.Dir, cfg, diags) + dump(t, cfg)
	})
}

func each(t *testing.T, dir string, run func(*testing.T, schema.Source) string) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			src, want := unpack(t, archive)
			got := run(t, src)
			if *update {
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func unpack(t *testing.T, archive *txtar.Archive) (schema.Source, string) {
	t.Helper()
	files, want := map[string]string{}, ""
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		files[f.Name] = string(f.Data)
	}
	src := schema.Source{Dir: write(t, files), Version: "0.3.0"}
	env := map[string]string{}
	for line := range strings.Lines(string(archive.Comment)) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch verb {
		case "env":
			env[name] = value
		case "var":
			src.Vars = append(src.Vars, schema.VarInput{Name: name, Value: value})
		case "varfile":
			src.Vars = append(src.Vars, schema.VarInput{File: filepath.Join(src.Dir, name)})
		case "version":
			src.Version = rest
		case "sandbox":
			src.MakeUp = true
		}
	}
	src.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return src, want
}

// render writes diagnostics plainly, with the lines that they are about.
func render(t *testing.T, dir string, cfg *schema.Config, diags hcl.Diagnostics) string {
	t.Helper()
	var b strings.Builder
	for _, d := range diags {
		severity := map[hcl.DiagnosticSeverity]string{hcl.DiagError: "Error", hcl.DiagWarning: "Warning"}[d.Severity]
		fmt.Fprintf(&b, "%s: %s\n", severity, d.Summary)
		if a := schema.AddrOf(d); !a.IsZero() {
			fmt.Fprintf(&b, "  with %s\n", a)
		}
		if d.Subject != nil {
			fmt.Fprintf(&b, "  on %s line %d\n", d.Subject.Filename, d.Subject.Start.Line)
			if s, ok := cfg.Sources.Snippet(*d.Subject); ok {
				fmt.Fprintf(&b, "    %s\n    %s%s\n", s.Text, strings.Repeat(" ", s.From), strings.Repeat("^", max(1, s.To-s.From)))
			}
		}
		if strings.HasSuffix(d.Summary, ".") || d.Detail == "" || !strings.HasSuffix(strings.TrimRight(d.Detail, "\"'"), ".") && !strings.Contains(d.Detail, "{}") {
			t.Logf("style: %q / %q", d.Summary, d.Detail)
		}
		if d.Expression != nil || d.EvalContext != nil {
			t.Errorf("%s: carries an expression, from which values could be printed", d.Summary)
		}
		fmt.Fprintf(&b, "  %s\n\n", strings.ReplaceAll(d.Detail, "\n", "\n  "))
	}
	return strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
}

// dump writes what was understood.
func dump(t *testing.T, cfg *schema.Config) string {
	t.Helper()
	var b strings.Builder
	line := func(name string, v any) {
		if s := fmt.Sprint(v); s != "" && s != "[]" && s != "map[]" && s != "0s" {
			fmt.Fprintf(&b, "  %s: %s\n", name, s)
		}
	}
	if cfg.Settings.RequiredVersion != "" || cfg.Settings.State != nil || cfg.Settings.Recipients != nil {
		fmt.Fprintln(&b, "oauthctl")
		line("required_version", cfg.Settings.RequiredVersion)
		line("recipients", cfg.Settings.Recipients)
		if s := cfg.Settings.State; s != nil {
			line("state", s.Labels)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
		fmt.Fprintf(&b, "provider.%s\n", name)
	}
	for _, c := range cfg.Connections {
		fmt.Fprintln(&b, c.Addr)
		line("provider", c.Provider)
		line("description", c.Description)
		line("client_id", c.ClientID)
		if !c.ClientSecret.Empty() {
			line("client_secret", c.ClientSecret.Reveal())
		}
		line("client_auth", c.ClientAuth)
		if a := c.ClientAssertion; a != nil {
			line("assertion", fmt.Sprintf("%q %q %s %s %v %s %s %s %s", a.PrivateKey.Reveal(), a.Certificate, a.Algorithm, a.KeyID, a.SHA1, a.Audience, a.Lifetime, a.TokenFile, a.TokenEnv))
		}
		line("application_type", c.ApplicationType)
		line("scopes", strings.Join(c.Scopes, " "))
		line("redirect_uris", c.RedirectURIs)
		line("account", c.Account)
		line("resource", c.Resource)
		line("audience", c.Audience)
		line("authorize_params", c.AuthorizeParams)
		line("token_params", c.TokenParams)
		line("access", c.Lifetimes.Access)
		line("refresh", c.Lifetimes.Refresh)
		line("refresh_before", c.Lifetimes.RefreshBefore)
		if c.Grant != nil {
			line("grant", c.Grant.Labels[0])
		}
		for _, name := range slices.Sorted(maps.Keys(c.Args)) {
			line("argument "+name, strings.TrimPrefix(fmt.Sprintf("%#v", c.Args[name].Value), "cty."))
		}
		line("depends on", c.DependsOn)
		line("unknown", c.Unknown)
	}
	for _, s := range cfg.Sinks {
		fmt.Fprintf(&b, "sink %v\n", s.Labels)
	}
	outs, diags := cfg.Outputs(nil)
	if diags.HasErrors() {
		t.Error(diags)
	}
	for _, o := range outs {
		fmt.Fprintf(&b, "output.%s = %s", o.Name, strings.ReplaceAll(fmt.Sprintf("%#v", o.Value), "cty.", ""))
		if o.Sensitive {
			b.WriteString(" (sensitive)")
		}
		b.WriteString("\n")
	}
	if len(cfg.MadeUp) > 0 {
		fmt.Fprintf(&b, "made up: %s\n", strings.Join(cfg.MadeUp, ", "))
	}
	return b.String()
}

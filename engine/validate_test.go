package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// What is wrong with a connection is found beside mistakes elsewhere, and nothing that
// such a mistake may be the cause of.
func TestValidateRest(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // of the diagnostics, the addresses and summaries
	}{
		"beside a mistake elsewhere": {
			`connection "a" {
			   provider  = "gogle"
			   client_id = "x"
			 }
			 connection "b" {
			   provider  = "github"
			   client_id = var.nowhere
			 }`,
			"connection.a Unknown provider",
		},
		"of a connection with a mistake, whether there is the provider": {
			`connection "a" {
			   provider  = "gogle"
			   client_id = var.nowhere
			   grant "nothing" {}
			 }`,
			"connection.a Unknown provider",
		},
		"of a sink": {
			`connection "a" {
			   provider  = "github"
			   client_id = var.nowhere
			 }
			 sink "fil" "b" {
			   path    = "x"
			   secrets = { A = connection.a.access_token }
			 }
			 sink "file" "c" {
			   pat     = "x"
			   secrets = { A = connection.a.nothing }
			 }`,
			"sink.fil.b Unknown kind of sink",
		},
		"nothing else of it": {
			`connection "a" {
			   provider  = "github"
			   client_id = var.nowhere
			   grant "nothing" {}
			 }`,
			"",
		},
		"not what a broken variable may have caused": {
			`variable "domain" {
			   type = sting
			 }
			 provider "p" {
			   preset = "okta"
			   domain = var.domain
			 }
			 connection "a" {
			   provider  = "p"
			   client_id = "x"
			 }
			 connection "b" {
			   provider  = "okta"
			   client_id = "x"
			 }`,
			"connection.b Missing argument",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, Partial: true})
			if !diags.HasErrors() {
				t.Fatal("there is no mistake")
			}
			var got []string
			for _, d := range rest(t, cfg, diags) {
				got = append(got, strings.TrimSpace(schema.AddrOf(d).String()+" "+d.Summary))
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// No mistake of the language keeps the rest from being looked at.
func TestValidateRestOfEveryBrokenConfiguration(t *testing.T) {
	files, err := filepath.Glob("../schema/testdata/broken/*.txtar")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, f := range archive.Files {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Name)), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, Partial: true, Version: "0.3.0"})
		for _, d := range rest(t, cfg, diags) {
			if d.Subject == nil {
				t.Errorf("%s: no place: %v", filepath.Base(file), d)
			}
		}
	}
}

func rest(t *testing.T, cfg *schema.Config, found hcl.Diagnostics) hcl.Diagnostics {
	t.Helper()
	e := engine.New(engine.Options{Catalog: providers.New(), Now: time.Now})
	return e.ValidateRest(t.Context(), cfg, found)
}

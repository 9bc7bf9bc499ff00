package main

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// openBackend opens the place of a state.
func (c *cli) openBackend(path string) (state.Backend, error) {
	return sqlite.Open(path, sqlite.Options{Warn: c.warn})
}

// warn says something to the person, if there is one who reads.
func (c *cli) warn(text string) {
	if c.view == nil { // token has none
		fmt.Fprintf(c.Stderr, "Warning: %s\n", text)
		return
	}
	c.view.Note("Warning: %s", text)
}

// sqliteSpec is the table of oauthctl { state "sqlite" { … } }.
var sqliteSpec = &schema.Spec{Attrs: []schema.Attr{{
	Name: "path", Kind: schema.String, Default: `"` + defaultState + `"`,
	Doc: "The file, relative to the configuration.",
}}}

// configuredPath is the path that the configuration gives the state, below dir
// unless it is absolute; "" if it gives none.
func configuredPath(cfg *schema.Config, dir string) (string, hcl.Diagnostics) {
	block := cfg.Settings.State
	if block == nil {
		return "", nil
	}
	if kind := block.Labels[0]; kind != "sqlite" {
		place := block.Range
		if len(block.LabelRange) > 0 {
			place = block.LabelRange[0]
		}
		return "", hcl.Diagnostics{{
			Severity: hcl.DiagError, Subject: &place, Summary: "Unknown kind of state",
			Detail: fmt.Sprintf("This version keeps states in SQLite files only: write state \"sqlite\" { path = \"…\" } instead of %q.", kind),
		}}
	}
	obj, diags := block.Decode(sqliteSpec, nil)
	if diags.HasErrors() {
		return "", diags
	}
	path := obj.String("path")
	if path == "" || filepath.IsAbs(path) {
		return path, diags
	}
	return filepath.Join(dir, path), diags
}

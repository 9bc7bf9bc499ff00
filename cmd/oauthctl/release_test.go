package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var (
	makes  = regexp.MustCompile(`(?m)^make ([a-z]+)`)
	target = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// What the workflows of this repository run is there: the targets of make, and
// actions by a version.
func TestWorkflowsFit(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets[m[1]] = true
	}
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	runs := 0
	for _, file := range files {
		var w any
		readYAML(t, file, &w)
		for name, job := range at[map[string]any](t, w, "jobs") {
			for _, s := range at[[]any](t, job, "steps") {
				step := s.(map[string]any)
				if uses, ok := step["uses"].(string); ok && !strings.Contains(uses, "@v") {
					t.Errorf("%s: %s: %s has no version", file, name, uses)
				}
				run, _ := step["run"].(string)
				for _, m := range makes.FindAllStringSubmatch(run, -1) {
					if runs++; !targets[m[1]] {
						t.Errorf("%s: %s: there is no target %s", file, name, m[1])
					}
				}
			}
		}
	}
	if runs < 4 {
		t.Errorf("only %d targets are run", runs)
	}
}

// What an archive should have is there, and the completions in it are those that
// the program makes.
func TestReleaseFits(t *testing.T) {
	var r any
	readYAML(t, filepath.Join(root, ".goreleaser.yaml"), &r)
	hooks := at[[]any](t, r, "before", "hooks")
	_, loop, _ := strings.Cut(hooks[len(hooks)-1].(string), "for s in ")
	loop, _, _ = strings.Cut(loop, ";")
	shells := strings.Fields(loop)
	if len(shells) != 4 {
		t.Errorf("completions for %v", shells)
	}
	for _, shell := range shells {
		app, out, _ := testApp("completion", shell)
		if code := app.Run(t.Context()); code != exitDone || out.Len() == 0 {
			t.Errorf("completion %s: exit code %d", shell, code)
		}
	}
	for _, f := range at[[]any](t, r, "archives", "0", "files") {
		if strings.HasPrefix(f.(string), "completions/") {
			continue // they are made by the hook
		}
		if found, err := filepath.Glob(filepath.Join(root, f.(string))); err != nil || len(found) == 0 {
			t.Errorf("there is no %s", f)
		}
	}
	if main := at[string](t, r, "builds", "0", "main"); main != "./cmd/oauthctl" {
		t.Errorf("%s is built", main)
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The page of the security requirements has no holes, names tests that exist,
// counts right, and calls nothing met that no test shows.
func TestSecurityRequirements(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/security-requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	var (
		row   = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \| (\w+) \| (.*) \|$`)
		named = regexp.MustCompile("`([a-z0-9_/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`|`([a-z0-9_]+\\.txtar)`")
		count = map[string]int{"met": 0, "part": 0, "no": 0}
		known = map[string]map[string]bool{}
	)
	rows := row.FindAllStringSubmatch(string(text), -1)
	for i, m := range rows {
		number, name, status, shown := m[1], m[2], m[4], m[5]
		if number != strconv.Itoa(i+1) {
			t.Fatalf("requirement %s stands at place %d", number, i+1)
		}
		if _, ok := count[status]; !ok {
			t.Errorf("%s %s: %q is no status", number, name, status)
		}
		count[status]++
		tests := named.FindAllStringSubmatch(shown, -1)
		for _, n := range tests {
			switch dir := n[1]; {
			case n[3] != "":
				if _, err := os.Stat(filepath.Join("testdata/script", n[3])); err != nil {
					t.Errorf("%s %s: there is no page %s", number, name, n[3])
				}
			default:
				if known[dir] == nil {
					known[dir] = testsIn(t, filepath.Join(root, dir))
				}
				if !known[dir][n[2]] {
					t.Errorf("%s %s: there is no test %s in %s", number, name, n[2], dir)
				}
			}
		}
		said := strings.TrimSpace(named.ReplaceAllString(shown, ""))
		switch {
		case (status == "met" || status == "part") && len(tests) == 0:
			t.Errorf("%s %s: no test shows it", number, name)
		case status != "met" && len(strings.Trim(said, ",. ")) < 10:
			t.Errorf("%s %s: does not say why", number, name)
		}
	}
	if len(rows) != 100 {
		t.Errorf("%d requirements, want 100", len(rows))
	}
	sum := fmt.Sprintf("%d are met, %d in part, %d are not followed.", count["met"], count["part"], count["no"])
	if !strings.Contains(string(text), sum) {
		t.Errorf("the page does not say: %s", sum)
	}
}

// testsIn are the tests and fuzz targets of a directory.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

package main

import (
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Packages that must not be linked, since every run of token would pay for them,
// and what to do instead. docs/performance.md has the figures.
const notLinked = `
	github.com/google/go-cmp/cmp:          in tests only; hclwrite imports it
	github.com/hashicorp/hcl/v2/hclwrite:  schema.Format sets the layout
	github.com/hashicorp/hcl/v2/gohcl:     schema.Spec describes bodies
	html/template:                         texts that escape themselves (providers/sandbox), or constants (engine/grant)
	encoding/xml:                          the sandbox reads its own pages
	testing:                               a package of its own for helpers of tests
	expvar:                                nobody looks at a run that takes milliseconds
	net/http/pprof:                        the same
`

// TestNotLinked: what is slow to start is not in the program, whoever imports it.
func TestNotLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, p := range strings.Fields(string(out)) {
		linked[p] = true
	}
	for line := range strings.Lines(strings.TrimSpace(notLinked)) {
		p, instead, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			t.Fatalf("want PACKAGE: INSTEAD, have %q", line)
		}
		if linked[p] {
			t.Errorf("%s is linked; instead: %s. To see who imports it:\n\tgo list -deps -f '{{$p := .ImportPath}}{{range .Imports}}{{if eq . %q}}{{$p}}{{end}}{{end}}' ./cmd/oauthctl", p, strings.TrimSpace(instead), p)
		}
	}
}

// TestNothingIsCompiledAtStart: regular expressions are compiled when they are
// first used. One with \w or (?i) takes as long as reading a token.
func TestNothingIsCompiledAtStart(t *testing.T) {
	sources(t, func(room string, set *token.FileSet, f *ast.File) {
		if outside(room) {
			return
		}
		for _, d := range f.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			ast.Inspect(vars, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit:
					return false
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "regexp" && strings.Contains(n.Sel.Name, "Compile") {
						t.Errorf("%s: compile it when it is first used, with sync.OnceValue", set.Position(n.Pos()))
					}
				}
				return true
			})
		}
	})
}

// What may be allocated before main begins, on Linux: by all packages, and by
// ours. Allocations can be counted, and are what makes a start slow: tables,
// templates and expressions that most runs never look at. Raise a limit only
// with a reason; GODEBUG=inittrace=1 oauthctl version tells who is guilty.
const (
	startBytes  = 220_000
	startAllocs = 1_700
	ourAllocs   = 130
)

// TestStartIsLight counts what the program allocates before main.
func TestStartIsLight(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // other systems link other packages
	}
	bin := filepath.Join(t.TempDir(), "oauthctl")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), bin, "version")
	run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	run.Stderr = &trace
	if err := run.Run(); err != nil {
		t.Fatal(err)
	}
	var bytes, allocs, ours int
	for line := range strings.Lines(trace.String()) {
		// init PACKAGE @0.31 ms, 0.002 ms clock, 896 bytes, 5 allocs
		f := strings.Fields(line)
		if len(f) != 11 || f[0] != "init" {
			continue
		}
		b, berr := strconv.Atoi(f[7])
		n, nerr := strconv.Atoi(f[9])
		if berr != nil || nerr != nil {
			t.Fatalf("line %q", line)
		}
		bytes, allocs = bytes+b, allocs+n
		if strings.HasPrefix(f[1], module+"/") {
			ours += n
		}
	}
	t.Logf("before main: %d bytes in %d allocations, %d of them ours", bytes, allocs, ours)
	if allocs == 0 {
		t.Fatalf("no trace in %q", trace.String())
	}
	if bytes > startBytes || allocs > startAllocs || ours > ourAllocs {
		t.Errorf("before main, %d bytes are allocated in %d pieces, %d of them by our own packages; at most %d, %d and %d were meant.\nLook with: GODEBUG=inittrace=1 oauthctl version",
			bytes, allocs, ours, startBytes, startAllocs, ourAllocs)
	}
}

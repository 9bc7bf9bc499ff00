package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/oauthctl/oauthctl"

// The order of the rooms. "a < b" means that b may import a, and what a may
// import. Rooms that the order does not relate never meet: providers and state
// above all. DO NOT CHANGE THIS DATA TO FIX BUILDS: a new arrow is a new design.
const floors = `
	# Floor 1: the language.
	schema/addr, schema/secret < schema;

	# Floor 2: what servers are like, and what we hold. They never meet.
	schema, providers/quirk < providers < providers/sandbox;
	schema/addr, schema/secret, state/seal < state < state/sqlite;

	# Floor 3: time and order.
	schema, state < engine/plan;
	providers, providers/quirk, state < engine/grant;
	engine/plan < engine/planfile; # a saved plan is a format, as the state is one
	schema, schema/secret < engine/sink; # a place knows neither the state nor servers
	engine/plan, engine/grant, engine/sink < engine;

	# Floor 4: people.
	engine < cmd/oauthctl/internal/view;
	engine < cmd/oauthctl/internal/outlet;
	engine < cmd/oauthctl/internal/agent;
	engine/grant, cmd/oauthctl/internal/view < cmd/oauthctl/internal/console;
	cmd/oauthctl/internal/agent, cmd/oauthctl/internal/console, cmd/oauthctl/internal/outlet, engine/planfile, providers/sandbox, state/sqlite < cmd/oauthctl;
`

// What each room imports of other people's modules: exactly this. Tests may
// import what they need.
const modules = `
	schema:          github.com/agext/levenshtein github.com/hashicorp/go-version github.com/hashicorp/hcl/v2 github.com/zclconf/go-cty
	providers:       github.com/hashicorp/hcl/v2 github.com/zclconf/go-cty
	providers/sandbox: github.com/go-jose/go-jose/v4 golang.org/x/sys
	state:           filippo.io/age golang.org/x/sync
	state/seal:      filippo.io/age golang.org/x/crypto
	state/sqlite:    github.com/ncruces/go-sqlite3 golang.org/x/sys
	engine/grant:    github.com/coreos/go-oidc/v3 github.com/go-jose/go-jose/v4 github.com/hashicorp/hcl/v2 golang.org/x/oauth2
	engine/plan:     github.com/zclconf/go-cty
	engine/planfile: github.com/zclconf/go-cty
	engine/sink:     github.com/goccy/go-yaml github.com/hashicorp/hcl/v2 golang.org/x/crypto
	engine:          github.com/hashicorp/hcl/v2 github.com/zclconf/go-cty
	cmd/oauthctl:    filippo.io/age github.com/cli/browser github.com/hashicorp/hcl/v2 github.com/rogpeppe/go-internal github.com/spf13/cobra github.com/spf13/pflag github.com/zclconf/go-cty golang.org/x/sys golang.org/x/term
	cmd/oauthctl/internal/agent:   golang.org/x/sys
	cmd/oauthctl/internal/view:    github.com/charmbracelet/lipgloss github.com/hashicorp/hcl/v2 github.com/muesli/termenv github.com/zclconf/go-cty
	cmd/oauthctl/internal/console: golang.org/x/sys golang.org/x/term rsc.io/qr
`

// Rooms beside the house, which the program does not contain: tools, and
// helpers of tests, whose names end in "test".
func outside(room string) bool {
	for _, dir := range []string{"cmd/oauthctl/internal/bench", "cmd/oauthctl/internal/e2e", "cmd/oauthctl/internal/proof"} {
		if room == dir || strings.HasPrefix(room, dir+"/") {
			return true
		}
	}
	return strings.HasSuffix(room, "test")
}

// TestFloors: arrows run downward only.
func TestFloors(t *testing.T) {
	allowed := parseFloors(t, floors)
	third := parseModules(t, modules)
	for room, imports := range roomImports(t) {
		if outside(room) {
			continue
		}
		below, known := allowed[room]
		if !known {
			t.Errorf("the room %s has no floor: give it one in this file", room)
			continue
		}
		var foreign []string
		for imp := range imports {
			switch rel, own := strings.CutPrefix(imp, module+"/"); {
			case own && !below[rel]:
				t.Errorf("%s imports %s, which is not below it", room, rel)
			case !own && strings.Contains(imp, "."):
				foreign = append(foreign, modulePath(imp))
			}
		}
		slices.Sort(foreign)
		if foreign = slices.Compact(foreign); !slices.Equal(foreign, third[room]) {
			t.Errorf("%s imports the modules\n\t%s\nand may import\n\t%s", room, strings.Join(foreign, " "), strings.Join(third[room], " "))
		}
	}
}

// parseFloors returns for every room all rooms below it.
func parseFloors(t *testing.T, text string) map[string]map[string]bool {
	t.Helper()
	below := map[string]map[string]bool{}
	for rule := range strings.SplitSeq(stripComments(text), ";") {
		var lower []string
		for floor := range strings.SplitSeq(rule, "<") {
			rooms := strings.FieldsFunc(floor, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
			for _, room := range rooms {
				if below[room] == nil {
					below[room] = map[string]bool{}
				}
				for _, l := range lower {
					below[room][l] = true
				}
			}
			lower = rooms
		}
	}
	for changed := true; changed; { // transitive closure
		changed = false
		for room := range below {
			for l := range maps.Clone(below[room]) {
				for ll := range below[l] {
					if !below[room][ll] {
						below[room][ll], changed = true, true
					}
				}
			}
			if below[room][room] {
				t.Fatalf("the floors go in a circle through %s", room)
			}
		}
	}
	return below
}

func parseModules(t *testing.T, text string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(stripComments(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		room, list, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("want ROOM: MODULES, have %q", line)
		}
		out[strings.TrimSpace(room)] = strings.Fields(list)
	}
	return out
}

func stripComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		code, _, found := strings.Cut(line, "#")
		b.WriteString(code)
		if found {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// modulePath is the module of an import path, for the hosts that we use.
func modulePath(imp string) string {
	parts := strings.Split(imp, "/")
	n := 3
	switch parts[0] {
	case "filippo.io", "rsc.io", "pgregory.net":
		n = 2
	}
	if len(parts) > n && len(parts[n]) > 1 && parts[n][0] == 'v' && strings.Trim(parts[n][1:], "0123456789") == "" {
		n++
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// sources visits all Go files of the module that are not tests.
func sources(t *testing.T, visit func(room string, set *token.FileSet, f *ast.File)) {
	t.Helper()
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		visit(filepath.ToSlash(filepath.Dir(rel)), set, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func roomImports(t *testing.T) map[string]map[string]bool {
	t.Helper()
	rooms := map[string]map[string]bool{}
	sources(t, func(room string, _ *token.FileSet, f *ast.File) {
		if rooms[room] == nil {
			rooms[room] = map[string]bool{}
		}
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			rooms[room][path] = true
		}
	})
	return rooms
}

// What comes from outside comes through parameters; only the top floor may ask
// the process. Nobody uses the default HTTP client, which follows redirects
// with secrets in the body and has no deadline.
var forbidden = map[string]string{
	"time.Now": "top", "time.Since": "top", "time.Until": "top",
	"os.Getenv": "top", "os.LookupEnv": "top", "os.Environ": "top", "os.Exit": "top",
	"os.Stdout": "top", "os.Stderr": "top", "os.Stdin": "top",
	"fmt.Print": "never", "fmt.Println": "never", "fmt.Printf": "never",
	"http.DefaultClient": "never", "http.DefaultTransport": "never",
	"http.Get": "never", "http.Post": "never", "http.PostForm": "never", "http.Head": "never",
}

// TestHouseRules: no init functions, nothing global to change, and the process
// is asked on the top floor only.
func TestHouseRules(t *testing.T) {
	sources(t, func(room string, set *token.FileSet, f *ast.File) {
		if outside(room) {
			return
		}
		top := room == "cmd/oauthctl"
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s: no init functions", set.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok {
					break
				}
				// view and console take the clock as a default for a missing option.
				if x.Name+"."+n.Sel.Name == "time.Now" && strings.HasPrefix(room, "cmd/oauthctl/") {
					break
				}
				if where := forbidden[x.Name+"."+n.Sel.Name]; where == "never" || where == "top" && !top {
					t.Errorf("%s: %s.%s does not belong into %s", set.Position(n.Pos()), x.Name, n.Sel.Name, room)
				}
			}
			return true
		})
	})
}

// TestLinked: the modules that end up in the binary, in testdata/linked.txt.
// A cloud SDK or a metrics client would cost every run of token its start.
func TestLinked(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(string(out))
	slices.Sort(list)
	got := strings.Join(slices.Compact(list), "\n") + "\n"
	const file = "testdata/linked.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the binary links\n%s\nand testdata/linked.txt lists\n%s\nIf the new one has a reason, write the list with -update", got, want)
	}
}

// Every room says what it knows, and what it does not.
func TestRoomsIntroduceThemselves(t *testing.T) {
	said := map[string]string{}
	sources(t, func(room string, _ *token.FileSet, f *ast.File) {
		if f.Doc != nil {
			said[room] += f.Doc.Text()
		} else if _, ok := said[room]; !ok {
			said[room] = ""
		}
	})
	for room, text := range said {
		if text = strings.Join(strings.Fields(text), " "); !outside(room) && !strings.Contains(text, "not know") {
			t.Errorf("the package comment of %s does not say what it does not know: %q", room, text)
		}
	}
}

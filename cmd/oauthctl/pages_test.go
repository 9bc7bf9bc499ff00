package main

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// root is the repository.
const root = "../.."

// pages are the pages for people: those at the root, and everything in docs.
func pages(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".md" {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) < 10 {
		t.Fatalf("%d pages, %v", len(list), err)
	}
	return list
}

// sample is a block of HCL on a page. An HTML comment before it says what it is,
// if it is not a configuration that works:
//
//	<!-- fragment -->                 a part, to be read and not to be used alone
//	<!-- error: words of the error --> a mistake, to be shown
//	<!-- test -->                     tests of the configuration above it, which pass
type sample struct {
	line int
	mark string
	text string
	of   string // of a test: the configuration above it
}

var (
	fence  = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")
	marked = regexp.MustCompile(`<!-- (fragment|test|error: .+) -->\n+$`)
	opened = regexp.MustCompile(`file\("([^"]+)"\)`)
)

func samples(page string) []sample {
	var out []sample
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		s := sample{line: strings.Count(page[:at[0]], "\n") + 1, text: page[at[2]:at[3]]}
		if m := marked.FindStringSubmatch(page[:at[0]]); m != nil {
			s.mark = m[1]
		}
		if n := len(out); s.mark == "test" && n > 0 {
			s.of = out[n-1].text
		}
		out = append(out, s)
	}
	return out
}

// check says what is wrong with a sample, "" if it is what its mark says.
func (s sample) check(t *testing.T) string {
	t.Helper()
	formatted, broken := schema.Format([]byte(s.text), "main.hcl")
	words, wrong := strings.CutPrefix(s.mark, "error: ")
	if !wrong && !broken.HasErrors() && string(formatted) != s.text {
		return "it is not in the canonical layout:\n" + string(formatted)
	}
	if s.mark == "test" {
		return s.runs(t)
	}
	if s.mark == "fragment" {
		if broken.HasErrors() {
			return "the fragment is no HCL: " + broken.Error()
		}
		if len(s.problems(t)) == 0 {
			return "it works alone, and is marked as a fragment"
		}
		return ""
	}
	problems := s.problems(t)
	switch {
	case !wrong && len(problems) > 0:
		return list(problems)
	case wrong && len(problems) == 0:
		return "there is no error, and it should be: " + words
	case wrong && !slices.ContainsFunc(problems, func(d *hcl.Diagnostic) bool { return strings.Contains(d.Summary+": "+d.Detail, words) }):
		return "the error is not " + words + ", but " + list(problems)
	}
	return ""
}

// runs runs a sample of tests with the configuration above it.
func (s sample) runs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.hcl": s.of, "page.oauthtest.hcl": s.text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	app, out, errs := testApp("test", "-chdir="+dir)
	app.Now, app.Rand = time.Now, rand.Reader
	if code := app.Run(t.Context()); code != exitDone || !strings.Contains(out.String(), "Success!") {
		return fmt.Sprintf("the tests do not pass (exit %d):\n%s%s", code, out, errs)
	}
	return ""
}

func list(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s: %s\n", d.Summary, d.Detail)
	}
	return b.String()
}

// problems are the errors and warnings of a sample that is loaded, validated,
// imitated and planned as with -sandbox.
func (s sample) problems(t *testing.T) hcl.Diagnostics {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"main.hcl": s.text}
	for _, m := range opened.FindAllStringSubmatch(s.text, -1) {
		files[m[1]] = "text\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, MakeUp: true, Version: "1.0.0"})
	if diags.HasErrors() {
		return diags
	}
	cat := providers.New()
	e := engine.New(engine.Options{Catalog: cat, Now: time.Now})
	if diags = append(diags, e.Validate(t.Context(), cfg)...); len(diags) > 0 {
		return diags
	}
	box, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	for _, conn := range cfg.Connections {
		p, diags := cat.Resolve(cfg, conn)
		if diags.HasErrors() {
			return diags
		}
		if err := box.Mount(p); err != nil {
			return hcl.Diagnostics{{Summary: "Not imitated", Detail: err.Error()}}
		}
	}
	p, diags, err := e.Plan(t.Context(), cfg, plan.Options{})
	if err != nil {
		return append(diags, &hcl.Diagnostic{Summary: "Not planned", Detail: err.Error()})
	}
	if len(diags) == 0 && p.Counts().Authorize+p.Counts().Import != len(cfg.Connections) {
		return hcl.Diagnostics{{Summary: "Not planned", Detail: fmt.Sprintf("%+v", p.Counts())}}
	}
	return diags
}

// Every block of HCL on every page is what it says it is.
func TestPagesShowWhatWorks(t *testing.T) {
	total := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all := samples(string(text))
		if n := strings.Count(string(text), "```hcl"); n != len(all) {
			t.Errorf("%s: %d blocks of HCL are opened, %d closed", page, n, len(all))
		}
		for _, s := range all {
			total++
			if problem := s.check(t); problem != "" {
				t.Errorf("%s:%d: %s", page, s.line, problem)
			}
		}
	}
	if total < 20 {
		t.Errorf("only %d blocks were found", total)
	}
}

// The marks mean what they say.
func TestSamplesAreJudged(t *testing.T) {
	const works = "connection \"x\" {\n  provider  = \"github\"\n  client_id = \"x\"\n}\n"
	for name, tt := range map[string]struct {
		text, mark string
		ok         bool
	}{
		"works":                 {works, "", true},
		"fragment":              {"grant \"device_code\" {}\n", "fragment", true},
		"fragment, unmarked":    {"grant \"device_code\" {}\n", "", false},
		"fragment that works":   {works, "fragment", false},
		"fragment that is none": {"grant {{\n", "fragment", false},
		"mistake":               {"connection \"x\" {}\n", "error: Missing required argument", true},
		"another mistake":       {"connection \"x\" {}\n", "error: Duplicate connection", false},
		"mistake that is none":  {works, "error: Missing required argument", false},
		"mistake of the server": {strings.Replace(works, "github", "gihtub", 1), `error: Did you mean "github"?`, true},
		"not laid out":          {strings.Replace(works, "provider  =", "provider =", 1), "", false},
		"warning":               {works + "variable \"c\" {\n  default = \"a\"\n}\n", "", true},
		"values from outside":   {strings.Replace(works, "}", "  client_secret = env(\"X\")\n}", 1), "", false}, // layout
		"file of the directory": {"output \"x\" {\n  value = file(\"x.txt\")\n}\n", "", true},
		"made up, and laid out": {"output \"x\" {\n  value     = env(\"X\")\n  sensitive = true\n}\n", "", true},
	} {
		page := "Text.\n\n"
		if tt.mark != "" {
			page += "<!-- " + tt.mark + " -->\n"
		}
		all := samples(page + "```hcl\n" + tt.text + "```\n")
		if len(all) != 1 || all[0].mark != tt.mark {
			t.Fatalf("%s: %+v", name, all)
		}
		if problem := all[0].check(t); (problem == "") != tt.ok {
			t.Errorf("%s: %q", name, problem)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code    = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
)

// Every relative link of every page leads to a file, and to a heading there.
func TestPagesLinkToWhatIsThere(t *testing.T) {
	total := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			total++
			name, anchor, _ := strings.Cut(m[1], "#")
			to := page
			if name != "" {
				to = filepath.Join(filepath.Dir(page), name)
			}
			info, err := os.Stat(to)
			if err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor == "" || info.IsDir() || filepath.Ext(to) != ".md" {
				continue
			}
			target, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(anchors(string(target)), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", page, m[1])
			}
		}
	}
	if total < 20 {
		t.Errorf("only %d links were found", total)
	}
}

// docs/README.md has a line for every page of docs.
func TestPagesAreIndexed(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(root, "docs", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages(t) {
		name, err := filepath.Rel(filepath.Join(root, "docs"), page)
		if name = filepath.ToSlash(name); err != nil || strings.HasPrefix(name, "../") || name == "README.md" {
			continue
		}
		if !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/README.md does not name %s", name)
		}
	}
}

// anchors are the names that headings get on the web.
func anchors(page string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, m[1]))
	}
	return out
}

// The page about threats promises nothing that no test holds.
func TestThreatModelNamesTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		sources.Write(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+|[a-z]+\\.txtar)`").FindAllStringSubmatch(string(text), -1)
	for _, m := range named {
		there := strings.Contains(sources.String(), "func "+m[1]+"(")
		if strings.HasSuffix(m[1], ".txtar") {
			_, err := os.Stat(filepath.Join("testdata/script", m[1]))
			there = err == nil
		}
		if !there {
			t.Errorf("there is no test %s", m[1])
		}
	}
	if len(named) < 20 {
		t.Errorf("only %d tests are named", len(named))
	}
}

package view

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
)

// documents are what docs/json-output.md shows, by the name of the example.
var documents = map[string]func(t *testing.T, v View){
	"error": func(_ *testing.T, v View) { v.Error(sampleErrors()[0]) },
	"validate": func(t *testing.T, v View) {
		diags, src := sampleDiags(t)
		v.Validated(diags[1:3], src)
	},
	"plan": func(_ *testing.T, v View) {
		p := samplePlan()
		p.Changes = []plan.Change{p.Changes[3], p.Changes[5]}
		v.Plan(p)
	},
	"apply": func(_ *testing.T, v View) {
		p := samplePlan()
		p.Changes, p.Warnings = []plan.Change{p.Changes[1]}, nil
		v.Plan(p)
		for _, e := range sampleEvents() {
			v.Event(e)
		}
		out := mixedOutcome()
		out.Outputs = sampleOutputs()[:2]
		v.Applied(out, "apply")
	},
	"test":      func(t *testing.T, v View) { showTests(t, v) },
	"status":    func(_ *testing.T, v View) { v.Status(sampleRows()[:2], "./oauthctl.state", 100*24*time.Hour, nil) },
	"key":       func(_ *testing.T, v View) { v.Key(keySample()) },
	"orphans":   func(_ *testing.T, v View) { v.Orphans(orphanSample(), "./oauthctl.state") },
	"show":      func(_ *testing.T, v View) { v.Records(sampleRecords()[:1], sampleOutputs()[:2]) },
	"output":    func(_ *testing.T, v View) { v.Outputs(sampleOutputs()) },
	"console":   func(_ *testing.T, v View) { v.Value(sampleOutputs()[0].Value, "") },
	"history":   func(_ *testing.T, v View) { v.History(sampleHistory()[:2]) },
	"recover":   func(_ *testing.T, v View) { v.Recovered(sampleCopies()[:2], RecoverNow) },
	"addresses": func(_ *testing.T, v View) { v.Addresses(sampleRows()) },
	"locks":     func(_ *testing.T, v View) { v.Locks(sampleLocks()) },
	"providers": func(_ *testing.T, v View) { v.Providers(sampleProviders()) },
	"language":  func(_ *testing.T, v View) { j := v.(*programs); WriteLanguage(j.o.Out, j.o, sampleLanguage()) },
	"scopes":    func(_ *testing.T, v View) { v.Scopes(sampleScopes()[:1]) },
	"explain":   func(_ *testing.T, v View) { v.KnownErrors(sampleKnownErrors()) },
	"version":   func(_ *testing.T, v View) { v.Version(sampleVersion()) },
}

// sampleLanguage is a part of the language.
func sampleLanguage() Language {
	grant := schema.Nested{Type: "grant", Labels: []string{"type"}, Max: 1, Doc: "How the tokens are obtained."}
	code := &schema.Spec{Attrs: []schema.Attr{{Name: "response_mode", Kind: schema.String, OneOf: []string{"query", "form_post"}, Default: `"query"`, Doc: "How the browser brings the answer."}}}
	connection := &schema.Spec{Open: true, Blocks: []schema.Nested{grant}, Attrs: []schema.Attr{
		{Name: "client_id", Kind: schema.String, Required: true, Doc: "The client's identifier at the server."},
		{Name: "client_secret", Kind: schema.Sensitive, Doc: "The client's secret."},
	}}
	return Language{
		Blocks:  map[string]schema.Nested{"connection": {Type: "connection", Labels: []string{"name"}, Spec: connection, Doc: "A connection."}},
		Tests:   map[string]schema.Nested{},
		Owned:   map[string]map[string]*schema.Spec{"grant": {"authorization_code": code}},
		Presets: sampleProviders()[:1], Functions: []string{"abs", "env"},
	}
}

// streams are the examples that are streams.
var streams = map[string]bool{"apply": true, "test": true}

// written is what a JSON view writes, stdout and stderr together.
func written(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	o := options(&b, form{})
	o.Stream = streams[name]
	documents[name](t, NewJSON(o))
	return b.Bytes()
}

const jsonPage = "../../../../docs/json-output.md"

var example = regexp.MustCompile("(?s)<!-- example: ([a-z]+) -->\n```json\n(.*?)```\n")

// The page shows what the program writes: go test -update puts it there.
func TestThePageShowsRealOutput(t *testing.T) {
	text, err := os.ReadFile(jsonPage)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	want := example.ReplaceAllStringFunc(string(text), func(block string) string {
		name := example.FindStringSubmatch(block)[1]
		if documents[name] == nil {
			t.Fatalf("the page has an example %q that no test writes", name)
		}
		seen[name] = true
		return "<!-- example: " + name + " -->\n```json\n" + readable(t, written(t, name), streams[name]) + "```\n"
	})
	for name := range documents {
		if !seen[name] {
			t.Errorf("the page has no example %q", name)
		}
	}
	if *update {
		if err := os.WriteFile(jsonPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("docs/json-output.md is not what the program writes (-want +page):\n%s", diff)
	}
}

// readable indents a document; the lines of a stream stay lines.
func readable(t *testing.T, doc []byte, stream bool) string {
	t.Helper()
	if stream {
		return string(doc)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryDocumentIsOneLineOfJSON(t *testing.T) {
	for name := range documents {
		text := string(written(t, name))
		if !strings.HasSuffix(text, "\n") {
			t.Errorf("%s does not end its line", name)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if !streams[name] && len(lines) != 1 {
			t.Errorf("%s has %d lines, want 1", name, len(lines))
		}
		for _, l := range lines {
			var v map[string]any
			if err := json.Unmarshal([]byte(l), &v); err != nil {
				t.Errorf("%s: %v in %s", name, err, l)
				continue
			}
			if streams[name] || name == "error" {
				for _, member := range []string{"@level", "@message", "@module", "@timestamp", "type"} {
					if v[member] == nil {
						t.Errorf("%s: no %s in %s", name, member, l)
					}
				}
			} else if v["format_version"] != FormatVersion {
				t.Errorf("%s: format_version is %v", name, v["format_version"])
			}
		}
	}
}

func TestAStreamBeginsWithItsVersion(t *testing.T) {
	first, _, _ := strings.Cut(string(written(t, "apply")), "\n")
	var e map[string]any
	if err := json.Unmarshal([]byte(first), &e); err != nil {
		t.Fatal(err)
	}
	if e["type"] != "version" || e["format_version"] != FormatVersion || e["oauthctl"] != "1.2.3" {
		t.Errorf("the first line is %s", first)
	}
}

// Without Stream the document is alone on Out.
func TestDiagnosticsStandBesideADocument(t *testing.T) {
	var out, errs bytes.Buffer
	v := NewJSON(Options{Out: &out, Err: &errs, Now: sampleNow})
	v.Diagnostics(sampleDiags(t))
	v.Error(sampleErrors()[0])
	v.Note("for people")
	if out.Len() != 0 {
		t.Errorf("stdout has %q", out.String())
	}
	if n := bytes.Count(errs.Bytes(), []byte("\n")); n != 8 {
		t.Errorf("stderr has %d lines, want 8:\n%s", n, errs.String())
	}
}

func TestSnippetMarksTheRange(t *testing.T) {
	diags, src := sampleDiags(t)
	d := (&Options{}).jsonDiag(diags[1], src)
	if d.Snippet == nil {
		t.Fatal("no snippet")
	}
	if got := d.Snippet.Code[d.Snippet.HighlightStart:d.Snippet.HighlightEnd]; got != `"microsft"` {
		t.Errorf("the snippet marks %q", got)
	}
	if d.Snippet.Context == nil || *d.Snippet.Context != `connection "graph"` {
		t.Errorf("the context is %v", d.Snippet.Context)
	}
	if d.Address != "connection.graph" {
		t.Errorf("the address is %q", d.Address)
	}
}

// Secrets have no member anywhere: not as a value, not in another's.
func TestNoViewShowsASecret(t *testing.T) {
	for _, make := range []func(Options) View{NewHuman, NewJSON} {
		var b bytes.Buffer
		v := make(options(&b, form{width: 80}))
		v.Records(sampleRecords(), sampleOutputs())
		v.Records(presentRecords(), nil)
		v.History(sampleHistory())
		v.Outputs(sampleOutputs())
		v.Applied(&engine.Outcome{Outputs: sampleOutputs()}, "apply")
		if strings.Contains(b.String(), "CANARY") {
			t.Errorf("a secret is shown:\n%s", b.String())
		}
	}
}

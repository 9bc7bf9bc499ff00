package view

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); look, then go test -update:\n%s", path, diff)
	}
}

// form is one kind of terminal.
type form struct {
	name  string
	color bool
	dark  bool
	width int
}

var forms = []form{
	{"80", false, false, 80},
	{"120", false, false, 120},
	{"40", false, false, 40},
	{"80.dark", true, true, 80},
	{"80.light", true, false, 80},
}

// screens are the pages that people see, one after the other on one terminal.
var screens = []struct {
	name string
	show func(t *testing.T, v View)
}{
	{"plan", func(_ *testing.T, v View) { v.Plan(samplePlan()) }},
	{"plan_empty", func(_ *testing.T, v View) { v.Plan(emptyPlan()) }},
	{"key", func(_ *testing.T, v View) { v.Key(keySample()) }},
	{"plan_outputs", func(_ *testing.T, v View) { v.Plan(outputsPlan()) }},
	{"orphans", func(_ *testing.T, v View) { v.Orphans(orphanSample(), "./oauthctl.state") }},
	{"orphans_none", func(_ *testing.T, v View) { v.Orphans(nil, "./oauthctl.state") }},
	{"plan_recipients", func(_ *testing.T, v View) { v.Plan(recipientsPlan()) }},
	{"plan_language", func(_ *testing.T, v View) { v.Plan(languagePlan()) }},
	{"applied_language", func(_ *testing.T, v View) { v.Applied(languageOutcome(), "apply") }},
	{"plan_sinks", func(_ *testing.T, v View) { v.Plan(sinksPlan()) }},
	{"applied_sinks", func(_ *testing.T, v View) { v.Applied(sinksOutcome(), "apply") }},
	{"status_sinks", func(_ *testing.T, v View) { v.Status(sinkRows(), "./oauthctl.state", 0, nil) }},
	{"record_sinks", func(_ *testing.T, v View) { v.Records(sinkRecords(), nil) }},
	{"plan_fold", func(_ *testing.T, v View) { v.Plan(foldPlan(24)) }},
	{"events", func(_ *testing.T, v View) {
		for _, e := range sampleEvents() {
			v.Event(e)
		}
	}},
	{"applied", func(_ *testing.T, v View) { v.Applied(doneOutcome(), "apply") }},
	{"applied_partly", func(_ *testing.T, v View) { v.Applied(mixedOutcome(), "apply") }},
	{"destroyed", func(_ *testing.T, v View) { v.Applied(destroyOutcome(), "destroy") }},
	{"diagnostics", func(t *testing.T, v View) { v.Diagnostics(sampleDiags(t)) }},
	{"validated", func(_ *testing.T, v View) { v.Validated(nil, nil) }},
	{"validated_not", func(t *testing.T, v View) { v.Validated(sampleDiags(t)) }},
	{"validated_warned", func(_ *testing.T, v View) {
		v.Validated(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Nothing to do", Detail: "The configuration declares no connection."}}, nil)
	}},
	{"tests", func(t *testing.T, v View) { showTests(t, v) }},
	{"tests_pass", func(_ *testing.T, v View) {
		f := TestFile{Name: "a.oauthtest.hcl", Status: TestPass, Runs: []TestRun{{Name: "plan", Status: TestPass}}}
		v.TestingFile(f.Name)
		v.TestedRun(f.Runs[0])
		v.TestedFile(f)
		v.Tested([]TestFile{f}, ".")
	}},
	{"tests_none", func(_ *testing.T, v View) { v.Tested(nil, ". or in tests") }},
	{"status", func(_ *testing.T, v View) { v.Status(sampleRows(), "./oauthctl.state", 0, nil) }},
	{"status_warn", func(_ *testing.T, v View) { v.Status(sampleRows(), "./oauthctl.state", 100*24*time.Hour, nil) }},
	{"status_calm", func(_ *testing.T, v View) { v.Status(sampleRows()[1:3], "./oauthctl.state", 0, nil) }},
	{"status_copies", func(_ *testing.T, v View) {
		v.Status(sampleRows()[1:3], "./oauthctl.state", 0, []string{"/srv/oauthctl-4aad.emergency", "/tmp/oauthctl-9b1c.emergency"})
	}},
	{"status_empty", func(_ *testing.T, v View) { v.Status(nil, "./oauthctl.state", 0, nil) }},
	{"record", func(_ *testing.T, v View) { v.Records(sampleRecords(), sampleOutputs()) }},
	{"record_presents", func(_ *testing.T, v View) { v.Records(presentRecords(), nil) }},
	{"outputs", func(_ *testing.T, v View) { v.Outputs(sampleOutputs()) }},
	{"history", func(_ *testing.T, v View) { v.History(sampleHistory()) }},
	{"history_empty", func(_ *testing.T, v View) { v.History(nil) }},
	{"recovered", func(_ *testing.T, v View) { v.Recovered(sampleCopies(), RecoverNow) }},
	{"recovered_dry", func(_ *testing.T, v View) { v.Recovered(sampleCopies(), RecoverDryRun) }},
	{"recovered_list", func(_ *testing.T, v View) { v.Recovered(sampleCopies(), RecoverList) }},
	{"recovered_none", func(_ *testing.T, v View) { v.Recovered(nil, RecoverNow) }},
	{"addresses", func(_ *testing.T, v View) { v.Addresses(sampleRows()) }},
	{"locks", func(_ *testing.T, v View) { v.Locks(sampleLocks()) }},
	{"locks_none", func(_ *testing.T, v View) { v.Locks(nil) }},
	{"providers", func(_ *testing.T, v View) { v.Providers(sampleProviders()) }},
	{"scopes", func(_ *testing.T, v View) { v.Scopes(sampleScopes()) }},
	{"known_errors", func(_ *testing.T, v View) { v.KnownErrors(sampleKnownErrors()) }},
	{"version", func(_ *testing.T, v View) { v.Version(sampleVersion()) }},
	{"note", func(_ *testing.T, v View) {
		v.Note("Made an identity in %s: it opens the state, so keep a copy in a safe place.", "~/.config/oauthctl/identity.txt")
	}},
	{"errors", func(_ *testing.T, v View) {
		for _, err := range sampleErrors() {
			v.Error(err)
		}
	}},
}

func TestScreens(t *testing.T) {
	for _, s := range screens {
		for _, f := range forms {
			t.Run(s.name+"/"+f.name, func(t *testing.T) {
				var both bytes.Buffer
				s.show(t, NewHuman(options(&both, f)))
				golden(t, s.name+"."+f.name, both.String())
			})
		}
	}
}

func options(b *bytes.Buffer, f form) Options {
	return Options{Out: b, Err: b, Color: f.color, Dark: f.dark, Width: f.width, Now: sampleNow, Version: "1.2.3", Live: true}
}

// What is too long for the screen is only what must stay whole to be copied.
func TestScreensFit(t *testing.T) {
	for _, s := range screens {
		for _, width := range []int{40, 60, 80, 100, 120, 200} {
			var both bytes.Buffer
			s.show(t, NewHuman(options(&both, form{width: width})))
			for _, l := range bytes.Split(both.Bytes(), []byte("\n")) {
				if w := Width(string(l)); w > width && !whole(string(l), width) {
					t.Errorf("%s at %d columns: %d columns: %s", s.name, width, w, l)
				}
			}
		}
	}
}

// whole reports whether a line is long only because of its last words that are
// not broken: an address, a URL, a scope.
func whole(line string, width int) bool {
	if strings.HasPrefix(line, "Plan: ") || strings.HasPrefix(line, "No changes. ") || strings.Contains(line, " complete! ") {
		return true // fixed forms that scripts look for
	}
	for w := range strings.FieldsSeq(line) {
		if Width(w) > width-20 {
			return true
		}
	}
	return strings.Contains(line, "oauthctl ") // a command to copy
}

// Without colour no escape sequence is written; with colour the same words are.
func TestColourChangesNoWord(t *testing.T) {
	for _, s := range screens {
		if s.name == "diagnostics" || s.name == "errors" || s.name == "validated_not" || s.name == "validated_warned" ||
			s.name == "applied_partly" || s.name == "destroyed" || s.name == "plan" || s.name == "plan_fold" ||
			s.name == "plan_language" || s.name == "applied_language" || s.name == "tests" || s.name == "applied_sinks" {
			continue // the box of a message is drawn with colour only
		}
		var plainText, painted bytes.Buffer
		s.show(t, NewHuman(options(&plainText, form{width: 80})))
		s.show(t, NewHuman(options(&painted, form{width: 80, color: true, dark: true})))
		if diff := cmp.Diff(plainText.String(), uncolour(painted.String())); diff != "" {
			t.Errorf("%s: colour changes the text:\n%s", s.name, diff)
		}
	}
}

// uncolour takes SGR sequences away.
func uncolour(s string) string {
	var b bytes.Buffer
	for i := 0; i < len(s); i++ {
		if s[i] == 0x1b {
			for i++; i < len(s) && s[i] != 'm'; i++ {
			}
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestTenThousandChangesAreShownOnce(t *testing.T) {
	p := foldPlan(10_000)
	var b bytes.Buffer
	NewHuman(options(&b, form{width: 80})).Plan(p)
	if n := bytes.Count(b.Bytes(), []byte("\n")); n > 10_000+40 {
		t.Errorf("10,000 equal instances take %d lines, want about one each", n)
	}
	if !bytes.HasSuffix(b.Bytes(), []byte("Plan: 10,000 to authorize, 0 to refresh, 0 to revoke. 10,000 need a person.\n")) {
		t.Errorf("the plan ends with %q", b.Bytes()[max(b.Len()-120, 0):])
	}
}

func BenchmarkPlanHuman(b *testing.B) {
	p := distinctPlan(10_000)
	for b.Loop() {
		NewHuman(Options{Out: discard{}, Err: discard{}, Color: true, Width: 80, Now: sampleNow}).Plan(p)
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestWrappedErrorsLoseNoWord(t *testing.T) {
	flow := &grant.Error{Doing: "refresh at https://a.example/token", Code: "invalid_grant", Detail: "revoked", Remedy: "ask again"}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"around an engine error": {
			fmt.Errorf("in the second try: %w", &engine.Error{Doing: "refresh connection.a", Err: errors.New("no space left"), Remedy: "run: df -h"}),
			"Error: In the second try: could not refresh connection.a\n\nNo space left.\n\ndo now     df -h\n\n",
		},
		"around a flow error": {
			&engine.Error{Doing: "save connection.a", Err: fmt.Errorf("after the answer: %w", flow)},
			"Error: Could not save connection.a\n\nAfter the answer: the server said invalid_grant: revoked.\n\nstep       refresh at https://a.example/token\n",
		},
		"several lines":      {errors.New("unknown command\n\nDid you mean this?\n\tapply"), "Error: Unknown command\n\nDid you mean this?\n    apply\n\n"},
		"a flow error alone": {flow, "Error: Could not refresh at https://a.example/token\n\nThe server said invalid_grant: revoked.\n\ndo now     ask again\n\n"},
		"nothing known":      {&grant.Error{Doing: "ask", Status: 502}, "Error: Could not ask\n\nThe answer of the server cannot be used (HTTP 502).\n\n"},
	} {
		var b bytes.Buffer
		NewHuman(options(&b, form{width: 80})).Error(c.err)
		if !strings.HasPrefix(b.String(), c.want) {
			t.Errorf("%s:\n%s\nwant it to begin with\n%s", name, b.String(), c.want)
		}
	}
}

func TestPlainErrorsAndJoinedErrors(t *testing.T) {
	var b bytes.Buffer
	NewHuman(options(&b, form{width: 80})).Error(errors.Join(errors.New("first"), errors.New("second")))
	if got, want := b.String(), "Error: First\n\nError: Second\n\n"; got != want {
		t.Errorf("joined errors print %q, want %q", got, want)
	}
}

package view

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

func TestCommandsCarryTheFlagsOfTheRun(t *testing.T) {
	o := Options{Flags: []string{"-sandbox", "-config=my files/it's.hcl"}}
	const flags = ` -sandbox '-config=my files/it'\''s.hcl'`
	for text, want := range map[string]string{
		"oauthctl apply": "oauthctl apply" + flags,
		"run: oauthctl apply -target='connection.a'":        "run: oauthctl apply" + flags + " -target='connection.a'",
		"oauthctl state rm 'connection.a'":                  "oauthctl state rm" + flags + " 'connection.a'",
		"(oauthctl plan), or \"oauthctl show\".":            "(oauthctl plan" + flags + "), or \"oauthctl show" + flags + "\".",
		"see: oauthctl apply -help":                         "see: oauthctl apply -help",
		"oauthctl will perform the actions below":           "oauthctl will perform the actions below",
		"oauthctl providers show NAME":                      "oauthctl providers show NAME",
		"oauthctl applying, myoauthctl apply, oauthctl-x":   "oauthctl applying, myoauthctl apply, oauthctl-x",
		"the file oauthctl.state belongs to oauthctl alone": "the file oauthctl.state belongs to oauthctl alone",
	} {
		if got := o.commands(text); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
	if got := (&Options{}).commands("oauthctl apply"); got != "oauthctl apply" {
		t.Errorf("without flags: %q", got)
	}
}

// Wherever a view prints a command, it is the one to type.
func TestEveryCommandPrintedIsTheOneToType(t *testing.T) {
	failed := &engine.Error{Class: engine.ClassNeedsUser, Addr: conn("a"), Doing: "authorize connection.a", Err: errors.New("nobody is here"), Remedy: "run: oauthctl apply -target='connection.a'"}
	late := state.Summary{Addr: conn("a"), Status: state.StatusNeedsConsent}
	for name, show := range map[string]func(v View){
		"error": func(v View) { v.Error(failed) },
		"applied": func(v View) {
			v.Applied(&engine.Outcome{Results: []engine.Result{{Addr: conn("a"), State: engine.Waiting, Err: failed}}}, "apply")
		},
		"plan": func(v View) {
			v.Plan(&plan.Plan{Warnings: []plan.Warning{{Summary: "s", Detail: "Run: oauthctl apply -replace=a"}}})
		},
		"status": func(v View) { v.Status([]state.Summary{late}, "x", 0, nil) },
		"none":   func(v View) { v.Status(nil, "x", 0, nil) },
		"note":   func(v View) { v.Note("see: oauthctl plan") },
		"record": func(v View) { v.Record(&state.Record{Summary: late}) },
	} {
		for form, make := range map[string]func(Options) View{"human": NewHuman, "JSON": NewJSON, "stream": func(o Options) View { o.Stream = true; return NewJSON(o) }} {
			var b bytes.Buffer
			show(make(Options{Out: &b, Err: &b, Width: 200, Now: sampleNow, Flags: []string{"-sandbox"}}))
			if got := b.String(); strings.Count(got, "oauthctl ") != strings.Count(got, "oauthctl apply -sandbox")+strings.Count(got, "oauthctl plan -sandbox")+strings.Count(got, `"oauthctl "`) {
				t.Errorf("%s, %s: a command without the flag:\n%s", name, form, got)
			}
		}
	}
}

package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// hostile are strings that make a terminal do something, or a reader see
// something else than there is.
var hostile = []string{
	"\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\link", "\x1bP+q\x1b\\", "\x1b", "\x9b31m", "\u009b31m", "\u0085", "\u0090x\u009c",
	"\r", "safe\rEVIL", "\b\b\b", "\x7f", "\x00", "\x07", "\x0b\x0c", "a\nb", "a\r\nb", "tab\tbed", "\x0e\x0f",
	"\u202eevil", "\u202a\u202b\u202c\u202d", "\u2066a\u2067b\u2068c\u2069", "\u061c\u200e\u200f",
	"zero\u200bwidth", "\u200c\u200d", "\u2060\ufeff", "\u00ad", "\u180e", "\u2028\u2029", "\ufff9\ufffa\ufffb", "\u3164\u115f", "\U000e0041\U000e007f", "\u034f",
	"\xff\xfe", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
}

func TestSafeShowsWhatTerminalsWouldObey(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"plain text":            "plain text",
		"grüße 日本語 👍 naïve":     "grüße 日本語 👍 naïve",
		"\x1b[2J":               `\x1b[2J`,
		"a\nb\r\tc":             `a\nb\r\tc`,
		"\u009b":                `\u009b`,
		"\u202eabc":             `\u202eabc`,
		"a\u200bb":              `a\u200bb`,
		"\U000e0041":            `\U000e0041`,
		"\xffx":                 `\xffx`,
		"\x7f":                  `\x7f`,
		`C:\temp`:               `C:\temp`,
		"e\u0301":               "e\u0301",
		"replacement \ufffd ok": "replacement \ufffd ok",
	} {
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := SafeText("one\r\ntwo\tx\n\x1b[m"), "one\ntwo    x\n\\x1b[m"; got != want {
		t.Errorf("SafeText = %q, want %q", got, want)
	}
}

func FuzzSafe(f *testing.F) {
	for _, h := range hostile {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		if bad := raw(got, false); bad != 0 || !utf8.ValidString(got) {
			t.Errorf("Safe(%q) = %q holds %q", s, got, bad)
		}
		if Safe(got) != got {
			t.Errorf("Safe is not stable on %q", s)
		}
		if bad := raw(SafeText(s), true); bad != 0 {
			t.Errorf("SafeText(%q) holds %q", s, bad)
		}
	})
}

// raw finds a rune that must not reach a terminal. It does not use the tables
// of the code under test.
func raw(s string, lines bool) rune {
	for _, r := range s {
		switch {
		case r == '\n' && lines:
		case r < ' ', r >= 0x7f && r <= 0x9f, r == 0xad, r == 0x61c, r >= 0x200b && r <= 0x200f,
			r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r >= 0xe0000 && r <= 0xe0fff:
			return r
		}
	}
	return 0
}

func TestNothingHostileIsPrinted(t *testing.T) {
	for _, h := range hostile {
		for name, show := range everyPlace(h) {
			var human, doc bytes.Buffer
			show(NewHuman(options(&human, form{width: 80})))
			if bad := raw(human.String(), true); bad != 0 || !utf8.Valid(human.Bytes()) {
				t.Errorf("%s prints %U of %q raw:\n%q", name, bad, h, human.String())
			}
			show(NewJSON(options(&doc, form{})))
			if bad := raw(doc.String(), true); bad != 0 {
				t.Errorf("%s writes %U of %q raw into JSON:\n%s", name, bad, h, doc.String())
			}
			for l := range strings.Lines(doc.String()) {
				if !json.Valid([]byte(l)) {
					t.Errorf("%s: %q makes invalid JSON: %s", name, h, l)
				}
			}
		}
	}
}

// A program gets the value as it was, only its notation is harmless.
func TestJSONKeepsTheValue(t *testing.T) {
	for _, h := range hostile {
		if !utf8.ValidString(h) {
			continue
		}
		var doc bytes.Buffer
		NewJSON(options(&doc, form{})).Status(nil, h, 0, nil)
		var got struct{ Location string }
		if err := json.Unmarshal(doc.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Location != h {
			t.Errorf("%q comes back as %q", h, got.Location)
		}
	}
}

// everyPlace puts a string into every field that a view prints.
func everyPlace(h string) map[string]func(View) {
	a := addr.Connection("a").Instance(h)
	flow := &grant.Error{Doing: h, Code: h, Detail: h, Hint: h, Remedy: h}
	failed := &engine.Error{Addr: a, Doing: h, Remedy: h, Err: flow}
	change := plan.Change{
		Addr: a, Action: plan.Reauthorize, Reasons: []plan.Reason{plan.Reason(h)}, NeedsUser: true, Way: h, WayReason: h, Provider: h, Title: h + "x", Grant: h,
		ScopesAdded: []string{h}, ScopesRemoved: []string{h}, Scopes: []string{h + "k"}, ScopesByRule: []string{h}, RedirectURI: h, Account: h, Hosts: []string{h}, TokenHosts: []string{h},
		Before: map[string]string{h: h}, After: map[string]string{h: h + "2"}, DependsOn: []addr.Addr{a}, Notes: []string{h}, Unknown: []string{h}, Replaces: true,
	}
	many := make([]plan.Change, foldAbove+2)
	for i := range many {
		many[i] = change
	}
	sum := state.Summary{Addr: a, Provider: h, Status: state.Status(h)}
	now := sampleNow()
	return map[string]func(View){
		"plan": func(v View) {
			v.Plan(&plan.Plan{Changes: []plan.Change{change}, Warnings: []plan.Warning{{Addr: a, Summary: h, Detail: h}}})
		},
		"folded plan": func(v View) { v.Plan(&plan.Plan{Changes: many}) },
		"events": func(v View) {
			for _, kind := range []engine.EventType{engine.EventStart, engine.EventDone, engine.EventFailed, engine.EventSkipped, engine.EventWaiting, engine.EventProgress, engine.EventWarning, engine.EventType(h)} {
				v.Event(engine.Event{Type: kind, Addr: a, Action: plan.Action(h), Text: h, Err: failed})
				v.Event(engine.Event{Type: kind, Addr: a, Err: failed})
				v.Event(engine.Event{Type: kind, Addr: a, Text: h, Asked: &engine.Asked{
					Way: grant.Way(h), URL: h, RedirectURI: h, UserCode: h, VerificationURI: h, VerificationURIComplete: h, Account: h,
				}})
			}
		},
		"applied": func(v View) {
			v.Applied(&engine.Outcome{
				Results: []engine.Result{
					{Addr: a, Action: plan.Authorize, State: engine.Done, Account: h, Warnings: []string{h}},
					{Addr: a, Action: plan.Authorize, State: engine.Failed, Err: failed},
					{Addr: a, Action: plan.Authorize, State: engine.Waiting, Err: errors.New(h)},
				},
				Outputs: []schema.Output{{Name: h, Value: cty.StringVal(h)}},
			}, h)
		},
		"diagnostics": func(v View) {
			diags := hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: h, Detail: h, Extra: schema.DiagExtra{Addr: a},
				Subject: &hcl.Range{Filename: h, Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 9}},
			}}
			v.Diagnostics(diags, nil)
			v.Validated(diags, nil)
		},
		"status": func(v View) { v.Status([]state.Summary{sum, {Addr: a, Status: state.StatusNeedsConsent}}, h, 0, nil) },
		"record": func(v View) {
			v.Record(&state.Record{Summary: sum, Info: &state.Info{
				Provider: h, Title: h, Grant: h, Client: state.Client{Issuer: h, TokenEndpoint: h, ClientID: h, Auth: h}, Requested: []string{h}, Granted: []string{h + "g"},
				Account: h, Subject: h, RedirectURI: h, Hosts: []string{h}, DependsOn: []string{h}, Intent: &state.Intent{At: now, Host: h}, Reject: &state.Reject{Error: h, Until: now},
			}, Tokens: &state.Tokens{AccessToken: "x", TokenType: h, Extra: map[string]secret.Secret{h: "x"}}})
		},
		"outputs": func(v View) {
			v.Outputs([]schema.Output{
				{Name: h, Value: cty.StringVal(h)},
				{Name: "o", Value: cty.ObjectVal(map[string]cty.Value{h: cty.ListVal([]cty.Value{cty.StringVal(h)})})},
			})
		},
		"addresses": func(v View) { v.Addresses([]state.Summary{sum}) },
		"locks": func(v View) {
			v.Locks([]state.Held{{Addr: a, Holder: state.Holder{PID: 1, Host: h, User: h, Operation: h, Since: h}}})
		},
		"providers": func(v View) {
			v.Providers([]providers.Entry{{Name: h, Title: h, Arguments: []providers.Argument{{Name: h, Doc: h}}}})
		},
		"version": func(v View) { v.Version(VersionInfo{Version: h, Commit: h, Date: h, Go: h, Platform: h}) },
		"error": func(v View) {
			for _, err := range []error{failed, flow, errors.New(h), errors.Join(errors.New(h), failed)} {
				v.Error(err)
			}
		},
		"note": func(v View) { v.Note("%s", h) },
	}
}

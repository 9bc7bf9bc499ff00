package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// decode reads the only sink of a text.
func decode(t *testing.T, text string) (*sink.Sink, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) { return "env-" + strings.ToLower(name), true }
	cfg, diags := schema.Load(t.Context(), schema.Source{Dir: dir, LookupEnv: env})
	if diags.HasErrors() {
		return nil, diags
	}
	if len(cfg.Sinks) != 1 {
		t.Fatalf("%d sinks", len(cfg.Sinks))
	}
	return sink.Decode(cfg.Sinks[0])
}

func target(t *testing.T, text string) sink.Target {
	t.Helper()
	s, diags := decode(t, text)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s.Target
}

func values(pairs ...string) []sink.Value {
	var out []sink.Value
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, sink.Value{Name: pairs[i], Secret: secret.Secret(pairs[i+1])})
	}
	return out
}

// disk is an Env over a directory.
func disk(dir string) sink.Env {
	at := func(name string) string { return filepath.Join(dir, name) }
	return sink.Env{
		HTTP: http.DefaultClient, Now: time.Now,
		ReadOwn:   func(name string) ([]byte, error) { return os.ReadFile(at(name)) },
		WriteFile: func(name string, text []byte) error { return os.WriteFile(at(name), text, 0o600) },
		RemoveFile: func(name string) error {
			if err := os.Remove(at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		},
	}
}

const conn = `
connection "graph" {
  provider  = "acme"
  client_id = "x"
}
`

func TestDecodeGathersWhatIsPublished(t *testing.T) {
	s, diags := decode(t, conn+strings.ReplaceAll(conn, "graph", "later")+`
sink "file" "ci" {
  path = "ci.env"
  secrets = {
    B_TOKEN = connection.graph.access_token
    A_PLAIN = "constant"
    C_BOTH  = "${connection.graph.account}:${connection.graph.access_token}"
  }
  depends_on = [connection.later]
}`)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := []any{s.Addr.String(), s.Names, s.Unknown, len(s.Values), s.Values[0].Name, s.Target.Place(), len(s.From), s.From[0].Short(), len(s.DependsOn), s.Settings}
	want := []any{"sink.file.ci", []string{"A_PLAIN", "B_TOKEN", "C_BOTH"}, []string{"B_TOKEN", "C_BOTH"}, 1, "A_PLAIN", "the file ci.env", 1, "graph", 2, `{"path":"ci.env"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What is wrong with a block is said, at its place, with what to do.
func TestDecodeRefuses(t *testing.T) {
	for want, block := range map[string]string{
		`no kind of sink named "fil". Did you mean "file"?`:           `sink "fil" "x" { secrets = {} }`,
		`The argument "path" is required`:                             `sink "file" "x" { secrets = {} }`,
		`Say what is published with "secrets"`:                        `sink "file" "x" { path = "a" }`,
		`The argument "state" is the name under which`:                "sink \"file\" \"x\" {\n path = \"a\"\n state = \"\"\n}",
		`Write a second sink for it`:                                  "sink \"file\" \"x\" {\n path = \"a\"\n state = \"A\"\n secrets = {}\n}",
		`"1S" cannot be the name of a variable`:                       "sink \"file\" \"x\" {\n path = \"a\"\n state = \"1S\"\n}",
		`Did you mean "path"?`:                                        "sink \"file\" \"x\" {\n path = \"a\"\n pth = \"b\"\n secrets = {}\n}",
		`only one can be published to it, not 2`:                      "sink \"file\" \"x\" {\n path = \"a\"\n format = \"raw\"\n secrets = { A = \"1\", B = \"2\" }\n}",
		`"1A" cannot be the name of a variable`:                       "sink \"file\" \"x\" {\n path = \"a\"\n secrets = { \"1A\" = \"1\" }\n}",
		`the argument "path" must name a file`:                        "sink \"file\" \"x\" {\n path = \"a/\"\n secrets = {}\n}",
		`which has to be known before anything is applied`:            "sink \"file\" \"x\" {\n path = connection.graph.account\n secrets = {}\n}",
		`The argument "token" is a secret, so it must not be written`: "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n token = \"ghp_canary\"\n secrets = {}\n}",
		`The argument "GRAPH_TOKEN" is a secret`:                      "sink \"file\" \"x\" {\n path = \"a\"\n secrets = { GRAPH_TOKEN = \"canary\" }\n}",
		`Set either "repository" or "organization"`:                   "sink \"github_actions\" \"x\" {\n token = env(\"T\")\n secrets = {}\n}",
		`must be written as "owner/name", not "../x"`:                 "sink \"github_actions\" \"x\" {\n repository = \"../x\"\n token = env(\"T\")\n secrets = {}\n}",
		`names that start with GITHUB_ are GitHub's own`:              "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n token = env(\"T\")\n secrets = { github_x = \"1\" }\n}",
		`are one secret`:           "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n token = env(\"T\")\n secrets = { a = \"1\", A = \"2\" }\n}",
		`must be an https address`: "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n url = \"http://github.example\"\n token = env(\"T\")\n secrets = {}\n}",
		`list the repositories in "selected_repository_ids"`:         "sink \"github_actions\" \"x\" {\n organization = \"a\"\n visibility = \"selected\"\n token = env(\"T\")\n secrets = {}\n}",
		`Only secrets of an organization have a visibility`:          "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n visibility = \"all\"\n token = env(\"T\")\n secrets = {}\n}",
		`Environments belong to repositories`:                        "sink \"github_actions\" \"x\" {\n organization = \"a\"\n environment = \"b\"\n token = env(\"T\")\n secrets = {}\n}",
		`nothing in them may be sensitive`:                           "sink \"exec\" \"x\" {\n program = \"p\"\n settings = { a = sensitive(env(\"A\")) }\n secrets = {}\n}",
		`There is no connection named "grap". Did you mean "graph"?`: "sink \"file\" \"x\" {\n path = \"a\"\n secrets = { A = connection.grap.access_token }\n}",
		`Each element names a connection as a whole`:                 "sink \"file\" \"x\" {\n path = \"a\"\n secrets = {}\n depends_on = [\"graph\"]\n}",
		`The argument "secrets" must be a map of strings`:            "sink \"file\" \"x\" {\n path = \"a\"\n secrets = { A = connection.graph.scopes }\n}",
	} {
		_, diags := decode(t, conn+block)
		var all strings.Builder
		for _, d := range diags {
			all.WriteString(d.Summary + ": " + d.Detail + "\n")
			if d.Subject == nil || d.Subject.Start.Line == 0 || schema.AddrOf(d).IsZero() {
				t.Errorf("%s: no place or no address: %v", want, d)
			}
		}
		if !strings.Contains(strings.ToLower(all.String()), strings.ToLower(want)) || strings.Contains(all.String(), "canary") {
			t.Errorf("want %q, have %s", want, all.String())
		}
	}
}

const awkward = "it's \"$HOME\" `x` \\ \n#\n\téß=1;&|"

// A shell that sources the file has the values, whatever is in them.
func TestDotenvIsWhatAShellReads(t *testing.T) {
	dir := t.TempDir()
	f := target(t, "sink \"file\" \"x\" {\n path = \"a.env\"\n secrets = {}\n}")
	in := values("AWKWARD", awkward, "EMPTY", "", "LINES", "a\nB='x'\nc", "PLAIN", "eyJ0.a-b_c/d+e=", "QUOTES", "''")
	if err := f.Publish(t.Context(), disk(dir), in); err != nil {
		t.Fatal(err)
	}
	for _, v := range in {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `. ./a.env; printf %s "$`+v.Name+`"`)
		cmd.Dir = dir
		if out, err := cmd.Output(); err != nil || string(out) != v.Secret.Reveal() {
			t.Errorf("%s: %q, %v", v.Name, out, err)
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "a.env"))
	if !strings.Contains(string(text), "\nPLAIN=eyJ0.a-b_c/d+e=\n") {
		t.Errorf("a plain value is in quotes, which some readers take for a part of it:\n%s", text)
	}
	// One is taken out, and what is left is read as before.
	if err := f.Remove(t.Context(), disk(dir), []string{"LINES", "PLAIN", "MISSING"}); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadFile(filepath.Join(dir, "a.env"))
	again := t.TempDir()
	if err := f.Publish(t.Context(), disk(again), values("AWKWARD", awkward, "EMPTY", "", "QUOTES", "''")); err != nil {
		t.Fatal(err)
	}
	if want, _ := os.ReadFile(filepath.Join(again, "a.env")); string(left) != string(want) {
		t.Errorf("left:\n%s\nwant:\n%s", left, want)
	}
	if err := f.Remove(t.Context(), disk(dir), []string{"AWKWARD", "EMPTY", "QUOTES"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.env")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty file is left: %v", err)
	}
	if err := f.Remove(t.Context(), disk(dir), []string{"A"}); err != nil {
		t.Errorf("there is nothing to remove: %v", err)
	}
}

func TestTheOtherFormatsOfFiles(t *testing.T) {
	dir := t.TempDir()
	j := target(t, "sink \"file\" \"x\" {\n path = \"a.json\"\n format = \"json\"\n secrets = {}\n}")
	if err := j.Publish(t.Context(), disk(dir), values("a b", awkward, "c", "d")); err != nil {
		t.Fatal(err)
	}
	if err := j.Remove(t.Context(), disk(dir), []string{"c"}); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "a.json"))
	var got map[string]string
	if err := json.Unmarshal(text, &got); err != nil || len(got) != 1 || got["a b"] != awkward {
		t.Errorf("%s: %v", text, err)
	}
	raw := target(t, "sink \"file\" \"x\" {\n path = \"a.raw\"\n format = \"raw\"\n secrets = { A = \"1\" }\n}")
	if err := raw.Publish(t.Context(), disk(dir), values("A", awkward)); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "a.raw")); string(text) != awkward {
		t.Errorf("%q", text)
	}
	if err := raw.Publish(t.Context(), disk(filepath.Join(dir, "missing")), values("A", "canary")); err == nil ||
		!strings.Contains(err.Error(), "write the file a.raw") || strings.Contains(err.Error(), "canary") {
		t.Errorf("no directory: %v", err)
	}
}

func TestExecHandsValuesOnByStdin(t *testing.T) {
	p := target(t, "sink \"exec\" \"x\" {\n program = \"push\"\n settings = { team = \"blue\" }\n secrets = {}\n}")
	var ran []string
	env := sink.Env{Run: func(_ context.Context, program string, input []byte) error {
		ran = append(ran, program+" "+string(input))
		return nil
	}}
	if err := errors.Join(p.Publish(t.Context(), env, values("A", awkward)), p.Remove(t.Context(), env, []string{"A"})); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(awkward)
	want := []string{
		`push {"operation":"publish","settings":{"team":"blue"},"values":{"A":` + string(text) + "}}\n",
		`push {"operation":"remove","settings":{"team":"blue"},"names":["A"]}` + "\n",
	}
	if d := cmp.Diff(want, ran); d != "" {
		t.Error(d)
	}
	env.Run = func(context.Context, string, []byte) error { return errors.New("exit status 1: \x1b[31mno\n") }
	var failed *sink.Error
	if err := p.Publish(t.Context(), env, values("A", "x")); !errors.As(err, &failed) || failed.Kind != sink.Config ||
		strings.ContainsAny(err.Error(), "\x1b\n") || len(failed.Written) != 1 {
		t.Errorf("%#v", failed)
	}
	env.Run = func(context.Context, string, []byte) error {
		return &sink.Error{Kind: sink.Temporary, Detail: "later", Remedy: "wait"}
	}
	if err := p.Publish(t.Context(), env, nil); !errors.As(err, &failed) || failed.Kind != sink.Temporary || failed.Remedy != "wait" || len(failed.Written) != 0 {
		t.Errorf("%#v", failed)
	}
}

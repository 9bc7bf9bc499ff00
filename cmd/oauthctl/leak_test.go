package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

const leakConfig = `
variable "pass" {
  type      = string
  sensitive = true
}
provider "acme" { issuer = "https://login.acme.example" }
connection "person" {
  provider      = "acme"
  client_id     = "person"
  client_secret = var.pass
  scopes        = ["openid", "offline_access"]
  redirect_uris = ["http://127.0.0.1/callback"]
  hosts         = ["git.example.com"]
}
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  grant "client_credentials" {}
}
connection "signer" {
  provider  = "acme"
  client_id = "signer"
  client_assertion { private_key = env("SIGNER_KEY") }
  grant "client_credentials" {}
}
connection "robot" {
  provider  = "acme"
  client_id = "robot"
  grant "jwt_bearer" { private_key = env("ROBOT_KEY") }
}
connection "fed" {
  provider      = "acme"
  client_id     = "fed"
  client_secret = env("WORKER_SECRET")
  grant "token_exchange" {
    subject_token = connection.robot.access_token
    actor_token   = env("ACTOR_TOKEN")
  }
}
connection "job" {
  provider  = "acme"
  client_id = "job"
  client_assertion { github_actions = true }
  grant "client_credentials" {}
}
sink "file" "env" {
  path    = "published.env"
  secrets = { WORKER_TOKEN = connection.worker.access_token, PASS = var.pass }
}
sink "github_actions" "ci" {
  repository = "octo/app"
  token      = env("PLACE_TOKEN")
  secrets    = { NEXT = connection.person.refresh_token }
}
sink "file" "state" {
  path  = "state.env"
  state = "OAUTHCTL_STATE"
}
sink "gitlab" "ci" {
  project = "octo/app"
  token   = env("PLACE_TOKEN")
  secrets = { NEXT = connection.person.refresh_token }
}
sink "gitea" "ci" {
  url          = "https://gitea.example"
  organization = "octo"
  token        = env("PLACE_TOKEN")
  secrets      = { NEXT = connection.person.refresh_token }
}
sink "kubernetes" "app" {
  namespace = "ci"
  name      = "app"
  secrets   = { token = connection.worker.access_token }
}
sink "vault" "ci" {
  url     = "https://vault.example"
  path    = "ci/app"
  token   = env("PLACE_TOKEN")
  secrets = { token = connection.worker.access_token, PASS = var.pass }
}
variable "once" {
  type      = string
  ephemeral = true
}
connection "adopted" {
  provider      = "acme"
  client_id     = "adopted"
  redirect_uris = ["http://127.0.0.1/callback"]
}
import {
  to            = connection.adopted
  refresh_token = "${var.once}${env("OLD_TOKEN")}"
}
output "hidden" {
  value     = connection.worker.access_token
  sensitive = true
}
output "mixed" {
  value     = "Bearer ${connection.person.access_token} ${var.pass}"
  sensitive = true
}
`

// leakTests fail with secrets in conditions, messages and outputs.
const leakTests = `
run "fails" {
  assert {
    condition     = connection.person.access_token == var.pass && output.hidden == env("WORKER_SECRET")
    error_message = "have ${connection.person.access_token} and ${var.pass}"
  }
  assert {
    condition     = tonumber(var.pass) == 1
    error_message = "x"
  }
}
run "passes_on" {
  variables { pass = run.fails.mixed }
  assert {
    condition     = jsonencode(output) == ""
    error_message = var.pass
  }
}
`

// leakExpressions ask for secrets in many ways, also in those that fail.
const leakExpressions = `
var.pass
connection.person
connection.worker.access_token
"Bearer ${connection.person.access_token}"
[for s in [var.pass] : upper(s)]
{ (var.pass) = 1 }
jsondecode(var.pass)
tonumber(connection.worker.access_token)
file(var.pass)
env("WORKER_SECRET")
type(var.pass)
upper("${var.pass}"
`

// leakStdins are what leak.txt calls by a name.
var leakStdins = map[string]string{"expressions": leakExpressions}

type leakRun struct {
	name  string
	args  string
	stdin string
	asked bool // for the secret: stdout may have it
}

// readLeakRuns reads testdata/leak.txt: what is run, and of which commands.
func readLeakRuns(t *testing.T) []leakRun {
	t.Helper()
	text, err := os.ReadFile("testdata/leak.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{} // commands, and whether they do more than show their help
	walk(testTree(), func(cmd *cobra.Command) {
		known[commandName(cmd)] = !cmd.HasAvailableSubCommands() || cmd.Name() == "providers" || cmd.Name() == "explain"
	})
	var runs []leakRun
	tried := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		var run leakRun
		line, run.asked = strings.CutPrefix(line, "ASKED ")
		line, stdin, given := strings.Cut(line, " < ")
		if run.stdin = leakStdins[stdin]; given && run.stdin == "" {
			if run.stdin, err = strconv.Unquote(stdin); err != nil {
				t.Fatalf("testdata/leak.txt: %s: %v", line, err)
			}
		}
		words := strings.Fields(line)
		for n := range words { // the longest name that is a command
			name := strings.Join(words[:n+1], " ")
			if _, ok := known[name]; ok {
				run.name, run.args = name, strings.Join(words[n+1:], " ")
			}
		}
		if run.name == "" {
			t.Fatalf("testdata/leak.txt: %s: no such command", line)
		}
		tried[run.name] = true
		runs = append(runs, run)
	}
	for name, acts := range known {
		if acts && !tried[name] {
			t.Errorf("the leak test does not know the command %q: add it to testdata/leak.txt", name)
		}
	}
	return runs
}

// commandName is how a command is called, without the program.
func commandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "oauthctl"), " ")
}

// Every command in every mode, with secrets whose every appearance is looked
// for: on the screens, and in every file that is left.
func TestNothingLeaks(t *testing.T) {
	runs := readLeakRuns(t)
	u := newLeakUser(t)
	u.run(leakRun{name: "apply", args: "-auto-approve"})
	for _, run := range runs {
		u.learn()
		for _, color := range []string{"", "1"} {
			u.env["FORCE_COLOR"], u.env["OAUTHCTL_LOG"], u.env["OAUTHCTL_LOG_PATH"] = color, "debug", ""
			if color != "" {
				u.env["OAUTHCTL_LOG"], u.env["OAUTHCTL_LOG_PATH"] = "json", filepath.Join(u.dir, "requests.log")
			}
			u.run(run)
		}
		u.learn()
	}
	u.files()
	if log, err := os.ReadFile(filepath.Join(u.dir, "requests.log")); err != nil || !bytes.Contains(log, []byte(`"msg":"answer"`)) {
		t.Errorf("the log has nothing in it that could leak: %v", err)
	}
	if u.seen < 20 {
		t.Errorf("only %d secrets were looked for: the test is blind", u.seen)
	}
}

// leakUser runs commands and knows all secrets there are.
type leakUser struct {
	t       *testing.T
	dir     string
	real    bool // not in the sandbox
	env     map[string]string
	needles map[string]string // what to look for → what it is
	seen    int
	output  []leakOutput
}

type leakOutput struct {
	what string
	text []byte
}

func newLeakUser(t *testing.T) *leakUser {
	dir := t.TempDir()
	u := &leakUser{t: t, dir: dir, needles: map[string]string{}, env: map[string]string{
		"HOME": filepath.Join(dir, "home"), "XDG_CONFIG_HOME": filepath.Join(dir, "home", "config"),
		"XDG_STATE_HOME":                 filepath.Join(dir, "home", "state"),
		"WORKER_SECRET":                  canary(),
		"PLACE_TOKEN":                    canary(),
		"SIGNER_KEY":                     keyCanary(t),
		"ROBOT_KEY":                      keyCanary(t),
		"ACTOR_TOKEN":                    "made-up-" + strings.NewReplacer("/", "", "+", "", "~", "").Replace(canary()),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": canary(),
		"OAUTHCTL_VAR_pass":              canary(),
		"OAUTHCTL_PASSPHRASE":            canary(),
		"OLD_TOKEN":                      canary(),
		"BAD_TOKEN":                      canary() + " " + canary(),
		"OAUTHCTL_VAR_once":              canary(),
	}}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(leakConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "leak.oauthtest.hcl"), []byte(leakTests), 0o600); err != nil {
		t.Fatal(err)
	}
	u.secret("refresh token to import", u.env["OLD_TOKEN"])
	for _, word := range strings.Fields(u.env["BAD_TOKEN"]) { // lines may be broken in between
		u.secret("text that is no refresh token", word)
	}
	u.secret("ephemeral variable", u.env["OAUTHCTL_VAR_once"])
	u.secret("client secret", u.env["WORKER_SECRET"])
	u.secret("token of a place", u.env["PLACE_TOKEN"])
	u.key("private key", u.env["SIGNER_KEY"])
	u.key("private key of the grant", u.env["ROBOT_KEY"])
	u.secret("actor token", u.env["ACTOR_TOKEN"])
	u.secret("token of the job", u.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	u.secret("sensitive variable", u.env["OAUTHCTL_VAR_pass"])
	u.secret("passphrase", u.env["OAUTHCTL_PASSPHRASE"])
	return u
}

// keyCanary is a private key in PEM.
func keyCanary(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// key is looked for line by line, and as bytes.
func (u *leakUser) key(what, text string) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			u.secret(what, line)
		}
	}
	u.secret(what, string(block.Bytes))
}

func canary() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b)
	return "canary/" + hex.EncodeToString(b) + "+~end"
}

// secret is looked for from now on: as it is, URL-encoded, in hex, and in
// base64 at any alignment.
func (u *leakUser) secret(what, s string) {
	if _, known := u.needles[s]; s == "" || known {
		return
	}
	u.seen++
	for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s))} {
		u.needles[form] = what
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), s...)
		padded = padded[:len(padded)/3*3]
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded)
			u.needles[text[4:]] = what + " in base64"
		}
	}
}

// run runs a command in this process and keeps what it wrote.
func (u *leakUser) run(run leakRun) {
	u.t.Helper()
	args := append([]string{"-chdir=" + u.dir}, strings.Fields(run.name)...)
	if !u.real {
		args = append(args, "-sandbox")
	}
	args = append(args, strings.Fields(run.args)...)
	app, out, errs := testApp(args...)
	app.Now, app.Rand, app.PassphraseCost = time.Now, rand.Reader, 10
	app.Stdin = strings.NewReader(run.stdin)
	app.Become = func(p *program) (int, error) {
		u.output = append(u.output, leakOutput{"command line of exec", []byte(p.path + " " + strings.Join(p.argv, " "))})
		return 0, nil
	}
	app.LookupEnv = func(k string) (string, bool) { v, ok := u.env[k]; return v, ok }
	ctx := u.t.Context()
	if run.name == "agent" {
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx = running
		app.Stderr = &heard{Writer: errs, text: "The agent of", then: func() { u.askAgent(cancel) }}
	}
	if run.name == "sandbox" {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		ctx = short
	}
	app.Run(ctx)
	what := strings.Join(args[1:], " ")
	u.output = append(u.output, leakOutput{what + " (stderr)", errs.Bytes()})
	if !run.asked {
		u.output = append(u.output, leakOutput{what + " (stdout)", out.Bytes()})
	} else if out.Len() == 0 {
		u.t.Errorf("%s: printed nothing: %s", what, errs)
	}
}

// heard calls then when a text is written.
type heard struct {
	io.Writer
	text string
	then func()
}

// Write implements [io.Writer].
func (h *heard) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	if bytes.Contains(p, []byte(h.text)) {
		go h.then()
	}
	return n, err
}

// askAgent has the agent that runs refresh a token, and ends it.
func (u *leakUser) askAgent(end func()) {
	defer end()
	app, out, errs := testApp("-chdir="+u.dir, "token", "-sandbox", "-force-refresh", "person")
	app.Now, app.Rand = time.Now, rand.Reader
	app.LookupEnv = func(k string) (string, bool) {
		if k == "OAUTHCTL_PASSPHRASE" || k == "OAUTHCTL_LOG" || k == "OAUTHCTL_LOG_PATH" {
			return "", false
		}
		v, ok := u.env[k]
		return v, ok
	}
	code := app.Run(u.t.Context())
	u.output = append(u.output, leakOutput{"token by the agent (stderr)", errs.Bytes()}) // u.run waits
	if code != exitDone || out.Len() == 0 {
		u.t.Errorf("token by the agent: exit %d: %s", code, errs)
	}
}

// learn reads the tokens out of the state, as their owner can.
func (u *leakUser) learn() {
	u.t.Helper()
	ctx := u.t.Context()
	key, err := os.ReadFile(filepath.Join(u.dir, "home", "config", "oauthctl", "identity.txt"))
	if err != nil {
		u.t.Fatal(err)
	}
	if seal.Protected(string(key)) {
		plain, err := seal.Unprotect(string(key), u.env["OAUTHCTL_PASSPHRASE"])
		if err != nil {
			u.t.Fatal(err)
		}
		key = []byte(plain)
	}
	for line := range strings.Lines(string(key)) {
		if strings.HasPrefix(line, "AGE-SECRET-KEY-") {
			u.secret("identity", strings.TrimSpace(line))
		}
	}
	ids, err := seal.ParseIdentities(string(key))
	if err != nil {
		u.t.Fatal(err)
	}
	file := filepath.Join(u.dir, workDir, sandboxState)
	if u.real {
		file = filepath.Join(u.dir, defaultState)
	}
	db, err := sqlite.Open(file, sqlite.Options{})
	if err != nil {
		u.t.Fatal(err)
	}
	store, err := state.Open(ctx, db, state.Options{Identities: func() ([]age.Identity, error) { return ids, nil }, Now: time.Now})
	if err != nil {
		u.t.Fatal(err)
	}
	defer store.Close()
	records, err := store.All(ctx, state.PartAll)
	if err != nil {
		u.t.Fatal(err)
	}
	for _, r := range records {
		u.secret("access token", r.Tokens.AccessToken.Reveal())
		u.secret("refresh token", r.Tokens.RefreshToken.Reveal())
		u.secret("ID token", r.Tokens.IDToken.Reveal())
		u.secret("client secret in the state", r.Tokens.ClientSecret.Reveal())
		u.key("private key in the state", r.Tokens.ClientKey.Reveal())
		u.key("private key of a grant in the state", r.Tokens.GrantKey.Reveal())
		u.secret("subject token in the state", r.Tokens.SubjectToken.Reveal())
		u.secret("actor token in the state", r.Tokens.ActorToken.Reveal())
		for k, v := range r.Tokens.Extra {
			if len(v.Reveal()) >= 16 {
				u.secret(k, v.Reveal())
			}
		}
	}
}

// files looks into everything that was printed and everything that is on disk,
// but the identity itself.
func (u *leakUser) files() {
	u.t.Helper()
	err := filepath.WalkDir(u.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "identity.txt") {
			return err
		}
		text, err := os.ReadFile(path)
		u.output = append(u.output, leakOutput{"the file " + path, text})
		return err
	})
	if err != nil {
		u.t.Fatal(err)
	}
	for _, o := range u.output {
		for needle, what := range u.needles {
			if bytes.Contains(o.text, []byte(needle)) {
				u.t.Errorf("%s: there is the %s", o.what, what)
			}
		}
	}
}

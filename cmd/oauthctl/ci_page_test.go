package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// platform is what jobs run on: a repository with examples/ci-write-back.hcl, a
// server that takes each refresh token once, a store of secrets, and stand-ins
// for the programs of others that the page uses.
type platform struct {
	t       *testing.T
	repo    string
	secrets string // a directory: see serveHub
	bin     string
	url     string // of the store
	issuer  string
	runner  int // machines so far: each job has one of its own
	clock   time.Duration
}

// standIns act on the store of secrets as the real programs would.
var standIns = map[string]string{
	"gh": `case "$1 $2" in
"secret set") test "$4 $5" = "--env tokens" || exit 9; printf %s "$(cat)" > "$STORE/$3" ;;
"issue create") cat "$6" > "$STORE/issue" ;;
*) exit 9 ;;
esac`,
	"store-secret": `printf %s "$(cat)" > "$STORE/$1"`,
	"curl":         `echo "$@" > "$STORE/curl"`,
	"go":           `test "$*" = "install github.com/oauthctl/oauthctl/cmd/oauthctl@latest"`,
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("LEFT OUT: the commands are written for a POSIX shell")
	}
	p := &platform{t: t, repo: t.TempDir(), secrets: t.TempDir(), bin: t.TempDir()}
	srv, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		_ = srv.Close()
	})
	issuer, err := srv.Serve(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hub, err := serveHub(p.secrets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	p.url = hub.URL
	for name, text := range standIns {
		if err := os.WriteFile(filepath.Join(p.bin, name), []byte("#!/bin/sh\nset -e\n"+text+"\n"), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	p.issuer = issuer
	p.configure(p.read(filepath.Join(root, "examples", "ci-write-back.hcl")))
	return p
}

// configure puts a configuration of the pages into the repository, with the
// servers that are here, and a client that has no secret at all.
func (p *platform) configure(config string) {
	p.t.Helper()
	for was, is := range map[string]string{
		`"microsoft"`:            `"local"`,
		`"octo/app"`:             "\"octo/app\"\n  url = \"" + p.url + `"`,
		"connection \"graph\" {": "provider \"local\" { issuer = \"" + p.issuer + "\" }\nconnection \"job\" {\n  provider = \"local\"\n  client_id = \"job\"\n  client_assertion { github_actions = true }\n  grant \"client_credentials\" {}\n}\nconnection \"graph\" {",
	} {
		if strings.Count(config, was) != 1 {
			p.t.Fatalf("the configuration has no %s", was)
		}
		config = strings.Replace(config, was, is, 1)
	}
	p.write(filepath.Join(p.repo, "main.hcl"), config)
}

func (p *platform) read(path string) string {
	p.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *platform) write(path, text string) {
	p.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *platform) secret(name string) string { return p.read(filepath.Join(p.secrets, name)) }

// machine is the environment of a new one, with what every job of GitHub has.
func (p *platform) machine() []string {
	p.t.Helper()
	p.runner++
	home := filepath.Join(p.t.TempDir(), "home"+strconv.Itoa(p.runner))
	if err := os.MkdirAll(home, 0o700); err != nil {
		p.t.Fatal(err)
	}
	return []string{
		"PATH=" + p.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "STORE=" + p.secrets, "VARIABLES_TOKEN=" + hubToken, "TEST_CLOCK=" + p.clock.String(),
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + p.url + "/idtoken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t", "GITHUB_OUTPUT=" + filepath.Join(home, "output"),
	}
}

// job is a machine with all secrets of the store.
func (p *platform) job() []string {
	env := append(p.machine(), "CI=true")
	for _, name := range []string{"OAUTHCTL_IDENTITY", "OAUTHCTL_STATE", "SECRETS_TOKEN"} {
		env = append(env, name+"="+p.secret(name))
	}
	return env
}

// shell runs a script and returns its exit code and what it said.
func (p *platform) shell(env []string, script string) (int, string) {
	p.t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir, cmd.Env = p.repo, env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	case err != nil:
		p.t.Fatal(err)
	}
	return 0, string(out)
}

var consoleRun = regexp.MustCompile("(?m)^<!-- run (at home|in a job) -->\n```console\n((?:\\$ .*\n)+)```$")

// follow runs the commands of a page as they are written: those at home first, and
// every block of a job on a machine of its own, two hours later.
func (p *platform) follow(page string, blocks int) {
	p.t.Helper()
	found := consoleRun.FindAllStringSubmatch(page, -1)
	if len(found) != blocks || strings.Count(page, "<!-- run ") != blocks || found[0][1] != "at home" {
		p.t.Fatalf("%d blocks", len(found))
	}
	for i, b := range found {
		var lines []string
		for _, m := range typed.FindAllStringSubmatch(b[2], -1) {
			lines = append(lines, m[1])
		}
		var env []string
		if i == 0 {
			env = append(p.machine(), "BROWSER=browser-agree", "OAUTHCTL_INPUT=true", "SECRETS_TOKEN="+hubToken)
		} else {
			env = p.job()
		}
		if code, out := p.shell(env, strings.Join(lines, "\n")); code != 0 {
			p.t.Fatalf("exit code %d: %s\n%s", code, b[2], out)
		}
	}
}

// home consents, as the page says.
func (p *platform) home() {
	p.t.Helper()
	page := p.read(filepath.Join(root, "docs", "ci.md"))
	p.follow(consoleRun.FindString(page), 1)
}

func TestCIPageRuns(t *testing.T) {
	p := newPlatform(t)
	p.home()
	before := p.secret("OAUTHCTL_STATE")
	p.clock = 2 * time.Hour
	page := p.read(filepath.Join(root, "docs", "ci.md"))
	p.follow(page, 4)
	if p.secret("OAUTHCTL_STATE") == before {
		t.Error("no job has published a new state")
	}
	if sent := p.secret("curl"); !strings.Contains(sent, "-H Authorization: Bearer eyJ") {
		t.Errorf("curl got %q", sent)
	}
}

func TestReadmeCIRuns(t *testing.T) {
	page := (&platform{t: t}).read(filepath.Join(root, "README.md"))
	_, section, found := strings.Cut(page, "\n## CI in five minutes\n")
	if section, _, _ = strings.Cut(section, "\n## "); !found || strings.Count(section, "\n") > 30 {
		t.Fatalf("the section has %d lines", strings.Count(section, "\n"))
	}
	p := newPlatform(t)
	p.clock = 2 * time.Hour
	p.follow(section, 3)
	if sent := p.secret("curl"); !strings.Contains(sent, "-H Authorization: Bearer eyJ") {
		t.Errorf("curl got %q", sent)
	}
}

var yamlFence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// workflows are the YAML blocks of the page, by a member that tells them apart.
func (p *platform) workflow(member string) map[string]any {
	p.t.Helper()
	blocks := yamlFence.FindAllStringSubmatch(p.read(filepath.Join(root, "docs", "ci.md")), -1)
	if len(blocks) != 3 {
		p.t.Fatalf("%d blocks", len(blocks))
	}
	for _, b := range blocks {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(b[1]), &doc); err != nil {
			p.t.Fatalf("%v\n%s", err, b[1])
		}
		if doc[member] != nil {
			return doc
		}
	}
	p.t.Fatalf("no block has %s", member)
	return nil
}

// at is a value inside a document.
func at[T any](t *testing.T, doc any, path ...string) T {
	t.Helper()
	for _, name := range path {
		m, _ := doc.(map[string]any)
		if l, ok := doc.([]any); ok && name == "0" && len(l) > 0 {
			doc = l[0]
			continue
		}
		doc = m[name]
	}
	v, ok := doc.(T)
	if !ok {
		t.Fatalf("%s is %T", strings.Join(path, "."), doc)
	}
	return v
}

var expression = regexp.MustCompile(`\$\{\{ (\S+) \}\}`)

// actions runs one job of a workflow, as GitHub would: what failed, "" if nothing.
func (p *platform) actions(job map[string]any) (failed, output string) {
	p.t.Helper()
	if at[string](p.t, job, "environment") != "tokens" {
		p.t.Error("the secrets are not those of an environment")
	}
	env := append(p.machine(), "CI=true")
	for name, v := range at[map[string]any](p.t, job, "env") {
		env = append(env, name+"="+expression.ReplaceAllStringFunc(v.(string), func(e string) string {
			if secret, ok := strings.CutPrefix(expression.FindStringSubmatch(e)[1], "secrets."); ok {
				return p.secret(secret)
			}
			return "ghs_of_the_job"
		}))
	}
	for _, s := range at[[]any](p.t, job, "steps") {
		step := s.(map[string]any)
		run, runs := step["run"].(string)
		if _, uses := step["uses"]; uses == runs {
			p.t.Fatalf("a step neither uses nor runs, or both: %v", step)
		}
		if !runs || (step["if"] == "failure()") != (failed != "") {
			continue
		}
		switch code, out := p.shell(env, run); {
		case code != 0 && failed != "":
			p.t.Errorf("after a failure: %d\n%s", code, out)
		case code != 0:
			failed, output = strings.TrimSpace(run)+": "+strconv.Itoa(code), out
		case step["id"] != nil:
			p.hasOutput(env)
		}
	}
	return failed, output
}

// hasOutput: the step has handed on a token.
func (p *platform) hasOutput(env []string) {
	p.t.Helper()
	i := slices.IndexFunc(env, func(s string) bool { return strings.HasPrefix(s, "GITHUB_OUTPUT=") })
	if text := p.read(strings.TrimPrefix(env[i], "GITHUB_OUTPUT=")); !strings.Contains(text, "GRAPH_ACCESS_TOKEN<<") {
		p.t.Errorf("the output is %q", text)
	}
}

// The workflow for GitHub Actions, three times: the second run goes on from what
// the first has published, and the third has a state that is spent.
func TestCIWorkflowForGitHubRuns(t *testing.T) {
	p := newPlatform(t)
	p.home()
	w := p.workflow("permissions")
	if at[string](t, w, "permissions", "id-token") != "write" || at[string](t, w, "concurrency", "group") == "" || at[string](t, w, "jobs", "use", "needs") != "renew" {
		t.Error("the workflow lacks what the page says of it")
	}
	renew, use, watch := at[map[string]any](t, w, "jobs", "renew"), at[map[string]any](t, w, "jobs", "use"), at[map[string]any](t, w, "jobs", "watch")
	first := p.secret("OAUTHCTL_STATE")
	for range 2 {
		p.clock += 2 * time.Hour
		before := p.secret("OAUTHCTL_STATE")
		for _, job := range []map[string]any{renew, watch, use} {
			if failed, output := p.actions(job); failed != "" {
				t.Fatalf("%s\n%s", failed, output)
			}
		}
		if p.secret("OAUTHCTL_STATE") == before || !strings.Contains(p.secret("curl"), "Bearer eyJ") {
			t.Error("nothing was published, or nothing used")
		}
	}
	p.write(filepath.Join(p.secrets, "OAUTHCTL_STATE"), first)
	p.clock += 2 * time.Hour
	if failed, output := p.actions(renew); !strings.HasSuffix(failed, "-auto-approve: 3") {
		t.Errorf("%s\n%s", failed, output)
	}
	if failed, output := p.actions(watch); !strings.HasSuffix(failed, "-warn=7d: 3") {
		t.Errorf("%s\n%s", failed, output)
	}
	if text := p.secret("issue"); !strings.Contains(text, "graph") {
		t.Errorf("the issue says %s", text)
	}
}

func TestCIPipelineForGitLabRuns(t *testing.T) {
	p := newPlatform(t)
	_, section, _ := strings.Cut(p.read(filepath.Join(root, "docs", "ci.md")), "\n## GitLab\n")
	p.configure(samples(section)[0].text)
	p.home()
	p.clock = 2 * time.Hour
	w := p.workflow("renew")
	job := at[map[string]any](t, w, "renew")
	if at[string](t, job, "resource_group") == "" || at[string](t, job, "id_tokens", "ACME_ID_TOKEN", "aud") == "" {
		t.Error("the pipeline lacks what the page says of it")
	}
	before := p.secret("OAUTHCTL_STATE")
	for _, job := range []map[string]any{job, at[map[string]any](t, w, "watch")} {
		var lines []string
		for _, l := range at[[]any](t, job, "script") {
			lines = append(lines, l.(string))
		}
		if code, out := p.shell(p.job(), strings.Join(lines, "\n")); code != 0 {
			t.Fatalf("%d: %s", code, out)
		}
	}
	if kept := strings.TrimSpace(p.read(filepath.Join(p.repo, "state.txt"))); kept == before || kept != p.secret("OAUTHCTL_STATE") {
		t.Error("the artifact is not what was published")
	}
}

func TestCronJobRuns(t *testing.T) {
	p := newPlatform(t)
	p.home()
	p.clock = 2 * time.Hour
	c := at[map[string]any](t, p.workflow("kind"), "spec", "jobTemplate", "spec", "template", "spec", "containers", "0")
	mounts := map[string]string{"/config": p.repo, "/state": t.TempDir()}
	place := strings.NewReplacer("/config", p.repo, "/state", mounts["/state"])
	p.write(filepath.Join(mounts["/state"], "document"), p.secret("OAUTHCTL_STATE"))
	env := append(p.machine(), "KUBERNETES_SERVICE_HOST=10.0.0.1", "OAUTHCTL_IDENTITY="+p.secret("OAUTHCTL_IDENTITY"), "SECRETS_TOKEN="+hubToken)
	for _, e := range at[[]any](t, c, "env") {
		if v, ok := e.(map[string]any)["value"].(string); ok {
			env = append(env, at[string](t, e, "name")+"="+place.Replace(v))
		} else if name := at[string](t, e, "name"); name != "OAUTHCTL_IDENTITY" {
			t.Errorf("nobody gives %s", name)
		}
	}
	if code, out := p.shell(env, "oauthctl state push -auto-approve '"+mounts["/state"]+"/document'"); code != 0 {
		t.Fatalf("%s", out)
	}
	var args []string
	for _, a := range at[[]any](t, c, "command") {
		args = append(args, "'"+place.Replace(a.(string))+"'")
	}
	for range 2 {
		if code, out := p.shell(env, strings.Join(args, " ")); code != 0 {
			t.Fatalf("%d: %s", code, out)
		}
	}
}

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// bare is a process in a container: no display, no home, a directory that cannot
// be written, a stdin that is closed, and nobody who would answer.
type bare struct {
	t       *testing.T
	program string
	dir     string // with the configuration; read-only
	data    string // a volume
}

func newBare(t *testing.T) *bare {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("containers of Windows have a home")
	}
	root, err := os.MkdirTemp("", "bare") // a home that nobody else may enter is no place
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	b := &bare{t: t, program: filepath.Join(root, "oauthctl"), dir: filepath.Join(root, "app"), data: filepath.Join(root, "data")}
	text, err := os.ReadFile(binary)
	must(t, err)
	must(t, os.WriteFile(b.program, text, 0o755))
	for _, dir := range []string{b.dir, b.data} {
		must(t, os.Mkdir(dir, 0o755))
		must(t, giveAway(dir))
	}
	must(t, os.WriteFile(filepath.Join(b.dir, "main.hcl"), []byte(bareConfig), 0o644))
	must(t, os.Chmod(b.dir, 0o555))
	must(t, os.Chmod(root, 0o755))
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const bareConfig = `
connection "repo" {
  provider  = "github-app"
  client_id = "Iv1.0123456789abcdef"
}
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  grant "client_credentials" {}
}
provider "acme" { issuer = "https://login.acme.example" }
`

// run runs the program with these variables alone.
func (b *bare) run(env []string, args ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `exec "$0" "$@" <&-`, b.program}, args...)...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.dir, append([]string{"PATH=/usr/bin:/bin", "WORKER_SECRET=x"}, env...), &out, &errs
	asNobody(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		b.t.Fatalf("%v hangs", args)
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		b.t.Fatal(err)
	}
	if text := out.String() + errs.String(); strings.Contains(text, "panic") || strings.Contains(text, "crashed") {
		b.t.Errorf("%v:\n%s", args, text)
	}
	return code, out.String(), strings.Join(strings.Fields(errs.String()), " ")
}

// In a container without anything, every command ends, does what it can, and says
// what has to be set.
func TestInAContainer(t *testing.T) {
	b := newBare(t)
	nowhere := []string{"HOME=/nonexistent"}
	// A key is made on a volume first.
	home := []string{"XDG_CONFIG_HOME=" + b.data, "XDG_STATE_HOME=" + b.data}
	if code, _, errs := b.run(home, "init"); code != 0 {
		t.Fatalf("init on a volume: exit %d: %s", code, errs)
	}
	key, err := os.ReadFile(filepath.Join(b.data, "oauthctl", "identity.txt"))
	must(t, err)
	keyed := append([]string{"OAUTHCTL_IDENTITY=" + string(key)}, nowhere...)
	pod := append([]string{"KUBERNETES_SERVICE_HOST=10.96.0.1", "XDG_STATE_HOME=" + b.data}, keyed...)
	file := "-state=" + filepath.Join(b.data, "oauthctl.state")
	for _, tc := range []struct {
		name  string
		env   []string
		args  string
		code  int
		words []string // of stdout and stderr
	}{
		{"plan needs nothing", nil, "plan", 0, []string{"2 to authorize", "who enters a code on any device"}},
		{"plan says where it is", pod, "plan", 0, []string{"no browser here: this is a Kubernetes pod"}},
		{"no home at all", nil, "init", 1, []string{"XDG_CONFIG_HOME", "OAUTHCTL_IDENTITY"}},
		{"a home that is none", nowhere, "init", 1, []string{"XDG_CONFIG_HOME", "OAUTHCTL_IDENTITY"}},
		{"apply without a key", nowhere, "apply -auto-approve", 1, []string{"XDG_CONFIG_HOME", "OAUTHCTL_IDENTITY"}},
		{"apply without approval", keyed, "apply", 1, []string{"-auto-approve"}},
		{"nothing to remember states in", keyed, "apply -auto-approve " + file, 1, []string{"XDG_STATE_HOME"}},
		{"a read-only directory", pod, "apply -auto-approve", 1, []string{"-state=FILE"}},
		{"a read-only directory, sandbox", pod, "apply -auto-approve -sandbox", 1, []string{"-chdir"}},
		{"a person is needed", pod, "apply -auto-approve -target=repo " + file, 3, []string{"a person has to consent, and nobody is here"}},
		{"the same as events", pod, "apply -auto-approve -json -target=repo " + file, 3, []string{`"type":"interaction_required"`, `"waiting":1`}},
		{"a consent that nobody can paste", pod, "apply -auto-approve -input=true -target=repo -lock-timeout=1s " + file + " -consent=paste", 3, []string{"the input ended"}},
		{"token of nothing", pod, "token worker " + file, 1, []string{"oauthctl apply"}},
		{"status", pod, "status " + file, 0, []string{"No connections"}},
		{"a consent on a closed stdin", pod, "consent import -auto-approve - " + file, 1, []string{"consent"}},
		{"a question that nobody can answer", pod, "consent import x.consent " + file, 1, []string{"-auto-approve"}},
	} {
		code, out, errs := b.run(tc.env, strings.Fields(tc.args)...)
		if code != tc.code {
			t.Errorf("%s: exit %d, want %d\n%s\n%s", tc.name, code, tc.code, out, errs)
		}
		for _, word := range tc.words {
			if !strings.Contains(out+errs, word) {
				t.Errorf("%s: it does not say %q:\n%s\n%s", tc.name, word, out, errs)
			}
		}
	}
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const workerConfig = `
provider "acme" { issuer = "https://login.acme.example" }
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("SECRET")
  grant "client_credentials" {}
}
`

// inDir is an App that works in a directory with a configuration and a home of its own.
func inDir(t *testing.T, config string) func(args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) (int, string, string) {
		app, out, errs := testApp(append([]string{"-chdir=" + dir}, args...)...)
		app.Now, app.Rand = time.Now, rand.Reader
		app.LookupEnv = func(name string) (string, bool) {
			v, ok := map[string]string{"HOME": filepath.Join(dir, "home"), "SECRET": "s3cret"}[name]
			return v, ok
		}
		return app.Run(t.Context()), out.String(), errs.String()
	}
}

// The program is a value: two runs in one process do not know each other.
func TestRunTwice(t *testing.T) {
	run := inDir(t, workerConfig)
	if code, _, errs := run("apply", "-sandbox", "-auto-approve"); code != exitDone {
		t.Fatalf("apply: exit %d: %s", code, errs)
	}
	if code, _, _ := run("plan", "-sandbox", "-detailed-exitcode"); code != exitDone {
		t.Errorf("plan after apply: exit %d", code)
	}
	if code, _, errs := run("token", "worker"); code != exitError || !strings.Contains(errs, "no state") {
		t.Errorf("token without -sandbox: exit %d: %s: the flags of an earlier run are still set", code, errs)
	}
	_, one, _ := run("token", "-sandbox", "worker")
	_, two, _ := run("token", "-sandbox", "worker")
	if one == "" || one != two {
		t.Errorf("token: %q, then %q", one, two)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// A result that nobody got is no success.
func TestStdoutThatFails(t *testing.T) {
	for _, args := range []string{"version", "providers", "plan -help", "status", "completion bash", "version -json"} {
		app, _, errs := testApp(append([]string{"-chdir=" + t.TempDir()}, strings.Fields(args)...)...)
		app.Stdout = fullDisk{}
		if code := app.Run(context.Background()); code != exitError || !strings.Contains(strings.ToLower(errs.String()), "no space left") {
			t.Errorf("%s: exit %d, stderr %q", args, code, errs)
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}
}

// A reader that has seen enough, such as head, is no error to tell anybody of;
// the exit code says that it has not seen everything.
func TestStdoutThatIsClosed(t *testing.T) {
	for _, args := range []string{"version", "providers", "plan -help", "status -json", "lock list", "completion bash"} {
		app, _, errs := testApp(append([]string{"-chdir=" + t.TempDir()}, strings.Fields(args)...)...)
		app.Stdout = closedPipe{}
		if code := app.Run(context.Background()); code != exitError || errs.Len() > 0 {
			t.Errorf("%s: exit %d, stderr %q", args, code, errs)
		}
	}
	app, _, errs := testApp("-chdir="+t.TempDir(), "token", "none")
	app.Stdout = closedPipe{}
	if code := app.Run(context.Background()); code != exitError || errs.Len() == 0 {
		t.Errorf("an error of the command itself: exit %d, stderr %q", code, errs)
	}
}

// A panic is reported with its places and without its value.
func TestCrash(t *testing.T) {
	app, _, errs := testApp("version")
	app.LookupEnv = func(string) (string, bool) { panic("s3cret") }
	if code := app.Run(context.Background()); code != exitError {
		t.Errorf("exit %d", code)
	}
	if text := errs.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "app_test.go:") || strings.Contains(text, "0x") {
		t.Errorf("report:\n%s", text)
	}
}

// Nothing listens for signals before there is something to lose; the first
// request changes that.
func TestArm(t *testing.T) {
	armed := 0
	app, _, _ := testApp()
	app.Arm = func() { armed++ }
	c := &cli{App: app}
	client := c.armed(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		if armed != 1 {
			t.Errorf("armed %d times before the request", armed)
		}
		return nil, errors.New("no network")
	})})
	if armed != 0 {
		t.Error("armed before any request")
	}
	if _, err := client.Get("https://example.invalid"); err == nil {
		t.Error("want the error of the transport")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

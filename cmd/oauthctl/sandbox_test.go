package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
)

// announced is a writer that tells when a URL has been written.
type announced struct {
	mu   sync.Mutex
	text strings.Builder
	url  chan string
}

var baseURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func (a *announced) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text.Write(p)
	if u := baseURL.FindString(a.text.String()); u != "" {
		select {
		case a.url <- u:
		default:
		}
	}
	return len(p), nil
}

// The block that "sandbox" prints works: for this program as for others, the
// served sandbox is a server like any other.
// The memory of the sandbox may belong to somebody else.
func TestSandboxOfAnotherUser(t *testing.T) {
	err := forgetful(fmt.Errorf("sandbox: journal: %w", &fs.PathError{Op: "open", Path: ".oauthctl/sandbox.journal", Err: syscall.EACCES}))
	var told *engine.Error
	if !errors.As(err, &told) || told.Remedy == "" || !strings.Contains(err.Error(), "the sandbox remembers, .oauthctl/sandbox.journal: permission denied") {
		t.Errorf("%#v", err)
	}
	if forgetful(nil) != nil {
		t.Error("an error of nothing")
	}
}

func TestServedSandbox(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &announced{url: make(chan string, 1)}
	app, _, errs := testApp("-chdir="+t.TempDir(), "sandbox")
	app.Stdout, app.Now, app.Rand = out, time.Now, rand.Reader
	ended := make(chan int, 1)
	go func() { ended <- app.Run(ctx) }()
	var base string
	select {
	case base = <-out.url:
	case code := <-ended:
		t.Fatalf("exit %d: %s", code, errs)
	}
	printed := out.text.String()
	block := printed[strings.Index(printed, "  provider "):]
	if !strings.Contains(block, base) || !strings.Contains(block, "connection \"demo\"") {
		t.Fatalf("printed:\n%s", printed)
	}
	block = strings.Replace(block, `client_id     = "demo"`, "client_id = \"demo\"\n client_secret = env(\"SECRET\")\n grant \"client_credentials\" {}", 1)
	block = strings.Replace(block, `redirect_uris = ["http://127.0.0.1/callback"]`, "", 1)
	run := inDir(t, block)
	if code, _, errs := run("apply", "-auto-approve"); code != exitDone {
		t.Fatalf("apply: exit %d: %s", code, errs)
	}
	if code, token, errs := run("token", "-force-refresh", "demo"); code != exitDone || len(token) < 20 {
		t.Errorf("token: exit %d: %s", code, errs)
	}
	cancel()
	if code := <-ended; code != exitDone {
		t.Errorf("sandbox after Ctrl-C: exit %d", code)
	}
}

// The sandbox is for this machine only.
func TestSandboxListensOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:80", ":8080", "[::]:0", "example.com:80", "nonsense"} {
		dir := t.TempDir()
		app, _, errs := testApp("-chdir="+dir, "sandbox", "-listen="+address)
		if code := app.Run(t.Context()); code != exitError || errs.Len() == 0 {
			t.Errorf("%s: exit %d: %s", address, code, errs)
		}
		if _, err := os.Stat(filepath.Join(dir, workDir)); err == nil {
			t.Errorf("%s: made %s although it cannot serve there", address, workDir)
		}
	}
}

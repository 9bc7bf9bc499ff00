package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// screen is a program on a pseudo-terminal of 80 × 40.
type screen struct {
	t    *testing.T
	tty  *os.File
	mu   sync.Mutex
	text strings.Builder
	wait func() int
}

func (u *user) terminal(args ...string) *screen {
	u.t.Helper()
	cmd := u.command(args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 80})
	if err != nil {
		u.t.Fatal(err)
	}
	s := &screen{t: u.t, tty: tty}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.wait = func() int {
		_ = cmd.Wait()
		<-read
		return cmd.ProcessState.ExitCode()
	}
	u.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		_ = tty.Close()
	})
	return s
}

var ansiRE = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// plain is what was written so far, without colours and cursor movements.
func (s *screen) plain() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ansiRE.ReplaceAllString(s.text.String(), "")
}

func (s *screen) waitFor(part string) {
	s.t.Helper()
	for range 600 {
		if strings.Contains(s.plain(), part) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("%q never came; the screen:\n%s", part, s.plain())
}

func (s *screen) typeIn(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// A person at a terminal: the plan, the question, yes, the consent.
func TestTerminalApply(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	s := u.terminal("apply")
	s.waitFor("Only 'yes'")
	s.typeIn("yes\r")
	s.waitFor("left")
	newPerson(t, "alice").consent(u.visited(0))
	if code := s.wait(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.plain())
	}
	contains(t, s.plain(), "1 authorized")
}

// Anything but yes changes nothing.
func TestTerminalDeclined(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	s := u.terminal("apply")
	s.waitFor("Only 'yes'")
	s.typeIn("y\r")
	if code := s.wait(); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	contains(t, s.plain(), "nothing was changed")
}

// Ctrl-C while the browser is open: exit 130, the terminal is clean, nothing
// was changed, and the next apply works.
func TestTerminalInterrupt(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	s := u.terminal("apply", "-auto-approve")
	u.visited(0)
	s.waitFor("left")
	s.typeIn("\x03")
	if code := s.wait(); code != 130 {
		t.Errorf("exit %d, want 130\n%s", code, s.plain())
	}
	contains(t, s.plain(), "othing was changed")
	if n := op.stats().Token["authorization_code"]; n != 0 {
		t.Errorf("%d codes were exchanged", n)
	}
	u.run("token", "alice").want(t, 1) // there is none

	s = u.terminal("apply", "-auto-approve")
	newPerson(t, "alice").consent(u.visited(1))
	if code := s.wait(); code != 0 {
		t.Errorf("the next apply: exit %d\n%s", code, s.plain())
	}
}

// A redirect URI that is not on this machine: the person pastes where the
// browser ended, however long that is.
func TestTerminalPaste(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, `
provider "op" {
  issuer = "`+op.issuer+`"
}
connection "app" {
  provider      = "op"
  client_id     = "web app"
  client_secret = env("APP_SECRET")
  client_auth   = "client_secret_basic"
  scopes        = ["openid", "email", "offline_access"]
  redirect_uris = ["https://app.example.com/callback"]
  account       = "bob@example.com"
  grant "authorization_code" {
    prompt = "consent"
  }
}
`)
	u.env = append(u.env, "APP_SECRET=e2e+canary/secret:with%signs=")
	s := u.terminal("apply", "-auto-approve")
	s.waitFor("/auth?")
	page := regexp.MustCompile(regexp.QuoteMeta(op.issuer) + `/auth\?\S+`).FindString(s.plain())
	if page == "" {
		page = u.visited(0)
	}
	bob := newPerson(t, "bob")
	bob.consent(page)
	if bob.final == "" {
		t.Fatal("the server did not redirect to the application")
	}
	s.typeIn(bob.final + "&padding=" + strings.Repeat("x", 6000) + "\r")
	if code := s.wait(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.plain())
	}
	u.ok("token", "app")
	u.ok("token", "-force-refresh", "app")
	if s := op.stats(); len(s.Errors) != 0 {
		t.Errorf("the server saw %+v", s)
	}
	data, err := os.ReadFile(filepath.Join(u.dir, "oauthctl.state"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "e2e+canary") {
		t.Error("the state holds the client secret in clear")
	}
}

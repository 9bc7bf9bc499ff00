//go:build linux || darwin

package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/state"
)

// The units on the page make the socket where token looks for it, with the modes
// that it insists on, and systemd takes them.
func TestAgentUnits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "agent.md"))
	if err != nil {
		t.Fatal(err)
	}
	units := regexp.MustCompile("`~/.config/systemd/user/(\\S+)`:\n\n```ini\n((?s:.*?))```").FindAllStringSubmatch(string(text), -1)
	if len(units) != 2 {
		t.Fatalf("%d units", len(units))
	}
	app, _, _ := testApp()
	app.LookupEnv = func(name string) (string, bool) {
		v, ok := map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"}[name]
		return v, ok
	}
	socket, _ := (&cli{App: app}).agentSocket()
	for _, want := range []string{
		"ListenStream=" + strings.Replace(socket, "/run/user/1000", "%t", 1) + "\n", "SocketMode=0600\n", "DirectoryMode=0700\n",
	} {
		if !strings.Contains(units[0][2], want) {
			t.Errorf("%s does not have %q", units[0][1], want)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if errors.Is(err, exec.ErrNotFound) {
		if slices.Contains(strings.Split(os.Getenv("OAUTHCTL_REQUIRE"), ","), "systemd-analyze") {
			t.Fatal("systemd-analyze is required and not here: run .ci/setup")
		}
		t.Skip("LEFT OUT: systemd-analyze is not here; run make test, which installs it")
	}
	dir := t.TempDir()
	var files []string
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		file := filepath.Join(dir, u[1])
		if err := os.WriteFile(file, []byte(strings.Replace(u[2], "/usr/local/bin/oauthctl", self, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	cmd := exec.CommandContext(t.Context(), analyze, append([]string{"--user", "--man=no", "verify"}, files...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "oauthctl") {
		t.Errorf("%v: %s", err, out)
	}
}

// What only the caller can put right is left to it; every other failure has the
// exit code that it would have without an agent.
func TestAgentAnswer(t *testing.T) {
	for _, c := range []struct {
		err      error
		code     int
		declined bool
	}{
		{&engine.Error{Class: engine.ClassNeedsUser}, exitNeedsPerson, false},
		{&engine.Error{Class: engine.ClassTemporary}, exitTryAgain, false},
		{&engine.Error{Class: engine.ClassError}, exitError, false},
		{&engine.Error{Class: engine.ClassState}, 0, true},
		{&engine.Error{Class: engine.ClassError, Err: state.ErrNoState}, 0, true},
		{fs.ErrNotExist, 0, true},
	} {
		a := agentAnswer(nil, c.err)
		if (a.Declined != "") != c.declined {
			t.Errorf("%v: declined %q", c.err, a.Declined)
		}
		if a.Err != nil && exitCode(t.Context(), a.Err) != c.code {
			t.Errorf("%v: exit %d, want %d", c.err, exitCode(t.Context(), a.Err), c.code)
		}
	}
}

func TestAgentSocketPlace(t *testing.T) {
	for _, c := range []struct {
		env   map[string]string
		want  string
		named bool
	}{
		{map[string]string{"OAUTHCTL_AGENT_SOCKET": "/s", "XDG_RUNTIME_DIR": "/run"}, "/s", true},
		{map[string]string{"XDG_RUNTIME_DIR": "/run", "HOME": "/h"}, "/run/oauthctl/agent.sock", false},
		{map[string]string{"XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "/st", "HOME": "/h"}, "/st/oauthctl/agent/agent.sock", false},
		{map[string]string{"HOME": "/h"}, "/h/.local/state/oauthctl/agent/agent.sock", false},
		{nil, "", false},
	} {
		app, _, _ := testApp()
		app.LookupEnv = func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }
		got, named := (&cli{App: app}).agentSocket()
		if filepath.ToSlash(got) != c.want || named != c.named {
			t.Errorf("%v: %s %v, want %s", c.env, got, named, c.want)
		}
	}
}

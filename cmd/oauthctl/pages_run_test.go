package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var (
	runnable = regexp.MustCompile("(?m)^<!-- run -->\n```console\n((?:\\$ .*\n)+)```$")
	typed    = regexp.MustCompile(`(?m)^\$ (.*)$`)
)

// The commands of docs/tokens.md that say so work as written, in a sandbox with
// the configuration of the page.
func TestTokensPageRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("LEFT OUT: the commands are written for a POSIX shell")
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "tokens.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(samples(string(text))[0].text), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) {
		t.Helper()
		cmd := exec.Command("sh", "-c", "set -e\n"+line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), envArgs+"=-sandbox", "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_STATE_HOME="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	shell("oauthctl apply -auto-approve")
	blocks := runnable.FindAllStringSubmatch(string(text), -1)
	if n := strings.Count(string(text), "<!-- run -->"); n != len(blocks) || n < 8 {
		t.Fatalf("%d marks, %d blocks", n, len(blocks))
	}
	for _, b := range blocks {
		for _, m := range typed.FindAllStringSubmatch(b[1], -1) {
			shell(m[1])
		}
	}
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The promises that need the program hold, in a sample; those that are tests of
// the packages are run with them.
func TestProofShort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("LEFT OUT: the browser of these proofs is a shell script")
	}
	bin := filepath.Join(t.TempDir(), "oauthctl")
	if out, err := exec.Command("go", "build", "-o", bin, module+"cmd/oauthctl").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"one-refresh", "kill", "damage", "apply-kill"} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p := proof{bin: bin, out: &out}.shorter()
			if err := p.run(t.Context(), []string{name}); err != nil {
				t.Error(err)
			}
			if out.Len() == 0 {
				t.Error("no figures")
			}
			t.Log("\n" + out.String())
		})
	}
}

// A test that is not there proves nothing.
func TestNoTestIsNoProof(t *testing.T) {
	p := proof{out: t.Output(), short: true}
	err := p.test(t.Context(), "schema/secret", "TestThatIsNotThere")
	if err == nil || !strings.Contains(err.Error(), "says no figures") {
		t.Errorf("error %v", err)
	}
}

// The pages name proofs that are there.
func TestPagesNameProofs(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\*proof: ([a-z-]+)\*`).FindAllStringSubmatch(string(text), -1)
	if len(named) == 0 {
		t.Error("the threat model names no proof")
	}
	p := proof{}
	for _, m := range named {
		if !slices.ContainsFunc(p.items(), func(i item) bool { return i.name == m[1] }) {
			t.Errorf("the threat model names the proof %q, which is not there", m[1])
		}
	}
}

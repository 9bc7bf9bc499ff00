package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// An ssh key with a passphrase opens what is sealed for it, and nobody is asked
// for it in vain: a new state is not sealed for a key that only lies around.
func TestSSHKeyWithPassphrase(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "alice", []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	u := &keyUser{t: t, home: t.TempDir(), env: map[string]string{"SECRET": "s3cret"}}
	u.env["HOME"] = u.home
	file := filepath.Join(u.home, ".ssh", "id_ed25519")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	project := func() string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(workerConfig), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}

	sealed := project()
	u.env["OAUTHCTL_PASSPHRASE"] = "correct horse"
	u.must(sealed, "apply", "-sandbox", "-auto-approve", "-identity="+file)
	u.env["OAUTHCTL_PASSPHRASE"] = ""
	if code, out, errs := u.run(sealed, "token", "-sandbox", "worker"); code != exitState || out != "" || !strings.Contains(errs, "OAUTHCTL_PASSPHRASE") {
		t.Errorf("without its passphrase: exit %d: %s", code, errs)
	}
	for pass, want := range map[string]int{"correct horse": exitDone, "wrong": exitState} {
		u.env["OAUTHCTL_PASSPHRASE"] = pass
		if code, _, errs := u.run(sealed, "token", "-sandbox", "worker"); code != want {
			t.Errorf("with %q: exit %d, want %d: %s", pass, code, want, errs)
		}
	}
	u.env["OAUTHCTL_PASSPHRASE"] = ""

	u.must(project(), "apply", "-sandbox", "-auto-approve")
	if out := u.must(sealed, "key", "show", "-sandbox"); !strings.Contains(out, "identity.txt") || !strings.Contains(out, "does not open") {
		t.Errorf("after the apply of another project: %s", out)
	}
	if code, _, errs := u.run(sealed, "key", "rotate", "-sandbox", "-identity="+file); code != exitError || !strings.Contains(errs, "ssh-keygen -p") {
		t.Errorf("rotate of an ssh key: exit %d: %s", code, errs)
	}
}

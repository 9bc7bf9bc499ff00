package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// secretTool plays secret-tool on the scripts' PATH: entries are files in
// TEST_KEYRING, and TEST_KEYRING_MOOD makes it hang, fail or lie.
func secretTool() {
	args := os.Args[1:]
	file := filepath.Join(os.Getenv("TEST_KEYRING"), args[len(args)-1])
	switch mood := os.Getenv("TEST_KEYRING_MOOD"); {
	case mood == "hang":
		time.Sleep(time.Minute)
	case mood == "fail":
		fmt.Fprintln(os.Stderr, "secret-tool: AGE-SECRET-KEY-1CANARY")
		os.Exit(1)
	case mood == "lie" && args[0] == "lookup":
		fmt.Print("AGE-SECRET-KEY-1D3HHFE4935T72VUZUPYZ2ZQYWKSTG04V4Z9TCZY60UGP3PD8CKES90RJ7E")
		os.Exit(0)
	}
	var err error
	switch args[0] {
	case "store":
		var text []byte
		if text, err = io.ReadAll(os.Stdin); err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
	case "lookup":
		text, missing := os.ReadFile(file)
		if missing != nil {
			os.Exit(1)
		}
		_, err = os.Stdout.Write(text)
	case "clear":
		err = os.Remove(file)
	}
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "OAUTHCTL_") {
			err = fmt.Errorf("%s is here", pair)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
}

// No keyring gets the private key as an argument, which every process can read.
func TestKeyringsGetNoSecretArguments(t *testing.T) {
	const value = "AGE-SECRET-KEY-1CANARY"
	for _, system := range []string{"linux", "darwin", "freebsd"} {
		k, ok := systemKeyring(system)
		if !ok {
			t.Fatalf("%s has no keyring", system)
		}
		for _, args := range [][]string{k.get("age1x"), k.set("age1x"), k.remove("age1x")} {
			if strings.Contains(strings.Join(args, " "), value) {
				t.Errorf("%s: %q", system, args)
			}
		}
		if !strings.Contains(k.input("age1x", value), value) {
			t.Errorf("%s: the value is not in what is written to stdin", system)
		}
		if !slices.Contains(k.get("age1x"), "age1x") || !slices.Contains(k.remove("age1x"), "age1x") {
			t.Errorf("%s: the entry is not named by its recipient", system)
		}
	}
	if _, ok := systemKeyring("windows"); ok {
		t.Error("there is a keyring on Windows that nobody has described")
	}
}

// The real keyring of a desktop, on a bus of its own, where one is installed.
func TestSecretService(t *testing.T) {
	if os.Getenv("TEST_SECRET_SERVICE") != "" {
		secretServiceRoundTrip(t)
		return
	}
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon", "secret-tool"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		text := "the real keyring needs " + program + " (Debian: apt-get install dbus gnome-keyring libsecret-tools)"
		if slices.Contains(strings.Split(os.Getenv("OAUTHCTL_REQUIRE"), ","), "secret-service") {
			t.Fatal(text)
		}
		t.Skip("LEFT OUT: " + text)
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `printf '\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$0" -test.run='^TestSecretService$' -test.v`
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--", "sh", "-c", script, self)
	cmd.Env = append(os.Environ(), "TEST_SECRET_SERVICE=1", "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestSecretService") {
		t.Errorf("%v\n%s", err, out)
	}
}

func secretServiceRoundTrip(t *testing.T) {
	k, _ := systemKeyring("linux")
	ctx := t.Context()
	if _, err := k.fetch(ctx, "age1nobody"); !errors.Is(err, errNotInKeyring) {
		t.Errorf("an entry that is not there: %v", err)
	}
	const value secret.Secret = "AGE-SECRET-KEY-1SOMETHING"
	for range 2 { // the second time it replaces
		if err := k.store(ctx, "age1x", value); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := k.fetch(ctx, "age1x"); err != nil || got != value {
		t.Errorf("it gave %d bytes, %v", len(got), err)
	}
	if _, err := k.run(ctx, k.remove("age1x"), ""); err != nil {
		t.Error(err)
	}
	if _, err := k.fetch(ctx, "age1x"); !errors.Is(err, errNotInKeyring) {
		t.Errorf("after it was removed: %v", err)
	}
}

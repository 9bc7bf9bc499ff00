package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/state"
)

// keyUser has a home, two states in the sandbox, and a key.
type keyUser struct {
	t    *testing.T
	home string
	dirs []string
	env  map[string]string
}

func newKeyUser(t *testing.T, passphrase string) *keyUser {
	dir := t.TempDir()
	u := &keyUser{t: t, home: filepath.Join(dir, "home"), env: map[string]string{"HOME": filepath.Join(dir, "home"), "SECRET": "s3cret"}}
	if passphrase != "" {
		u.env["OAUTHCTL_PASSPHRASE"] = passphrase
		u.must(dir, "init", "-passphrase")
	}
	for _, name := range []string{"one", "two"} {
		d := filepath.Join(dir, name)
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "main.hcl"), []byte(workerConfig), 0o600); err != nil {
			t.Fatal(err)
		}
		u.dirs = append(u.dirs, d)
		u.must(d, "apply", "-sandbox", "-auto-approve")
	}
	return u
}

func (u *keyUser) app(dir string, args ...string) (*App, func() (string, string)) {
	app, out, errs := testApp(append([]string{"-chdir=" + dir}, args...)...)
	app.Now, app.Rand, app.PassphraseCost = time.Now, rand.Reader, 10
	app.LookupEnv = func(name string) (string, bool) { v, ok := u.env[name]; return v, ok }
	return app, func() (string, string) { return out.String(), errs.String() }
}

func (u *keyUser) run(dir string, args ...string) (code int, stdout, stderr string) {
	u.t.Helper()
	app, text := u.app(dir, args...)
	code = app.Run(u.t.Context())
	stdout, stderr = text()
	return code, stdout, stderr
}

func (u *keyUser) must(dir string, args ...string) string {
	u.t.Helper()
	code, out, errs := u.run(dir, args...)
	if code != exitDone {
		u.t.Fatalf("%s: exit %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

// rotating is a rotation in a process of its own, not begun yet.
func (u *keyUser) rotating() *rotation {
	u.t.Helper()
	app, _ := u.app(u.dirs[0])
	c := &cli{App: app, out: results{Writer: app.Stdout}, input: &inputFlags{}}
	c.chdir, c.sandbox = u.dirs[0], true
	c.view = c.newView(false, false)
	r, err := c.rotation(u.t.Context())
	if err != nil {
		u.t.Fatal(err)
	}
	return r
}

func (u *keyUser) tokens(when string) {
	u.t.Helper()
	for _, dir := range u.dirs {
		if code, out, errs := u.run(dir, "token", "-sandbox", "worker"); code != exitDone || out == "" {
			u.t.Errorf("%s: token in %s: exit %d: %s", when, filepath.Base(dir), code, errs)
		}
	}
}

// A rotation that ends anywhere leaves states that the key in place opens, and
// can be gone on with. Afterwards the old key opens nothing.
func TestRotationThatIsCutOff(t *testing.T) {
	for _, passphrase := range []string{"", "correct horse"} {
		all := len((&rotation{}).steps(nil))
		for cut := range all + 1 {
			u := newKeyUser(t, passphrase)
			identity := filepath.Join(u.home, ".config", "oauthctl", "identity.txt")
			old := readString(t, identity)
			r := u.rotating()
			when := "before the first step"
			for _, s := range r.steps(&varFlags{})[:cut] {
				if err := s.run(t.Context()); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
				when = "after " + s.name
			}
			u.tokens(when)
			if cut < all {
				u.must(u.dirs[0], "key", "rotate", "-sandbox")
				u.tokens(when + " and again")
			}
			u.finished(when, identity, old)
		}
	}
}

// The same within the steps.
func TestRotationThatIsCutOffWithinAStep(t *testing.T) {
	for name, tt := range map[string]struct {
		whole int // steps before it
		part  func(r *rotation) error
	}{
		"made, and not written down": {0, func(r *rotation) error { return r.write(t.Context()) }},
		"added to one state":         {2, func(r *rotation) error { r.states = r.states[:1]; return r.add(t.Context()) }},
		"kept, and not replaced":     {4, func(r *rotation) error { _, err := keepAside(r.key.src.path); return err }},
		"removed from one state":     {5, func(r *rotation) error { r.states = r.states[:1]; return r.remove(t.Context()) }},
	} {
		u := newKeyUser(t, "")
		identity := filepath.Join(u.home, ".config", "oauthctl", "identity.txt")
		old := readString(t, identity)
		r := u.rotating()
		for _, s := range r.steps(&varFlags{})[:tt.whole] {
			if err := s.run(t.Context()); err != nil {
				t.Fatalf("%s: %s: %v", name, s.name, err)
			}
		}
		if err := tt.part(r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		u.tokens(name)
		u.must(u.dirs[0], "key", "rotate", "-sandbox")
		u.tokens(name + " and again")
		u.finished(name, identity, old)
	}
}

func (u *keyUser) finished(when, identity, old string) {
	u.t.Helper()
	if readString(u.t, identity) == old {
		u.t.Errorf("%s: the old identity is in place", when)
	}
	kept := identity + ".old1"
	if readString(u.t, kept) != old {
		u.t.Errorf("%s: the old identity is not kept", when)
	}
	for _, dir := range u.dirs {
		if code, out, _ := u.run(dir, "token", "-sandbox", "-identity="+kept, "worker"); code != exitState || out != "" {
			u.t.Errorf("%s: the old key opens %s: exit %d", when, filepath.Base(dir), code)
		}
	}
	left, err := filepath.Glob(identity + "*")
	if err != nil || !slices.Equal(left, []string{identity, kept}) {
		u.t.Errorf("%s: there are %v", when, left)
	}
}

// The old key loses nothing before the new one has read every record.
func TestRotationProvesTheNewKey(t *testing.T) {
	u := newKeyUser(t, "")
	r := u.rotating()
	steps := r.steps(&varFlags{})
	for _, s := range steps[:2] { // the new key is made, and opens nothing yet
		if err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := steps[3].run(t.Context()); steps[3].name != "prove" || !errors.Is(err, state.ErrNoKey) {
		t.Errorf("%s: %v", steps[3].name, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := steps[2].run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%s after Ctrl-C: %v", steps[2].name, err)
	}
	u.tokens("after Ctrl-C")
}

func readString(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Recipients in the configuration are changed there first, and rotate never
// makes a state that the next apply would undo.
func TestRotationOfDeclaredRecipients(t *testing.T) {
	u := newKeyUser(t, "")
	u.dirs = u.dirs[:1]
	identity := filepath.Join(u.home, ".config", "oauthctl", "identity.txt")
	old, was := readString(t, identity), u.rotating().old[0]
	declare := func(recipient string) {
		t.Helper()
		text := "oauthctl {\n  encryption { recipients = [\"" + recipient + "\"] }\n}\n"
		if err := os.WriteFile(filepath.Join(u.dirs[0], "recipients.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	declare(was)
	code, _, errs := u.run(u.dirs[0], "key", "rotate", "-sandbox")
	next := u.rotating()
	if err := next.makeNext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code != exitError || !strings.Contains(errs, next.new) || !strings.Contains(errs, "recipients.hcl:1") {
		t.Errorf("exit %d: %s\nwant the new key %s in it", code, errs, next.new)
	}
	if names, err := next.c.sealedFor(t.Context(), next.states[0]); err != nil || !slices.Equal(names, []string{was}) {
		t.Errorf("the state is sealed for %v, %v", names, err)
	}
	declare(next.new)
	u.must(u.dirs[0], "key", "rotate", "-sandbox")
	u.finished("declared", identity, old)
	u.tokens("declared")
	if code, out, errs := u.run(u.dirs[0], "plan", "-sandbox", "-detailed-exitcode"); code != exitDone {
		t.Errorf("plan after it: exit %d: %s%s", code, out, errs)
	}
}

//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// courier is a machine on which the program refreshes a token that has ended,
// at a server that answers when the test lets it.
type courier struct {
	t      *testing.T
	dir    string
	env    []string
	store  *state.Store
	server *httptest.Server

	asked   chan struct{} // one for each request
	release chan struct{} // closed: the server answers
	mu      sync.Mutex
	sent    []string // refresh tokens that came
	answer  func(w http.ResponseWriter, n int)
}

var courierAddr = addr.Connection("graph")

func newCourier(t *testing.T, helper bool) *courier {
	t.Helper()
	c := &courier{t: t, dir: t.TempDir(), asked: make(chan struct{}, 100), release: make(chan struct{}), answer: rotating}
	c.server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.server.Close)
	identity, recipient, err := seal.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	c.env = []string{
		"HOME=" + c.dir, "XDG_STATE_HOME=" + filepath.Join(c.dir, "xdg"), "TMPDIR=" + c.dir, "PATH=" + os.Getenv("PATH"),
		"OAUTHCTL_IDENTITY=" + strings.TrimSpace(identity[strings.Index(identity, "AGE-SECRET"):]),
	}
	if !helper {
		c.env = append(c.env, "OAUTHCTL_HELPER=0")
	}
	db, err := sqlite.Open(c.path(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.store, err = state.Open(t.Context(), db, state.Options{
		Identities: func() ([]age.Identity, error) { return seal.ParseIdentities(identity) },
		Recipients: []string{recipient}, Now: time.Now,
	})
	if err == nil {
		err = c.store.Create(t.Context())
	}
	if err == nil {
		err = c.store.Put(t.Context(), c.ended())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Whoever still works here, the helper of a command that was killed above all, ends first.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if unlock, err := c.store.Lock(ctx, courierAddr, "test"); err == nil {
			unlock()
		} else {
			t.Errorf("somebody still works on the connection: %v", err)
		}
		_ = c.store.Close()
	})
	return c
}

func (c *courier) path() string { return filepath.Join(c.dir, "oauthctl.state") }

// ended is a connection whose access token has ended.
func (c *courier) ended() *state.Record {
	then := time.Now().Add(-2 * time.Hour)
	return &state.Record{
		Summary: state.Summary{Addr: courierAddr, Provider: "acme", Status: state.StatusOK, ExpiresAt: then.Add(time.Hour), UpdatedAt: then},
		Info: &state.Info{
			Provider: "acme", Title: "Acme", Grant: "authorization_code", AuthorizedAt: then, ReceivedAt: then,
			Client: state.Client{TokenEndpoint: c.server.URL + "/token", ClientID: "app", Auth: "none", Rotation: "single_use"},
		},
		Tokens: &state.Tokens{AccessToken: "access-1", RefreshToken: "refresh-1", TokenType: "Bearer"},
	}
}

func (c *courier) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.sent = append(c.sent, r.FormValue("refresh_token"))
	n := len(c.sent) + 1
	c.mu.Unlock()
	c.asked <- struct{}{}
	<-c.release // as a server that has spent the token, and takes its time to say so
	c.answer(w, n)
}

func rotating(w http.ResponseWriter, n int) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"access-%d","refresh_token":"refresh-%d","token_type":"Bearer","expires_in":3600}`, n, n)
}

func (c *courier) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// command is the program, in a process group of its own.
func (c *courier) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Args = append([]string{"oauthctl"}, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// ran is how a command ended.
type ran struct {
	stdout, stderr string
	code           int // -1: killed
}

func (c *courier) run(args ...string) ran {
	c.t.Helper()
	cmd := c.command(args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return ran{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// sending starts "token graph" and returns when the server has its request.
func (c *courier) sending(cmd *exec.Cmd) (wait func() ran) {
	c.t.Helper()
	var out, errOut bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &errOut
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	select {
	case <-c.asked:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		c.t.Fatalf("no request came: %s", errOut.String())
	}
	return func() ran {
		_ = cmd.Wait()
		return ran{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
	}
}

// protect puts the identity under a passphrase, which the commands are told by a file that has
// to be handed to them; plain is the environment without.
func (c *courier) protect() (plain []string, pass *os.File) {
	c.t.Helper()
	file, told := filepath.Join(c.dir, "identity.txt"), filepath.Join(c.dir, "passphrase")
	for i, v := range c.env {
		if key, ok := strings.CutPrefix(v, "OAUTHCTL_IDENTITY="); ok {
			if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
				c.t.Fatal(err)
			}
			c.env[i] = "OAUTHCTL_IDENTITY_FILE=" + file
		}
	}
	plain = c.env
	c.env = append(slices.Clone(plain), "OAUTHCTL_PASSPHRASE=correct horse")
	if r := c.run("key", "protect"); r.code != exitDone {
		c.t.Fatalf("%+v", r)
	}
	c.env = append(slices.Clone(plain), "OAUTHCTL_PASSPHRASE_FD=3")
	if err := os.WriteFile(told, []byte("correct horse\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	pass, err := os.Open(told)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = pass.Close() })
	return plain, pass
}

func (c *courier) record() *state.Record {
	c.t.Helper()
	r, err := c.store.Get(context.Background(), courierAddr, state.PartAll)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// wantSaved waits for what was answered to be in the state.
func (c *courier) wantSaved() {
	c.t.Helper()
	var have secret.Secret
	for range 400 {
		if have = c.record().Tokens.RefreshToken; have == "refresh-2" {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	c.t.Fatalf("the answer was lost: the state has %q", have.Reveal())
}

func eachWay(t *testing.T, f func(t *testing.T, helper bool)) {
	for name, helper := range map[string]bool{"helper": true, "alone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, helper)
		})
	}
}

// Nobody who kills the command, or its whole process group, loses the answer of
// a server that has spent the refresh token.
func TestKillDuringTheExchangeLosesNothing(t *testing.T) {
	c := newCourier(t, true)
	cmd := c.command("token", "graph")
	wait := c.sending(cmd)
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := wait(); r.code != -1 {
		t.Errorf("not killed: %+v", r)
	}
	if r := c.run("lock", "list"); !strings.Contains(r.stdout, fmt.Sprint(c.record().Info.Intent.PID)) {
		t.Errorf("the lock is not known to be the helper's: %+v", r)
	}
	// Another process waits for the lock, which the helper still holds, and does not send.
	other := make(chan ran)
	go func() { other <- c.run("token", "graph") }()
	time.Sleep(300 * time.Millisecond)
	close(c.release)
	c.wantSaved()
	if r := <-other; r.code != 0 || r.stdout != "access-2\n" {
		t.Errorf("%+v", r)
	}
	if n := c.requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// Nor does who kills an apply, where it refreshes with the settings that are in the state.
func TestKillOfARefreshingApplyLosesNothing(t *testing.T) {
	c := newCourier(t, true)
	text := `
provider "acme" {
  authorization_endpoint = "` + c.server.URL + `/authorize"
  token_endpoint         = "` + c.server.URL + `/token"
}
connection "graph" {
  provider      = "acme"
  client_id     = "app"
  redirect_uris = ["http://127.0.0.1/callback"]
}
`
	if err := os.WriteFile(filepath.Join(c.dir, "main.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := c.command("apply", "-refresh-only", "-auto-approve", "-input=false")
	wait := c.sending(cmd)
	if i := c.record().Info.Intent; i == nil || i.PID == cmd.Process.Pid {
		t.Errorf("apply sends by itself: %+v", i)
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait()
	close(c.release)
	c.wantSaved()
}

// Without a helper, a kill leaves the intent, and the next process knows.
func TestKillWithoutAHelperIsKnownAfterwards(t *testing.T) {
	c := newCourier(t, false)
	cmd := c.command("token", "graph")
	wait := c.sending(cmd)
	_ = cmd.Process.Kill()
	wait()
	close(c.release)
	if i := c.record().Info.Intent; i == nil || i.Sends != 1 || i.PID != cmd.Process.Pid {
		t.Errorf("intent %+v", i)
	}
}

// A helper that somebody kills is an outcome that nobody knows, as any other.
func TestKilledHelper(t *testing.T) {
	c := newCourier(t, true)
	cmd := c.command("token", "graph")
	wait := c.sending(cmd)
	i := c.record().Info.Intent
	if i == nil || i.PID == cmd.Process.Pid {
		t.Fatalf("intent %+v", i)
	}
	if err := syscall.Kill(i.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := wait(); r.code != exitTryAgain || r.stdout != "" || !strings.Contains(r.stderr, "ended by somebody") {
		t.Errorf("%+v", r)
	}
	close(c.release)
}

// Ctrl-C, kill and the end of a terminal wait for the save, and then end with 130.
func TestSignalsDuringTheExchangeWaitForTheSave(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			eachWay(t, func(t *testing.T, helper bool) {
				c := newCourier(t, helper)
				cmd := c.command("token", "graph")
				wait := c.sending(cmd)
				if err := syscall.Kill(-cmd.Process.Pid, s); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
				close(c.release)
				if r := wait(); r.code != exitInterrupted || r.stdout != "" {
					t.Errorf("%+v", r)
				}
				c.wantSaved()
			})
		})
	}
}

// The second signal ends the command at once; with a helper, the answer is
// saved all the same.
func TestSecondSignal(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		cmd := c.command("token", "graph")
		wait := c.sending(cmd)
		for range 2 {
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
		}
		if r := wait(); r.code != exitInterrupted {
			t.Errorf("%+v", r)
		}
		close(c.release)
		if helper {
			c.wantSaved()
		} else if i := c.record().Info.Intent; i == nil || i.Sends != 1 {
			t.Errorf("intent %+v", i)
		}
	})
}

// token | head -c0: the reader is gone before there is something to print.
func TestClosedStdoutDuringTheExchange(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := c.command("token", "graph")
		cmd.Stdout = w
		wait := c.sending(cmd)
		_, _ = w.Close(), r.Close()
		close(c.release)
		if r := wait(); r.code != exitError || !strings.Contains(r.stderr, "Print the token of connection.graph") {
			t.Errorf("%+v", r)
		}
		c.wantSaved()
	})
}

// nohup means it: the end of the terminal is no signal then.
func TestNohupDuringTheExchange(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		link := filepath.Join(c.dir, "oauthctl")
		if err := os.Symlink(testBinary(t), link); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("nohup", link, "token", "graph")
		cmd.Dir, cmd.Env = c.dir, c.env
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		wait := c.sending(cmd)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		close(c.release)
		if r := wait(); r.code != exitDone || r.stdout != "access-2\n" {
			t.Errorf("%+v", r)
		}
	})
}

func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// What a failed refresh says does not depend on which process made it.
func TestHelperFailsInTheSameWords(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, int){
		"refused": func(w http.ResponseWriter, _ int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"the session has ended"}`))
		},
		"busy": func(w http.ResponseWriter, _ int) {
			w.Header().Set("Retry-After", "77")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"client": func(w http.ResponseWriter, _ int) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		},
		"cut off": func(http.ResponseWriter, int) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			var said [2]ran
			for i, helper := range []bool{false, true} {
				c := newCourier(t, helper)
				c.answer = answer
				close(c.release)
				said[i] = c.run("token", "graph")
				said[i].stderr = strings.ReplaceAll(said[i].stderr, c.server.URL, "SERVER")
			}
			if said[0] != said[1] || said[0].code == exitDone || said[0].stdout != "" {
				t.Errorf("alone:\n%+v\nwith a helper:\n%+v", said[0], said[1])
			}
		})
	}
}

// A passphrase that only the command can be told does not keep the helper away:
// it gets the opened key.
func TestHelperGetsTheOpenedKey(t *testing.T) {
	c := newCourier(t, true)
	_, pass := c.protect()
	cmd := c.command("token", "graph")
	cmd.ExtraFiles = []*os.File{pass}
	wait := c.sending(cmd)
	if i := c.record().Info.Intent; i == nil || i.PID == cmd.Process.Pid {
		t.Errorf("the command sends by itself: %+v", i)
	}
	close(c.release)
	if r := wait(); r.code != exitDone || r.stdout != "access-2\n" {
		t.Errorf("%+v", r)
	}
}

// The helper does nothing for whoever has no lock to share.
func TestHelperByHand(t *testing.T) {
	c := newCourier(t, true)
	close(c.release)
	cmd := c.command(helperArg)
	request := fmt.Sprintf(`{"Version":%q,"Commit":%q,"State":%q,"Addr":"connection.graph","Force":true}`, version, commit, c.path())
	cmd.Stdin = strings.NewReader(request)
	lock, err := os.OpenFile(c.path()+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	cmd.ExtraFiles = []*os.File{lock} // open, and not locked
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), `"Declined":true`) || c.requests() != 0 {
		t.Errorf("%v: %s; %d requests", err, out, c.requests())
	}
	if out, err := c.command(helperArg).Output(); err != nil || !strings.Contains(string(out), `"Declined":true`) {
		t.Errorf("%v: %s", err, out)
	}
}

// The disk that fails between the answer and its save, from the first command
// to the last: the journal of the database cannot be made any more.
func TestRecover(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		c.answer = func(w http.ResponseWriter, n int) {
			if err := os.Mkdir(c.path()+"-journal", 0o700); err != nil {
				t.Error(err)
			}
			rotating(w, n)
		}
		close(c.release)
		r := c.run("token", "graph")
		copies, err := filepath.Glob(filepath.Join(c.dir, "oauthctl-*.emergency"))
		if err != nil || len(copies) != 1 || r.code != exitError || r.stdout != "" || !strings.Contains(r.stderr, filepath.Base(copies[0])) {
			t.Fatalf("%+v, copies %v", r, copies)
		}
		if r := c.run("token", "graph"); r.code == exitDone || c.requests() != 1 {
			t.Errorf("while nothing can be written: %+v, %d requests", r, c.requests())
		}
		if err := os.Remove(c.path() + "-journal"); err != nil {
			t.Fatal(err)
		}
		foreign := filepath.Join(c.dir, "copy")
		if err := os.WriteFile(foreign, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			args string
			code int
			says string
		}{
			{"status", exitDone, "Put them back: oauthctl recover"},
			{"status -json", exitDone, `"emergency_copies":["` + copies[0] + `"]`},
			{"recover -list", exitDone, "tokens of connection.graph, can be put back"},
			{"recover -json -list", exitDone, `"address":"connection.graph","result":"fits"}`},
			{"recover -json nosuch", exitError, `"result":"missing"`},
			{"recover -dry-run", exitDone, "Would put the tokens of connection.graph back"},
			{"recover copy", exitError, "Left copy: the state was changed outside oauthctl or is damaged: it is not an emergency copy"},
			{"recover nosuch", exitError, "There is no file nosuch"},
			{"recover", exitDone, "Put the tokens of connection.graph back"},
			{"recover", exitDone, "There are no emergency copies"},
			{"recover -json", exitDone, `"copies":[]`},
		} {
			if r := c.run(strings.Fields(step.args)...); r.code != step.code || !strings.Contains(strings.Join(strings.Fields(r.stdout+r.stderr), " "), step.says) {
				t.Errorf("%s: %+v", step.args, r)
			}
		}
		if r := c.run("status"); strings.Contains(r.stdout, "recover") {
			t.Errorf("a copy that is gone waits: %+v", r)
		}
		if r := c.run("token", "graph"); r.stdout != "access-2\n" || r.stderr != "" || c.requests() != 1 {
			t.Errorf("%+v, %d requests", r, c.requests())
		}
	})
}

// The same with a consent: whoever gave it is not asked again.
func TestRecoverAConsent(t *testing.T) {
	for name, moves := range map[string]bool{"the first": false, "once more": false, "once more, and it moves": true} {
		again := name != "the first"
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCourier(t, false)
			codes, full := 0, false
			c.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.URL.Path == "/device" {
					codes++
					fmt.Fprintf(w, `{"device_code":"d%d","user_code":"ABCD","verification_uri":%q,"expires_in":60,"interval":1}`, codes, c.server.URL)
					return
				}
				if full {
					if err := os.Mkdir(c.path()+"-journal", 0o700); err != nil {
						t.Error(err)
					}
				}
				rotating(w, codes)
			})
			text := `
provider "acme" {
  device_endpoint = "` + c.server.URL + `/device"
  token_endpoint  = "` + c.server.URL + `/token"
}
connection "mail" {
  provider  = "acme"
  client_id = "app"
  grant "device_code" {}
}
removed {
  from = connection.graph
  lifecycle { destroy = false }
}
`
			if err := os.WriteFile(filepath.Join(c.dir, "main.hcl"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			apply, want := []string{"apply", "-auto-approve", "-input"}, "access-1\n"
			if again {
				if r := c.run(apply...); r.code != exitDone {
					t.Fatalf("%+v", r)
				}
				apply, want = append(apply, "-replace=mail"), "access-2\n"
			}
			full = true
			r := c.run(apply...)
			copies, err := filepath.Glob(filepath.Join(c.dir, "oauthctl-*.emergency"))
			if err != nil || len(copies) != 1 || r.code == exitDone || !strings.Contains(r.stdout+r.stderr, "oauthctl recover") {
				t.Fatalf("%+v, copies %v", r, copies)
			}
			full = false
			if r := c.run("recover"); r.code == exitDone {
				t.Errorf("while nothing can be written: %+v", r)
			}
			if err := os.Remove(c.path() + "-journal"); err != nil {
				t.Fatal(err)
			}
			asked := codes
			if r := c.run("plan"); !strings.Contains(r.stdout, "Emergency copies wait") || !strings.Contains(r.stdout, "\n  oauthctl recover") {
				t.Errorf("%+v", r)
			}
			if moves {
				r := c.run("state", "mv", "mail", "post")
				if tok := c.run("token", "post"); r.code != exitDone || tok.stdout != want || codes != asked {
					t.Errorf("%+v, %+v", r, tok)
				}
				if copies, _ := filepath.Glob(filepath.Join(c.dir, "oauthctl-*.emergency")); len(copies) != 0 {
					t.Errorf("left behind: %v", copies)
				}
				return
			}
			r = c.run("apply", "-auto-approve", "-input=false")
			if said := strings.Join(strings.Fields(r.stderr), " "); r.code != exitDone || !strings.Contains(said, "Put the tokens of connection.mail back") || strings.Contains(r.stdout, "Emergency copies") {
				t.Errorf("%+v", r)
			}
			if r := c.run("token", "mail"); r.stdout != want || codes != asked {
				t.Errorf("%+v, asked %d times more", r, codes-asked)
			}
			if copies, _ := filepath.Glob(filepath.Join(c.dir, "oauthctl-*.emergency")); len(copies) != 0 {
				t.Errorf("left behind: %v", copies)
			}
			// One that cannot be put back goes on waiting, also when a saved plan is carried out.
			if err := os.WriteFile(copies[0], []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.run("plan", "-out=next.plan")
			if r := c.run("apply", "next.plan"); !strings.Contains(strings.Join(strings.Fields(r.stderr), " "), "To put them back, run: oauthctl recover") {
				t.Errorf("%+v", r)
			}
		})
	}
}

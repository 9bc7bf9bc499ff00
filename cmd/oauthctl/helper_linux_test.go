package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/oauthctl/oauthctl/state/seal"
)

// A terminal window that is closed during an exchange: the kernel hangs up on
// the session. What was answered is saved.
func TestTerminalClosedDuringTheExchange(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		screen, terminal := openTerminal(t)
		cmd := c.command("token", "graph")
		var errOut bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, &errOut
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		wait := c.sending(cmd)
		_, _ = terminal.Close(), screen.Close()
		time.Sleep(100 * time.Millisecond)
		close(c.release)
		if r := wait(); r.code != exitInterrupted {
			t.Errorf("%+v %s", r, errOut.String())
		}
		c.wantSaved()
	})
}

// exec asks for a passphrase on the terminal, with the keys not shown, and the
// program gets the terminal as it was, and what is typed then.
func TestExecGivesTheTerminalBack(t *testing.T) {
	c := newCourier(t, false)
	close(c.release)
	identity := filepath.Join(c.dir, "identity.txt")
	protected, err := seal.Protect(c.own(), "correct horse", 10)
	if err == nil {
		err = os.WriteFile(identity, []byte(protected), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	screen, terminal := openTerminal(t)
	before := modes(t, terminal)
	cmd := c.command("-identity="+identity, "exec", "graph", "--", "sh", "-c", `echo "ready $GRAPH_TOKEN" >&2; read line; echo "got $line"`)
	cmd.Env = append(slices.DeleteFunc(cmd.Env, func(e string) bool { return strings.HasPrefix(e, "OAUTHCTL_IDENTITY=") }), "TERM=xterm")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, &out, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, screen, "Passphrase of ")
	for modes(t, terminal).Lflag&unix.ECHO != 0 {
		time.Sleep(time.Millisecond) // the prompt may stand there first
	}
	if _, err := screen.WriteString("correct horse\n"); err != nil {
		t.Fatal(err)
	}
	if shown := until(t, screen, "ready access-2"); strings.Contains(shown, "horse") {
		t.Errorf("the passphrase is shown: %q", shown)
	}
	if now := modes(t, terminal); *now != *before {
		t.Errorf("the program has another terminal: %+v, before %+v", now, before)
	}
	if _, err := screen.WriteString("typed\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "got typed\n" {
		t.Errorf("%v: %q", err, out.String())
	}
}

// In CI a terminal is the log of the job: no token is printed to it, and none
// asked for, unless somebody wants that. A pipe is not known to be the log.
func TestTokenIsNotPrintedIntoAJobsLog(t *testing.T) {
	c := newCourier(t, false)
	close(c.release)
	for name, tc := range map[string]struct {
		env, args []string
		piped     bool
		want      int
	}{
		"a log":             {[]string{"CI=true"}, nil, false, exitError},
		"which may have it": {[]string{"CI=true"}, []string{"-print"}, false, exitDone},
		"a variable":        {[]string{"CI=true"}, nil, true, exitDone},
		"a person":          {nil, nil, false, exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			screen, terminal := openTerminal(t)
			cmd := c.command(append([]string{"token", "graph"}, tc.args...)...)
			cmd.Env = append(cmd.Env, tc.env...)
			var out, errOut bytes.Buffer
			cmd.Stdout, cmd.Stderr = terminal, &errOut
			if tc.piped {
				cmd.Stdout = &out
			}
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != tc.want {
				t.Fatalf("exit code %d, want %d: %s", code, tc.want, errOut.String())
			}
			switch {
			case tc.want != exitDone:
				if said := strings.Join(strings.Fields(errOut.String()), " "); !strings.Contains(said, "log of the job") || !strings.Contains(said, "-print") {
					t.Errorf("stderr: %s", said)
				}
				if _, err := terminal.WriteString("nothing else"); err != nil {
					t.Fatal(err)
				}
				if shown := until(t, screen, "nothing else"); strings.Contains(shown, "access") {
					t.Errorf("the log shows %q", shown)
				}
			case tc.piped:
				if !strings.HasPrefix(out.String(), "access-") {
					t.Errorf("stdout: %q", out.String())
				}
			default:
				until(t, screen, "access-")
			}
		})
	}
}

// own is the identity that the environment of the commands has.
func (c *courier) own() string {
	for _, e := range c.env {
		if text, ok := strings.CutPrefix(e, "OAUTHCTL_IDENTITY="); ok {
			return text
		}
	}
	return ""
}

func modes(t *testing.T, terminal *os.File) *unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// until reads what a window shows until text is among it.
func until(t *testing.T, screen *os.File, text string) string {
	t.Helper()
	var shown []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(shown, []byte(text)) {
		n, err := screen.Read(buf)
		if shown = append(shown, buf[:n]...); err != nil {
			t.Fatalf("%v: the window shows %q, want %q", err, shown, text)
		}
	}
	return string(shown)
}

// openTerminal makes a pseudo-terminal: the side of the window, and that of the program.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return screen, terminal
}

// A program that the helper starts, such as that of the keyring, may leave a
// daemon behind. When the command was killed, and the helper has saved, that one
// does not go on holding the lock.
func TestDaemonOfTheKeyringHoldsNoLock(t *testing.T) {
	c := newCourier(t, true)
	var key string
	for i, e := range c.env {
		if value, ok := strings.CutPrefix(e, "OAUTHCTL_IDENTITY="); ok {
			key, c.env[i] = value, "OAUTHCTL_IDENTITY_FILE="+filepath.Join(c.dir, "pointer")
		}
		if strings.HasPrefix(e, "PATH=") {
			c.env[i] = "PATH=" + c.dir + ":" + os.Getenv("PATH")
		}
	}
	c.env = append(c.env, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
	ids, err := seal.ParseIdentities(key)
	if err != nil {
		t.Fatal(err)
	}
	recipient, _ := seal.RecipientOf(ids[0])
	tool := "#!/bin/sh\nsleep 60 </dev/null >/dev/null 2>&1 &\necho $! >>pids\necho " + key + "\n"
	for name, text := range map[string]string{"pointer": string(keyringPointer(recipient)), "secret-tool": tool} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		text, _ := os.ReadFile(filepath.Join(c.dir, "pids"))
		for _, pid := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
	})
	cmd := c.command("token", "graph")
	wait := c.sending(cmd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	close(c.release)
	c.wantSaved()
	if text, _ := os.ReadFile(filepath.Join(c.dir, "pids")); len(strings.Fields(string(text))) < 2 {
		t.Fatalf("the keyring was not asked by both: %q", text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	unlock, err := c.store.Lock(ctx, courierAddr, "test")
	if err != nil {
		t.Fatalf("somebody still holds the lock: %v", err)
	}
	unlock()
}

// The helper is the program that runs, and not what stands in its place by now: an agent runs
// for weeks, and its helpers get the key.
func TestTheHelperIsTheVeryProgram(t *testing.T) {
	c := newCourier(t, true)
	program, taken := filepath.Join(c.dir, "program"), filepath.Join(c.dir, "taken")
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(program, text, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := c.store.Lock(t.Context(), courierAddr, "test")
	if err != nil {
		t.Fatal(err)
	}
	replaced := make(chan error, 1)
	time.AfterFunc(time.Second, func() { // it waits for the lock
		err := os.Remove(program)
		if err == nil {
			err = os.WriteFile(program, []byte("#!/bin/sh\ncat >'"+taken+"'\n"), 0o700)
		}
		unlock()
		replaced <- err
	})
	cmd := c.command("token", "graph")
	cmd.Path = program
	wait := c.sending(cmd)
	if err := <-replaced; err != nil {
		t.Fatal(err)
	}
	if i := c.record().Info.Intent; i == nil || i.PID == cmd.Process.Pid {
		t.Errorf("the command sends by itself: %+v", i)
	}
	close(c.release)
	if r := wait(); r.stdout != "access-2\n" {
		t.Errorf("%+v", r)
	}
	if got, err := os.ReadFile(taken); err == nil {
		t.Errorf("another program was started, and got %d bytes", len(got))
	}
}

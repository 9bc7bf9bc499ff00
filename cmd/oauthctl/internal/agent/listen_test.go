//go:build linux || darwin

package agent

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A socket is the user's alone from its first moment, whatever the umask; and
// there is one agent at it.
func TestListen(t *testing.T) {
	path := filepath.Join(shortDir(t), "new", "agent.sock")
	l, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for p, mode := range map[string]os.FileMode{path: 0o600 | fs.ModeSocket, filepath.Dir(path): 0o700 | fs.ModeDir} {
		if info, err := os.Lstat(p); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v, want %v", p, info.Mode(), err, mode)
		}
	}
	if second, err := Listen(t.Context(), path); !errors.Is(err, ErrLive) {
		t.Errorf("a second agent: %v, %v", second, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket after the end: %v", err)
	}
}

// What an agent left behind is replaced; what answers, or is no socket, is not.
func TestListenWhereSomethingIs(t *testing.T) {
	dir := shortDir(t)
	stale := filepath.Join(dir, "stale")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	l, err := Listen(t.Context(), stale)
	if err != nil {
		t.Fatalf("a socket that is dead: %v", err)
	}
	_ = l.Close()

	live := filepath.Join(dir, "live") // of systemd: nobody holds a lock
	other, err := net.Listen("unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("mine"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	lockLink := filepath.Join(dir, "locked")
	if err := os.Symlink(file, lockLink+".lock"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		live: "answers there already", file: "not a socket", link: "not a socket", lockLink: "too many",
		filepath.Join(dir, strings.Repeat("x", 100)): "longer than",
	} {
		if l, err := Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want %q", path, l, err, want)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the file: %q, %v", text, err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	var open *OpenError
	if l, err := Listen(t.Context(), filepath.Join(dir, "new")); !errors.As(err, &open) {
		t.Errorf("in a directory that a group can read: %v, %v", l, err)
	}
}

// passedVar makes TestPassed the process that a service manager has started.
const passedVar = "TEST_AGENT_PASSED"

// A socket that was passed, as systemd passes it, is used; one that others can
// reach is refused.
func TestPassed(t *testing.T) {
	if os.Getenv(passedVar) != "" {
		env := func(name string) string {
			if name == "LISTEN_PID" {
				return strconv.Itoa(os.Getpid()) // which the manager sets after the fork
			}
			return os.Getenv(name)
		}
		l, path, err := Passed(env)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(path))
		_ = errors.Join(conn.Close(), l.Close())
		return
	}
	if l, _, err := Passed(func(string) string { return "" }); l != nil || err != nil {
		t.Errorf("nothing was passed: %v, %v", l, err)
	}
	if l, _, err := Passed(func(name string) string { return map[string]string{"LISTEN_PID": "1", "LISTEN_FDS": "1"}[name] }); l != nil || err != nil {
		t.Errorf("passed to another process: %v, %v", l, err)
	}
	for fds, want := range map[string]string{"1": "", "2": "one socket is wanted"} {
		if out := startPassed(t, fds, 0o600); !strings.Contains(out, want) {
			t.Errorf("LISTEN_FDS=%s: %s", fds, out)
		}
	}
	if out := startPassed(t, "1", 0o666); !strings.Contains(out, "open to others") {
		t.Error(out)
	}
}

func startPassed(t *testing.T, fds string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "agent.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPassed$")
	cmd.Env = append(os.Environ(), passedVar+"=1", "LISTEN_FDS="+fds)
	cmd.ExtraFiles = []*os.File{f}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	said := make([]byte, 1000)
	n, _ := conn.Read(said)
	if string(said[:n]) != path {
		t.Errorf("the agent said %q: %s", said[:n], out)
	}
	return string(out)
}

func TestNotify(t *testing.T) {
	if err := Notify(t.Context(), "", "READY=1"); err != nil {
		t.Error(err)
	}
	path := filepath.Join(shortDir(t), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Notify(t.Context(), path, "READY=1"); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	if n, err := l.Read(said); err != nil || string(said[:n]) != "READY=1" {
		t.Errorf("%q, %v", said[:n], err)
	}
	if err := Notify(t.Context(), path+"x", "READY=1"); err == nil {
		t.Error("nobody listens there")
	}
}

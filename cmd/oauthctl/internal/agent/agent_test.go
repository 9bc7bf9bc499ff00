//go:build linux || darwin

package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// socketVar makes this test binary the client of a socket: see TestOtherUser.
const socketVar = "TEST_AGENT_SOCKET"

func TestMain(m *testing.M) {
	if socket := os.Getenv(socketVar); socket != "" {
		os.Exit(stranger(socket))
	}
	goleak.VerifyTestMain(m)
}

var graph = addr.Connection("graph")

// shortDir is a private directory whose path is short enough for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve runs a server at a new socket until the test ends.
func serve(t *testing.T, s Server) (path string) {
	t.Helper()
	path = filepath.Join(shortDir(t), "agent.sock")
	l, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return path
}

func always(a *Answer) func(context.Context, *Request) *Answer {
	return func(context.Context, *Request) *Answer { return a }
}

// What is asked and answered arrives as it was meant.
func TestRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 5, time.UTC)
	want := &Request{
		State: &File{Device: 1<<63 + 1, Inode: 1<<64 - 1}, Addr: addr.Connection("graph"), LockTimeout: 1500 * time.Millisecond,
		Options: engine.TokenOptions{MinTTL: 5 * time.Minute, ForceRefresh: true, Scopes: []string{"a", "b"}},
	}
	for what, answer := range map[string]*Answer{
		"a token": {Token: &engine.Token{
			Addr: graph, AccessToken: "s3cret<>&\u2028", TokenType: "Bearer", ExpiresAt: at, ReceivedAt: at, Scopes: []string{"a"},
			Account: "alice", Hosts: []string{"git.example.com"}, Preset: "github", Refreshed: true, Warning: "old",
		}},
		"a bare token": {Token: &engine.Token{Addr: graph, AccessToken: "s3cret"}},
		"a long token": {Token: &engine.Token{Addr: graph, AccessToken: "s3cret"}},
		"no":           {Declined: DeclinedNotMine},
	} {
		if what == "a long token" {
			for range 16 {
				answer.Token.AccessToken += answer.Token.AccessToken
			}
		}
		path := serve(t, Server{UID: os.Geteuid(), Answer: func(_ context.Context, r *Request) *Answer {
			if !reflect.DeepEqual(r, want) {
				t.Errorf("request %+v, want %+v", r, want)
			}
			return answer
		}})
		got, err := Ask(t.Context(), path, want)
		if err != nil || !reflect.DeepEqual(got, answer) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	failed := &engine.Error{Class: engine.ClassTemporary, Addr: graph, Doing: "refresh connection.graph", Remedy: "try again in 5s", Err: errors.New("too early")}
	path := serve(t, Server{UID: os.Geteuid(), Answer: always(&Answer{Err: failed})})
	got, err := Ask(t.Context(), path, want)
	if err != nil || got.Err == nil || got.Err.Class != failed.Class || got.Err.Error() != failed.Error() {
		t.Errorf("%+v, %v", got, err)
	}
}

// An agent that works says so, and is waited for; one that says nothing is not.
func TestSilence(t *testing.T) {
	path := serve(t, Server{UID: os.Geteuid(), Answer: func(ctx context.Context, _ *Request) *Answer {
		pause(ctx, silence+signOfLife)
		return &Answer{Declined: DeclinedState}
	}})
	if a, err := Ask(t.Context(), path, &Request{Addr: graph}); err != nil || a.Declined != DeclinedState {
		t.Errorf("%+v, %v", a, err)
	}
	dead := filepath.Join(shortDir(t), "agent.sock")
	l, err := Listen(t.Context(), dead)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err := Ask(t.Context(), dead, &Request{Addr: graph}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%+v, %v", a, err)
	}
}

// A caller that goes away is not worked for any more.
func TestCallerGoesAway(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	path := serve(t, Server{UID: os.Geteuid(), Answer: func(ctx context.Context, _ *Request) *Answer {
		close(asked)
		<-ctx.Done()
		close(ended)
		return &Answer{Declined: DeclinedState}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := Ask(ctx, path, &Request{Addr: graph}); err == nil {
		t.Error("want an error")
	}
	<-ended
}

// Lines that are no request get no token, and do not end the agent.
func TestBadRequests(t *testing.T) {
	path := serve(t, Server{UID: os.Geteuid(), Answer: always(&Answer{Token: &engine.Token{Addr: graph, AccessToken: "s3cret"}})})
	for line, want := range map[string]string{
		"\n":                                     DeclinedRequest,
		"{}\n":                                   DeclinedVersion,
		`{"version":2,"address":"graph"}` + "\n": DeclinedVersion,
		`{"version":1}` + "\n":                   DeclinedRequest,
		`{"version":1,"address":"a b"}` + "\n":   DeclinedRequest,
		`{"version":1,"address":"graph"} x` + "\n":              DeclinedRequest,
		`{"version":1,"address":"graph","min_ttl":-1}` + "\n":   DeclinedRequest,
		`{"version":1,"address":"graph","min_ttl":1e99}` + "\n": DeclinedRequest,
		`{"version":1,"address":"graph","scopes":[""]}` + "\n":  DeclinedRequest,
		strings.Repeat("x", maxRequest) + "\n":                  DeclinedRequest,
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(line))
		text, _ := bufio.NewReader(conn).ReadString('\n')
		_ = conn.Close()
		var got wireAnswer
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Declined != want || got.Token != nil {
			t.Errorf("%.40q: %q, want %s", line, text, want)
		}
	}
	if a, err := Ask(t.Context(), path, &Request{Addr: graph}); err != nil || a.Token == nil {
		t.Errorf("afterwards: %+v, %v", a, err)
	}
}

// More callers than are served at once wait, and all are answered.
func TestManyCallers(t *testing.T) {
	path := serve(t, Server{UID: os.Geteuid(), Answer: always(&Answer{Declined: DeclinedNotMine})})
	var idle []net.Conn // that say nothing
	for range maxCallers - 1 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	for range 10 {
		if _, err := Ask(t.Context(), path, &Request{Addr: graph}); err != nil {
			t.Error(err)
		}
	}
	for _, c := range idle {
		_ = c.Close()
	}
}

// Only a socket that is the caller's alone is spoken to.
func TestClientBelievesOnlyItsOwn(t *testing.T) {
	path := serve(t, Server{UID: os.Geteuid(), Answer: always(&Answer{Token: &engine.Token{Addr: graph, AccessToken: "planted"}})})
	dir := filepath.Dir(path)
	ask := func(path string) error {
		_, err := Ask(t.Context(), path, &Request{Addr: graph})
		return err
	}
	if err := ask(path); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(shortDir(t), "agent.sock")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{"a link": link, "a file": file, "nothing": filepath.Join(dir, "nothing")} {
		if ask(path) == nil {
			t.Errorf("%s was believed", what)
		}
	}
	for _, mode := range []os.FileMode{0o660, 0o606} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if ask(path) == nil {
			t.Errorf("a socket of mode %o was believed", mode)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if ask(path) == nil {
		t.Error("a socket in a directory that others can read was believed")
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // nobody else can be given the socket
	}
	for _, give := range []string{path, dir} {
		if err := os.Chown(give, 65534, -1); err != nil {
			t.Fatal(err)
		}
		if ask(path) == nil {
			t.Errorf("%s belongs to another user, and was believed", give)
		}
		if err := os.Chown(give, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
}

// stranger asks as another user does, who was let to the socket by mistake; or,
// at a socket that is not there, plays the agent.
func stranger(socket string) int {
	if _, err := os.Lstat(socket); errors.Is(err, os.ErrNotExist) {
		l, err := net.Listen("unix", socket)
		if err != nil {
			fmt.Println("cannot listen:", err)
			return 1
		}
		fmt.Println("listening")
		conn, err := l.Accept()
		if err != nil {
			return 1
		}
		_, _ = conn.Write([]byte(`{"version":1,"token":{"access_token":"planted"}}` + "\n"))
		time.Sleep(time.Minute)
		return 0
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Println("cannot connect:", err)
		return 1
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(`{"version":1,"address":"graph"}` + "\n"))
	text, _ := bufio.NewReader(conn).ReadString('\n')
	fmt.Printf("answer: %q\n", text)
	return 0
}

// asNobody is this test binary as the stranger at a socket.
func asNobody(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	dir := shortDir(t)
	bin := filepath.Join(dir, "stranger")
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(bin, text, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin)
	cmd.Dir, cmd.Env = "/", []string{socketVar + "=" + socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

// A process of another user that listens at a socket is not believed, though the
// socket has become the caller's by now.
func TestImpostor(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: only root can give a socket away")
	}
	dir := shortDir(t)
	path := filepath.Join(dir, "agent.sock")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := asNobody(t, path)
	said, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "listening\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := errors.Join(os.Chown(path, 0, 0), os.Chmod(path, 0o600), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if a, err := Ask(t.Context(), path, &Request{Addr: graph}); err == nil || !strings.Contains(err.Error(), "belongs to the user 65534") {
		t.Errorf("%+v, %v", a, err)
	}
}

// A process of another user gets no word, even at a socket that is open to all.
func TestOtherUser(t *testing.T) {
	called := false
	path := serve(t, Server{UID: os.Geteuid(), Answer: func(context.Context, *Request) *Answer {
		called = true
		return &Answer{Token: &engine.Token{Addr: graph, AccessToken: "s3cret"}}
	}})
	if os.Geteuid() == 0 {
		for _, p := range []string{path, filepath.Dir(path)} {
			if err := os.Chmod(p, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		out, err := asNobody(t, path).CombinedOutput()
		if err != nil || string(out) != "answer: \"\"\n" || called {
			t.Errorf("%v: %s, asked %v", err, out, called)
		}
		if err := errors.Join(os.Chmod(path, 0o600), os.Chmod(filepath.Dir(path), 0o700)); err != nil {
			t.Fatal(err)
		}
		if a, err := Ask(t.Context(), path, &Request{Addr: graph}); err != nil || a.Token == nil {
			t.Errorf("the owner: %+v, %v", a, err)
		}
		return
	}
	// Who is not root plays it the other way round: the agent of somebody else.
	other := serve(t, Server{UID: os.Geteuid() + 1, Answer: always(&Answer{Token: &engine.Token{Addr: graph, AccessToken: "s3cret"}})})
	if a, err := Ask(t.Context(), other, &Request{Addr: graph}); err == nil {
		t.Errorf("%+v", a)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"version":1,"state":{"device":1,"inode":2},"address":"connection.graph[\"eu\"]","min_ttl":300,"force_refresh":true,"scopes":["a"],"lock_timeout":0.5}`))
	f.Add([]byte(`{"version":1,"address":"graph","min_ttl":1e300}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseRequest(line)
		if err != nil {
			return
		}
		if r.Addr.IsZero() || r.Options.MinTTL < 0 || r.LockTimeout < 0 {
			t.Fatalf("%+v", r)
		}
		text, err := r.encode()
		if err != nil {
			return // too long when it is written out
		}
		again, err := parseRequest(text)
		if err != nil || again.Addr != r.Addr || !reflect.DeepEqual(again.State, r.State) || again.Options.ForceRefresh != r.Options.ForceRefresh {
			t.Fatalf("%q: %+v, then %+v, %v", line, r, again, err)
		}
	})
}

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

type scriptCmd = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCmds are the words that the pages use besides testscript's own.
func scriptCmds() map[string]scriptCmd {
	cmds := map[string]scriptCmd{
		"edit":         cmdEdit,
		"exits":        cmdExits,
		"filemode":     cmdFilemode,
		"hub":          cmdHub,
		"interrupt":    cmdInterrupt,
		"json-lines":   cmdJSONLines,
		"serve":        cmdServe,
		"setenv-file":  cmdSetenvFile,
		"setenv-match": cmdSetenvMatch,
		"server":       cmdServer,
		"together":     cmdTogether,
		"eventually":   cmdEventually,
	}
	for name, f := range cmds {
		cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s cannot be negated", name)
			}
			f(ts, neg, args)
		}
	}
	return cmds
}

// cmdEdit is "edit FILE OLD NEW": the first OLD becomes NEW.
func cmdEdit(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

// cmdExits is "exits CODE PROGRAM ARG…": like exec, and the exit code must be CODE.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitOf(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

// cmdServe is "serve NAME": an authorization server until the page ends, as
// "oauthctl sandbox" serves it; its address is in the variable NAME.
func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	srv, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(func() {
		cancel()
		_ = srv.Close()
	})
	base, err := srv.Serve(ctx, "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], base)
}

// cmdFilemode is "filemode MODE FILE", in octal.
func cmdFilemode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// cmdSetenvFile is "setenv-file NAME FILE".
func cmdSetenvFile(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], ts.ReadFile(args[1]))
}

// cmdSetenvMatch is "setenv-match NAME FILE REGEXP": what the expression finds.
func cmdSetenvMatch(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[2]).FindString(ts.ReadFile(args[1]))
	if found == "" {
		ts.Fatalf("%s has no %s", args[1], args[2])
	}
	ts.Setenv(args[0], found)
}

// cmdServer is "server NAME": an authorization server runs beside the script, and
// the variable says where.
func cmdServer(ts *testscript.TestScript, _ bool, args []string) {
	srv, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	base, err := srv.Serve(ctx, "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], base)
	ts.Defer(func() {
		cancel()
		_ = srv.Close()
	})
}

// cmdJSONLines is "json-lines stdout": every line is a JSON object, and there is one.
func cmdJSONLines(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
	}
}

// cmdTogether is "together N PROGRAM ARG…": N processes at once, which all
// succeed, print the same and say nothing on stderr.
func cmdTogether(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	outs, errs := make([]bytes.Buffer, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		cmd := command(ts, args[1:])
		cmd.Stdout, cmd.Stderr = &outs[i], &outs[i]
		wg.Go(func() { errs[i] = cmd.Run() })
	}
	wg.Wait()
	for i := range n {
		if errs[i] != nil || outs[i].String() != outs[0].String() {
			ts.Fatalf("process %d: %v: %s\nprocess 0: %s", i, errs[i], outs[i].String(), outs[0].String())
		}
	}
}

// cmdInterrupt is "interrupt CODE PATTERN PROGRAM ARG…": when the output matches,
// the program gets a Ctrl-C, and has to end with CODE. What it printed is in
// interrupted.out.
func cmdInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ready := regexp.MustCompile(args[1])
	out, err := os.Create(ts.MkAbs("interrupted.out"))
	ts.Check(err)
	defer out.Close()
	cmd := command(ts, args[2:])
	cmd.Stdout, cmd.Stderr = out, out
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for sent := false; ; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			if got := exitOf(ts, err); got != want || !sent {
				ts.Fatalf("exit code %d, want %d; interrupted: %v\n%s", got, want, sent, ts.ReadFile("interrupted.out"))
			}
			return
		default:
		}
		if !sent && ready.MatchString(ts.ReadFile("interrupted.out")) {
			sent = true
			ts.Check(cmd.Process.Signal(os.Interrupt))
		}
	}
}

// cmdEventually is "eventually PATTERN PROGRAM ARG…": the program is run again
// and again until its output matches.
func cmdEventually(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, _ := command(ts, args[1:]).CombinedOutput()
		if want.Match(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no %s in\n%s", args[0], out)
		}
	}
}

// command is a process in the directory and environment of the script.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	name := args[0]
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := name
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if candidate := dir + string(os.PathSeparator) + name; exists(candidate) {
			path = candidate
			break
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TERM", "TMPDIR", "BROWSER", "TEST_CLOCK", "SYSTEMROOT"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

//go:build linux || darwin

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/oauthctl/oauthctl/engine"
)

// startHelper starts the program once more, in a session of its own, hands it
// the lock, and waits for what it says. engine.ErrNotCarried: it did not start.
func startHelper(request []byte, lock *os.File, stderr io.Writer) ([]byte, error) {
	self, err := ownProgram()
	if err != nil {
		return nil, engine.ErrNotCarried
	}
	var answer bytes.Buffer
	cmd := exec.Cmd{
		Path: self, Args: []string{os.Args[0], helperArg},
		Stdin: bytes.NewReader(request), Stdout: &answer, Stderr: struct{ io.Writer }{stderr}, // pipes, which end with us
		ExtraFiles:  []*os.File{lock},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return nil, engine.ErrNotCarried
	}
	_ = cmd.Wait() // what it says counts, not how it ended
	return answer.Bytes(), nil
}

// ownProgram is a path of the program that runs. On Linux it is the very file, also if another
// one has its name by now: the helper gets the key.
func ownProgram() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// inheritedLock is the lock that startHelper has handed over: held until this
// process ends, and by nothing that it starts.
func inheritedLock() *os.File {
	syscall.CloseOnExec(helperLock)
	return os.NewFile(helperLock, "lock")
}

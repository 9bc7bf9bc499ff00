//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe that nobody reads keeps no command waiting: the log goes to stderr.
func TestLogIntoAPipeThatNobodyReads(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	app, _, errs := testApp()
	app.LookupEnv = func(name string) (string, bool) { return pipe, name == "OAUTHCTL_LOG_PATH" }
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		(&cli{App: app}).logFile()
	}()
	select {
	case <-opened:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for a reader")
	}
	if !strings.Contains(errs.String(), "the log is here") {
		t.Errorf("stderr: %s", errs.String())
	}
}

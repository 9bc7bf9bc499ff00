//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// A terminal that is closed is an interruption like Ctrl-C: what is on its way is
// saved. Under nohup, it is none.
func TestHangup(t *testing.T) {
	if os.Getenv("TEST_HANGUP") == "ignored" {
		ctx, in := interruptible(context.Background())
		in.arm()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
			t.Fatal("nohup was undone")
		case <-time.After(200 * time.Millisecond):
		}
		return
	}
	keep := make(chan os.Signal, 1) // so that a miss ends this test, and not the process
	signal.Notify(keep, syscall.SIGHUP)
	ctx, in := interruptible(context.Background())
	in.arm()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-keep
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("a closed terminal does not cancel")
	}
	cmd := exec.Command("nohup", os.Args[0], "-test.run=^TestHangup$")
	cmd.Env = append(os.Environ(), "TEST_HANGUP=ignored")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

//go:build linux || darwin

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agent is the agent, at a socket of its own: the name of one has to be short.
func (c *courier) agent() (cmd *exec.Cmd, socket string) {
	c.t.Helper()
	dir, err := os.MkdirTemp("", "oa")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	cmd = c.command("agent", "-socket="+socket)
	c.t.Cleanup(func() {
		if cmd.Process != nil && cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd, socket
}

// Who kills the agent loses nothing: its exchanges are carried as those of token are.
func TestKillOfTheAgentLosesNothing(t *testing.T) {
	c := newCourier(t, true)
	cmd, socket := c.agent()
	wait := c.sending(cmd)
	if i := c.record().Info.Intent; i == nil || i.PID == cmd.Process.Pid {
		t.Errorf("the agent sends by itself: %+v", i)
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := wait(); r.code != -1 {
		t.Errorf("not killed: %+v", r)
	}
	close(c.release)
	c.wantSaved()
	c.env = append(c.env, "OAUTHCTL_AGENT_SOCKET="+socket)
	if r := c.run("token", "graph"); r.stdout != "access-2\n" || c.requests() != 1 {
		t.Errorf("%+v, %d requests", r, c.requests())
	}
}

// Ctrl-C of the agent waits for what is carried, as it does for what it does itself.
func TestEndOfTheAgentWaitsForTheSave(t *testing.T) {
	eachWay(t, func(t *testing.T, helper bool) {
		c := newCourier(t, helper)
		cmd, _ := c.agent()
		wait := c.sending(cmd)
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		close(c.release)
		if r := wait(); r.code != exitDone && r.code != exitInterrupted {
			t.Errorf("%+v", r)
		}
		if have := c.record().Tokens.RefreshToken; have != "refresh-2" {
			t.Errorf("the agent has ended, and the state has %q", have.Reveal())
		}
	})
}

// The key of an agent is in its memory, also where it was protected by a passphrase: its
// helpers ask nobody.
func TestAgentHandsItsKeyOn(t *testing.T) {
	c := newCourier(t, true)
	plain, pass := c.protect()
	cmd, socket := c.agent()
	cmd.ExtraFiles = []*os.File{pass}
	wait := c.sending(cmd)
	if i := c.record().Info.Intent; i == nil || i.PID == cmd.Process.Pid {
		t.Errorf("the agent sends by itself: %+v", i)
	}
	close(c.release)
	c.wantSaved()
	c.env = append(slices.Clone(plain), "OAUTHCTL_AGENT_SOCKET="+socket)
	if r := c.run("token", "-force-refresh", "graph"); r.stdout != "access-3\n" {
		t.Errorf("%+v", r)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := wait(); strings.Contains(r.stderr, "passphrase") {
		t.Errorf("%+v", r)
	}
}

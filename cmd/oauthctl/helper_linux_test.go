package main

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

//go:build unix

package console

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// keyMode turns line editing and echo off. Signals stay on, so that Ctrl-C
// means what it means everywhere, and output is untouched, so that what others
// print keeps its shape. Who is stopped (Ctrl-Z) and comes back finds the mode of
// the shell: again notices, and turns line editing and echo off once more.
func keyMode(f *os.File) (restore func(), again func() bool, err error) {
	fd := int(f.Fd())
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, nil, err
	}
	mode := *old
	mode.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	mode.Iflag |= unix.ICRNL
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 0, 1
	if err := unix.IoctlSetTermios(fd, setTermios, &mode); err != nil {
		return nil, nil, err
	}
	again = func() bool {
		now, err := unix.IoctlGetTermios(fd, getTermios)
		if err != nil || now.Lflag&(unix.ICANON|unix.ECHO) == 0 {
			return false
		}
		return unix.IoctlSetTermios(fd, setTermios, &mode) == nil
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, old) }, again, nil
}

// readKeys reads what has been typed, nothing after a tenth of a second. A
// terminal that has gone away says so with an error. It waits before it reads: a
// read that began in the mode of the shell would last until Enter.
func readKeys(_ context.Context, f *os.File, buf []byte) (int, error) {
	fd := int(f.Fd())
	var set unix.FdSet
	set.Set(fd)
	wait := unix.NsecToTimeval(int64(time.Second / 10))
	if n, err := unix.Select(fd+1, &set, nil, nil, &wait); n == 0 || err == unix.EINTR {
		return 0, nil
	}
	n, err := unix.Read(fd, buf)
	switch err {
	case nil:
	case unix.EINTR, unix.EAGAIN:
		n = 0
	default:
		return 0, ErrNoInput
	}
	if n == 0 {
		// A descriptor in non-blocking mode answers at once.
		time.Sleep(10 * time.Millisecond)
	}
	return max(n, 0), nil
}

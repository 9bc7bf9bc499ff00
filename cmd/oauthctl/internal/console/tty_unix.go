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
// print keeps its shape. A read returns after a tenth of a second at the latest.
func keyMode(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	mode := *old
	mode.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	mode.Iflag |= unix.ICRNL
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 0, 1
	if err := unix.IoctlSetTermios(fd, setTermios, &mode); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, old) }, nil
}

// readKeys reads what has been typed, nothing after a tenth of a second. A
// terminal that has gone away says so with an error.
func readKeys(_ context.Context, f *os.File, buf []byte) (int, error) {
	n, err := unix.Read(int(f.Fd()), buf)
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

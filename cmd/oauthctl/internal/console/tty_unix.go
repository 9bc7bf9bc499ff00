//go:build unix

package console

import (
	"os"

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

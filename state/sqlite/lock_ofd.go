//go:build linux || darwin

package sqlite

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes an open file description lock (fcntl(2)): it belongs to the
// descriptor, so it keeps out other goroutines and other processes alike.
func tryLock(f *os.File, offset int64) (bool, error) {
	for {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: offset, Len: 1}
		switch err := unix.FcntlFlock(f.Fd(), ofdSetLock, &lock); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}

func unlockRange(f *os.File, offset int64) error {
	lock := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart, Start: offset, Len: 1}
	return unix.FcntlFlock(f.Fd(), ofdSetLock, &lock)
}

// locked reports whether somebody else's descriptor has the lock.
func locked(f *os.File, offset int64) (bool, error) {
	for {
		lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: offset, Len: 1}
		if err := unix.FcntlFlock(f.Fd(), ofdGetLock, &lock); !errors.Is(err, unix.EINTR) {
			return lock.Type != unix.F_UNLCK, err
		}
	}
}

//go:build unix && !linux && !darwin

package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks the whole lock file, for these systems have no locks of byte
// ranges that belong to a descriptor: connections wait for each other.
func tryLock(f *os.File, _ int64) (bool, error) {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}

func unlockRange(f *os.File, _ int64) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

//go:build !linux && !darwin

package sqlite

import "os"

// locked reports whether somebody else's descriptor has the lock. These systems
// can only be asked by trying.
func locked(f *os.File, offset int64) (bool, error) {
	free, err := tryLock(f, offset)
	if free {
		err = unlockRange(f, offset)
	}
	return !free, err
}

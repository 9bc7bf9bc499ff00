package sandbox

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits for the lock of a file among processes. Locks on Windows are
// mandatory, so the byte that is locked lies far behind any data.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, farAway())
}

func unlockFile(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, farAway())
}

func farAway() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

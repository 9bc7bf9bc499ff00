package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// harden keeps secrets out of core files and away from debuggers of the same
// user, in release builds: a developer wants both. It promises nothing against
// programs that run as the same user.
func harden() {
	if commit == "" {
		return
	}
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

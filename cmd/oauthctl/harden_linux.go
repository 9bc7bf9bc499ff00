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
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &l) == nil {
		l.Cur = 0 // the hard limit stays: a program that exec becomes may want its core files
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &l)
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

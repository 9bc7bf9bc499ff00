//go:build unix && !linux

package main

import "syscall"

// harden keeps secrets out of core files, in release builds: see harden_linux.go.
func harden() {
	if commit == "" {
		return
	}
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &l) == nil {
		l.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &l)
	}
}

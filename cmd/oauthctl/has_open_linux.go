package main

import (
	"os"
	"path/filepath"
	"strconv"
)

// hasOpen reports whether a process has a file open, so that no other process
// that has got the number since is taken for it.
func hasOpen(pid int, name string) bool {
	links, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	if err != nil {
		return false
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == name {
			return true
		}
	}
	return false
}

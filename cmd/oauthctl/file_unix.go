//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// openCarefully: no link is followed, and a pipe that has come in the place of a file does not
// keep the program waiting.
const openCarefully = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// ownFile: the file belongs to who runs this.
func ownFile(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

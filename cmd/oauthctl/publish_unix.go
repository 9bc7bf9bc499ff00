//go:build unix

package main

import "io/fs"

// writableByOthers: not only the owner can write the file.
func writableByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

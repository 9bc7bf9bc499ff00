//go:build !unix

package main

import "io/fs"

// writableByOthers cannot be told from the mode here: the directory of the user's
// settings is nobody else's.
func writableByOthers(fs.FileInfo) bool { return false }

//go:build !unix

package main

import "io/fs"

const openCarefully = 0

// ownFile cannot be told from the file here: the directories are the user's own.
func ownFile(fs.FileInfo) bool { return true }

//go:build !unix

package main

// harden does nothing here: see harden_linux.go.
func harden() {}

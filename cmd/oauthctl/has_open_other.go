//go:build !linux

package main

// hasOpen cannot be told here: the lock is held, and who holds it wrote its number last.
func hasOpen(int, string) bool { return true }

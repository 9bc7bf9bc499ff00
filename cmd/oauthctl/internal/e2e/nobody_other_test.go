//go:build !unix

package e2e

import "os/exec"

func asNobody(*exec.Cmd) {}

func giveAway(string) error { return nil }

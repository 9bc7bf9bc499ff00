//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"syscall"
)

const nobody = 65534

// asNobody takes root's powers away, if there are any: to root no directory is read-only.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

func giveAway(dir string) error {
	if os.Getuid() == 0 {
		return os.Chown(dir, nobody, nobody)
	}
	return nil
}

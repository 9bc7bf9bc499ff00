//go:build linux || darwin

package agent

import (
	"errors"
	"net"
)

// peerUID is the user of the process at the other end, as the system knows it.
func peerUID(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid = -1
	ctl := raw.Control(func(fd uintptr) { uid, err = socketUID(int(fd)) })
	return uid, errors.Join(ctl, err)
}

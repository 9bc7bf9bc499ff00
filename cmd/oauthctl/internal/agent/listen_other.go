//go:build !linux && !darwin

package agent

import (
	"context"
	"errors"
	"io/fs"
	"net"
)

// Available says that there is no agent on this system, which cannot tell whose
// process is at the other end of a socket.
const Available = false

// ErrLive means that another agent answers at the socket.
var ErrLive = errors.New("an agent answers there already")

// OpenError means that others could reach the socket.
type OpenError struct {
	Path string
	Mode fs.FileMode
}

// Error implements error.
func (e *OpenError) Error() string { return e.Path + " is open to others" }

// Listen fails.
func Listen(context.Context, string) (net.Listener, error) { return nil, errors.ErrUnsupported }

// Passed finds none.
func Passed(func(string) string) (net.Listener, string, error) { return nil, "", nil }

// FileOf fails.
func FileOf(string) (*File, error) { return nil, errors.ErrUnsupported }

func checkPrivate(string, int) error { return errors.ErrUnsupported }

func peerUID(*net.UnixConn) (int, error) { return -1, errors.ErrUnsupported }

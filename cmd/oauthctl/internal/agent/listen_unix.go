//go:build linux || darwin

package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Available says that there is an agent on this system.
const Available = true

// ErrLive means that another agent answers at the socket.
var ErrLive = errors.New("an agent answers there already")

// maxPath is how long the path of a socket may be where it may be shortest.
const maxPath = 103

// Listen makes the socket, 0600 in a directory that is the user's alone. A
// socket that an agent left behind is replaced; one that is answered at is
// left alone (ErrLive), and so is whatever else is there. Closing the listener
// removes the socket. The lock file beside it stays: to remove one is a race.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path %s is longer than a socket may have: %d bytes", path, maxPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := privateDir(dir, os.Geteuid()); err != nil {
		return nil, err
	}
	lock, err := lockBeside(path)
	if err != nil {
		return nil, err
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close(), lock.Close())
	}
	return &locked{l, lock}, nil
}

// locked is a listener whose socket nobody else may replace.
type locked struct {
	net.Listener
	lock *os.File
}

// Close implements [net.Listener].
func (l *locked) Close() error { return errors.Join(l.Listener.Close(), l.lock.Close()) }

func lockBeside(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = ErrLive
	}
	return nil, errors.Join(err, f.Close())
}

// removeStale removes a socket that nobody listens at; the lock is held.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there, and it is not a socket", path)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case err == nil: // of an agent that something else has started, such as systemd
		return errors.Join(ErrLive, conn.Close())
	case !errors.Is(err, unix.ECONNREFUSED):
		return err
	}
	return os.Remove(path)
}

// checkPrivate: a socket, no link, of this user, which nobody else can use or exchange.
func checkPrivate(path string, uid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is not a socket", path)
	}
	if err := ownAlone(path, info, uid); err != nil {
		return err
	}
	return privateDir(filepath.Dir(path), uid)
}

func privateDir(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return ownAlone(dir, info, uid)
}

func ownAlone(path string, info fs.FileInfo, uid int) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(st.Uid) != uid:
		return fmt.Errorf("%s does not belong to the user %d", path, uid)
	case info.Mode().Perm()&0o077 != 0:
		return &OpenError{Path: path, Mode: info.Mode().Perm()}
	}
	return nil
}

// OpenError means that others could reach the socket.
type OpenError struct {
	Path string
	Mode fs.FileMode
}

// Error says how far it is open.
func (e *OpenError) Error() string {
	return fmt.Sprintf("%s is open to others (mode %04o)", e.Path, e.Mode)
}

// firstPassed is the first descriptor that a service manager passes (sd_listen_fds(3)).
const firstPassed = 3

// Passed returns the socket that a service manager has made and passed to this
// process, with its path; nil: it has passed none. It takes the variables of
// the protocol, and a socket that others could reach is refused.
func Passed(env func(string) string) (l net.Listener, path string, err error) {
	if pid, err := strconv.Atoi(env("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return nil, "", nil
	}
	if n := env("LISTEN_FDS"); n != "1" {
		return nil, "", fmt.Errorf("LISTEN_FDS=%q: one socket is wanted", n)
	}
	unix.CloseOnExec(firstPassed)
	f := os.NewFile(firstPassed, "LISTEN_FDS")
	defer f.Close()
	l, err = net.FileListener(f)
	if err != nil {
		return nil, "", fmt.Errorf("the socket that was passed: %w", err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		return nil, "", errors.Join(errors.New("the socket that was passed is not a Unix stream socket"), l.Close())
	}
	path = u.Addr().String()
	if err := checkPrivate(path, os.Geteuid()); err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return u, path, nil
}

// FileOf is which file a path leads to.
func FileOf(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, errors.New("the system does not say which file it is")
	}
	return &File{Device: uint64(st.Dev), Inode: st.Ino}, nil
}

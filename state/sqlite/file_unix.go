//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var errLink = errors.New("a symbolic link")

// openNoFollow opens a file that must not be a symbolic link, without waiting
// if it is a pipe.
func openNoFollow(path string, flag int, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, mode) // the user names the file
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) {
		return nil, errLink
	}
	return f, err
}

// checkOwner: root may write everybody's state; everybody else only their own.
func checkOwner(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && me != 0 && int(st.Uid) != me {
		return fmt.Errorf("belongs to user %d and you are %d: run as its owner", st.Uid, me)
	}
	return nil
}

// ownLike gives a side file that root makes to the owner of the state.
func ownLike(chown func(uid, gid int) error, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
		return chown(int(st.Uid), int(st.Gid))
	}
	return nil
}

// tighten takes the file away from group and others, if it is ours.
func tighten(f *os.File, info fs.FileInfo) {
	if info.Mode().Perm()&0o077 != 0 && checkOwner(info) == nil {
		_ = f.Chmod(0o600)
	}
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) // the directory of the state
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil // file systems that cannot sync directories
	}
	return errors.Join(err, d.Close())
}

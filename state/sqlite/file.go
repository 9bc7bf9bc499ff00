package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oauthctl/oauthctl/state"
)

// checkFile looks at the state file before SQLite does: that it is a regular
// file and not a link, ours, a state, of a version that is known, and readable
// for its owner only (wider modes are tightened; on a read-only file system
// they stay, for what can be read is sealed).
func checkFile(path string, write bool) (fs.FileInfo, error) {
	f, err := openNoFollow(path, os.O_RDONLY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, state.WithAdvice(fmt.Errorf("%s: %w", path, state.ErrNoState), "run oauthctl apply, or name the file with -state")
	case errors.Is(err, errLink):
		return nil, state.WithAdvice(fmt.Errorf("%w: %s is a symbolic link", state.ErrPlace, path), "name the file that it points to with -state")
	case errors.Is(err, fs.ErrPermission):
		return nil, state.WithAdvice(fmt.Errorf("%w: %w", state.ErrPlace, err), "run this as the user it belongs to, or name another file with -state")
	case err != nil:
		return nil, fmt.Errorf("%w: %w", state.ErrPlace, err)
	}
	defer f.Close() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrPlace, err)
	}
	if !info.Mode().IsRegular() {
		return nil, state.WithAdvice(fmt.Errorf("%w: %s is not a regular file", state.ErrPlace, path), "name the file of the state with -state")
	}
	if err := checkStart(f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if write {
		if err := checkOwner(info); err != nil {
			return nil, fmt.Errorf("%w: %s %w", state.ErrUnwritable, path, err)
		}
	}
	tighten(f, info)
	return info, nil
}

// checkStart reads what SQLite keeps in its first 100 bytes, which stay the
// same from the creation of a state on (https://sqlite.org/fileformat.html §1.3).
func checkStart(f io.ReaderAt, size int64) error {
	var b [100]byte
	if size == 0 {
		return state.WithAdvice(fmt.Errorf("%w: the file is empty", state.ErrTampered), "bring back a copy, or remove it to begin anew")
	}
	if _, err := f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", state.ErrPlace, err)
	}
	id, version := binary.BigEndian.Uint32(b[68:]), binary.BigEndian.Uint32(b[60:])
	switch {
	case string(b[:16]) != "SQLite format 3\x00":
		return state.WithAdvice(fmt.Errorf("%w: it is not a state file", state.ErrTampered), "bring back a copy, or name another file with -state")
	case id != applicationID:
		return state.WithAdvice(fmt.Errorf("%w: %s", state.ErrTampered, foreign(id)), "name another file with -state")
	case version > userVersion:
		return fmt.Errorf("%w: layout %d, this program knows %d: upgrade oauthctl", state.ErrFormat, version, userVersion)
	case version < 1:
		return fmt.Errorf("%w: layout %d does not exist", state.ErrTampered, version)
	case b[18] != 1 || b[19] != 1:
		return state.WithAdvice(fmt.Errorf("%w: another program switched it to write-ahead mode", state.ErrTampered), "run: sqlite3 FILE 'PRAGMA journal_mode=DELETE'")
	}
	return nil
}

// makeDir checks the directory of a new state.
func (d *DB) makeDir() error {
	dir := filepath.Dir(d.path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.o.MakeDir:
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: the directory %s does not exist: make it with mkdir, or name another file with -state", state.ErrUnwritable, dir)
	case err != nil:
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is not a directory", state.ErrUnwritable, dir)
	}
	return nil
}

// probeSize is more than one commit of a usual batch needs.
const probeSize = 256 << 10

// probeSpace writes and removes a file beside the state. The caller holds the
// write lock, so a file of that name belongs to a dead process.
func (d *DB) probeSpace() (err error) {
	name := d.path + ".probe"
	_ = os.Remove(name)
	f, err := openNoFollow(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	_, err = f.Write(make([]byte, probeSize))
	if err = errors.Join(err, f.Close(), os.Remove(name)); err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	return nil
}

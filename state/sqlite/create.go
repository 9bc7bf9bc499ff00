package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/oauthctl/oauthctl/state"
)

// create makes the file with its first header and rows: complete under another name, and
// then linked into place, so that nobody ever sees half a state and nothing
// that is there is replaced.
func (d *DB) create(ctx context.Context, b state.Batch) error {
	if err := d.makeDir(); err != nil {
		return err
	}
	_, unlock, err := d.lockRange(ctx, createOffset, nil)
	if err != nil {
		return fmt.Errorf("create %s: %w", d.path, err)
	}
	defer unlock()
	if _, err := os.Lstat(d.path); err == nil {
		return fmt.Errorf("create %s: %w: there is a file already", d.path, state.ErrConflict)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	journal := d.path + "-journal"
	if _, err := os.Lstat(journal); err == nil {
		return fmt.Errorf("%w: %s belongs to a state that is not there any more and would damage the new one: bring that state back, or remove the file", state.ErrUnwritable, journal)
	}
	fresh := d.path + ".new" // under the lock, one left behind is nobody's
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	err = d.build(ctx, fresh, b)
	if err == nil {
		err = placeNew(fresh, d.path)
	}
	_ = os.Remove(fresh)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("create %s: %w: there is a file already", d.path, state.ErrConflict)
	case err != nil:
		return d.explain(ctx, "create", err)
	}
	if err := syncDir(filepath.Dir(d.path)); err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnwritable, err)
	}
	return nil
}

// build writes a complete state to a new file and syncs it.
func (d *DB) build(ctx context.Context, path string, b state.Batch) error {
	f, err := openNoFollow(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = f.Chmod(0o600); err != nil { // whatever the umask is
		return errors.Join(err, f.Close())
	}
	defer func() { _ = f.Close() }()
	c, err := openConn(ctx, path, sqlite3.OPEN_READWRITE, d.o.BusyTimeout)
	if err != nil {
		return err
	}
	err = c.do(ctx, func(c *conn) error {
		// No journal: until it is linked into place the file does not matter.
		pragmas := fmt.Sprintf("PRAGMA page_size=%d; PRAGMA journal_mode=OFF; PRAGMA application_id=%d; PRAGMA user_version=%d; BEGIN IMMEDIATE;", pageSize, applicationID, userVersion)
		if err := c.Exec(pragmas + schema); err != nil {
			return err
		}
		if err := c.putHeader(*b.Header); err != nil {
			return err
		}
		if err := c.changes(b); err != nil {
			return err
		}
		return c.Exec("COMMIT")
	})
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	return f.Sync()
}

// placeNew gives a finished file its name, if nothing has that name. Where
// there are no hard links, the creation lock alone has to do.
func placeNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, serr := os.Lstat(to); !errors.Is(serr, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, serr)
	}
	return os.Rename(from, to)
}

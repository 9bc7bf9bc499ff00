// Package sqlite keeps a state in one SQLite file: the embedded default.
//
// The file is in rollback-journal mode, so that at rest there is exactly one
// file and any program that copies files can copy a state. Every write is one
// transaction with synchronous=EXTRA: journal, file and directory have reached
// the disk when it returns. Locks of single connections are byte ranges of
// FILE.lock, which the kernel releases when their holder dies.
//
// The package does not know keys, what the sealed bytes mean, or which records
// exist for what reason.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Options of a DB.
type Options struct {
	// MakeDir makes the directory of the file (0700) if it is missing. Without
	// it, a missing directory is an error: a typo should not make directories.
	MakeDir bool
	// BusyTimeout is how long an operation waits for other processes that use
	// the file; 0: 30 s.
	BusyTimeout time.Duration
	// Warn hears once, before the first write, why the place is not the best. May be nil.
	Warn func(string)
}

// DB is a state file. It implements [state.Backend].
type DB struct {
	path    string
	o       Options
	writing chan *conn // of size 1: whoever has its token may write; nil: not open yet

	// turns is touched when a lock is taken and released, so that goroutines
	// see in memory what others did under the same lock, as with a mutex.
	turns atomic.Uint64

	lookAt   func(dir string, info fs.FileInfo) place
	looked   sync.Once
	distrust error // why nothing is to be written here

	mu     sync.Mutex
	idle   []*conn                // read-only connections
	held   map[addr.Addr]*os.File // that carry the locks of connections
	closed bool
}

// writePragmas: a commit has reached the disk with its directory, and what is
// deleted or replaced is overwritten.
const writePragmas = "PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON"

// maxIdle bounds the read connections kept open.
const maxIdle = 4

var errClosed = errors.New("the state is closed")

// Open prepares the state file at path. It does not have to exist, and is not
// touched before it is used. Symbolic links among its directories are resolved
// now; the file itself must not be one.
func Open(path string, o Options) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", path, err)
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 30 * time.Second
	}
	registerVFS()
	d := &DB{path: abs, o: o, writing: make(chan *conn, 1), lookAt: lookAt}
	d.writing <- nil
	return d, nil
}

// Location implements [state.Backend]: the absolute path.
func (d *DB) Location() string { return d.path }

// Close implements [state.Backend]. It waits for a write under way.
func (d *DB) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	idle := d.idle
	d.idle = nil
	d.mu.Unlock()
	var errs []error
	for _, c := range idle {
		errs = append(errs, c.Close())
	}
	if w := <-d.writing; w != nil {
		errs = append(errs, w.Close())
	}
	close(d.writing)
	return errors.Join(errs...)
}

// Header implements [state.Backend].
func (d *DB) Header(ctx context.Context) (h state.Header, err error) {
	err = d.read(ctx, func(c *conn) error {
		h, err = c.header()
		return err
	})
	return h, err
}

// Get implements [state.Backend].
func (d *DB) Get(ctx context.Context, a addr.Addr, parts state.Part) (r state.Row, err error) {
	err = d.read(ctx, func(c *conn) error {
		r, err = c.get(a, parts)
		return err
	})
	return r, err
}

// List implements [state.Backend]. f must not write: the rows are read in one transaction.
func (d *DB) List(ctx context.Context, parts state.Part, f func(state.Row) error) error {
	return d.read(ctx, func(c *conn) error { return c.list(parts, f) })
}

// Past implements [state.Backend]. f must not write, as in List.
func (d *DB) Past(ctx context.Context, a addr.Addr, parts state.Part, f func(state.Row) error) error {
	return d.read(ctx, func(c *conn) error { return c.past(a, parts, f) })
}

// Write implements [state.Backend]. A batch with the first header makes the file.
func (d *DB) Write(ctx context.Context, b state.Batch) error {
	if b.Header != nil && b.Header.Version == 1 {
		return d.create(ctx, b)
	}
	return d.write(ctx, func(c *conn) error {
		if err := c.apply(b); err != nil {
			return err
		}
		return c.Exec("COMMIT")
	})
}

// Probe implements [state.Backend]: it begins a transaction, makes the journal by changing
// a row, writes a file of probeSize beside it, and takes all back.
func (d *DB) Probe(ctx context.Context) error {
	return d.write(ctx, func(c *conn) error {
		if _, err := c.header(); err != nil {
			return err
		}
		if err := c.Exec("UPDATE header SET version = version"); err != nil {
			return err
		}
		return d.probeSpace()
	})
}

// read runs f on a read-only connection of its own.
func (d *DB) read(ctx context.Context, f func(*conn) error) error {
	c, err := d.reader(ctx)
	if err != nil {
		return err
	}
	err = c.do(ctx, f)
	if errors.Is(err, sqlite3.READONLY_ROLLBACK) || errors.Is(err, sqlite3.READONLY_RECOVERY) {
		// A writer died in the middle; whoever may write takes its half-done change back.
		_ = c.Close()
		return d.write(ctx, f)
	}
	d.release(c, err)
	return d.explain(ctx, "read", err)
}

// reader gives an idle connection or a new one.
func (d *DB) reader(ctx context.Context) (*conn, error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, errClosed
	}
	if n := len(d.idle); n > 0 {
		c := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.mu.Unlock()
		return c, nil
	}
	d.mu.Unlock()
	if _, err := checkFile(d.path, false); err != nil {
		return nil, err
	}
	c, err := openConn(ctx, d.path, sqlite3.OPEN_READONLY, d.o.BusyTimeout)
	return c, d.explain(ctx, "read", err)
}

// release keeps a connection for the next reader, unless it may be broken.
func (d *DB) release(c *conn, err error) {
	d.mu.Lock()
	keep := !d.closed && len(d.idle) < maxIdle && (err == nil || errors.Is(err, state.ErrNotFound))
	if keep {
		d.idle = append(d.idle, c)
	}
	d.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// write runs f in a transaction on the one writing connection. f commits; what
// it has not committed is rolled back.
func (d *DB) write(ctx context.Context, f func(*conn) error) (err error) {
	var c *conn
	select {
	case w, open := <-d.writing:
		if !open {
			return errClosed
		}
		c = w
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if c != nil && c.broken {
			_ = c.Close()
			c = nil
		}
		d.writing <- c
	}()
	if c == nil {
		if _, err := checkFile(d.path, true); err != nil {
			return err
		}
		if err := d.trust(); err != nil {
			return err
		}
		if c, err = openConn(ctx, d.path, sqlite3.OPEN_READWRITE, d.o.BusyTimeout); err == nil {
			err = c.do(ctx, func(c *conn) error { return c.Exec(writePragmas) })
		}
		if err != nil {
			return d.explain(ctx, "write", err)
		}
	}
	err = c.do(ctx, func(c *conn) error {
		if err := c.Exec("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		return f(c)
	})
	c.rollback()
	return d.explain(ctx, "write", err)
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

const (
	applicationID = 0x6F616374 // "oact"
	userVersion   = 2          // 1 kept no earlier generations
	pageSize      = 8192       // a usual record fits: with half of it, each would take a page more for its end
	maxLength     = 64 << 20   // of a value and of a row, so that a damaged length cannot take all memory
)

// schema is specified in docs/state-format.md.
const schema = `
CREATE TABLE header (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  bytes   BLOB NOT NULL
) STRICT;
CREATE TABLE record (
  address            TEXT PRIMARY KEY NOT NULL,
  generation         INTEGER NOT NULL,
  provider           TEXT NOT NULL,
  status             TEXT NOT NULL,
  expires_at         INTEGER,
  refresh_expires_at INTEGER,
  updated_at         INTEGER,
  info               BLOB NOT NULL,
  tokens             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
` + pastSchema

// conn is one SQLite connection with its statements. It belongs to one goroutine at a time.
type conn struct {
	*sqlite3.Conn
	stmts  map[string]*sqlite3.Stmt
	broken bool // not to be used again
	keeps  bool // the file has a table for earlier generations
}

func openConn(ctx context.Context, path string, flags sqlite3.OpenFlag, busy time.Duration) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u := url.URL{Path: filepath.ToSlash(path)}
	db, err := sqlite3.OpenFlags("file:"+u.EscapedPath()+"?vfs="+vfsName, flags|sqlite3.OPEN_URI)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: db, stmts: map[string]*sqlite3.Stmt{}}
	// The schema in the file is not trusted: nothing in it may run.
	for option, on := range map[sqlite3.DBConfig]bool{
		sqlite3.DBCONFIG_DEFENSIVE: true, sqlite3.DBCONFIG_TRUSTED_SCHEMA: false,
		sqlite3.DBCONFIG_ENABLE_TRIGGER: false, sqlite3.DBCONFIG_ENABLE_VIEW: false,
	} {
		if _, err := db.Config(option, on); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	db.Limit(sqlite3.LIMIT_LENGTH, maxLength)
	if err := db.BusyTimeout(busy); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// do runs f with ctx as the interrupt. A panic of the database engine on a
// damaged file becomes an error.
func (c *conn) do(ctx context.Context, f func(*conn) error) (err error) {
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	defer func() {
		if r := recover(); r != nil {
			c.broken = true
			err = fmt.Errorf("%w: the database engine gave up: %v", state.ErrTampered, r)
		}
	}()
	return f(c)
}

// rollback takes back what is not committed.
func (c *conn) rollback() {
	if c.broken {
		return
	}
	for _, s := range c.stmts {
		_ = s.Reset()
	}
	if !c.GetAutocommit() {
		if err := c.Exec("ROLLBACK"); err != nil {
			c.broken = true
		}
	}
}

func (c *conn) stmt(sql string) (*sqlite3.Stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	s, _, err := c.Prepare(sql)
	if err == nil {
		c.stmts[sql] = s
	}
	return s, err
}

func (c *conn) header() (state.Header, error) {
	s, err := c.stmt("SELECT version, epoch, bytes FROM header WHERE id = 1")
	if err != nil {
		return state.Header{}, err
	}
	if !s.Step() {
		return state.Header{}, errors.Join(fmt.Errorf("%w: its header is missing", state.ErrTampered), s.Reset())
	}
	version, epoch := s.ColumnInt64(0), s.ColumnInt64(1)
	h := state.Header{Version: uint64(version), Epoch: uint64(epoch), Bytes: s.ColumnBlob(2, nil)} // checked below
	if err := s.Reset(); err != nil {
		return state.Header{}, err
	}
	if version < 1 || epoch < 1 {
		return state.Header{}, fmt.Errorf("%w: the numbers of its header", state.ErrTampered)
	}
	return h, nil
}

const rowColumns = "generation, provider, status, expires_at, refresh_expires_at, updated_at, info, tokens, address"

const clearColumns = "SELECT address, generation, provider, status, expires_at, refresh_expires_at, updated_at"

// selectRows is the query for the parts, which are columns 7 and 8.
func selectRows(parts state.Part, table string) string {
	q := clearColumns
	for part, column := range []string{"info", "tokens"} {
		if parts&(1<<part) != 0 {
			q += ", " + column
		} else {
			q += ", NULL"
		}
	}
	return q + " FROM " + table
}

func (c *conn) get(a addr.Addr, parts state.Part) (state.Row, error) {
	s, err := c.stmt(selectRows(parts, "record") + " WHERE address = ?")
	if err != nil {
		return state.Row{}, err
	}
	if err := s.BindText(1, a.String()); err != nil {
		return state.Row{}, err
	}
	if !s.Step() {
		if err := s.Reset(); err != nil {
			return state.Row{}, err
		}
		return state.Row{}, state.ErrNotFound
	}
	row, err := scan(s)
	return row, errors.Join(err, s.Reset())
}

func (c *conn) list(parts state.Part, f func(state.Row) error) error {
	s, err := c.stmt(selectRows(parts, "record") + " ORDER BY address")
	if err != nil {
		return err
	}
	return each(s, f)
}

// each calls f for every row of a query.
func each(s *sqlite3.Stmt, f func(state.Row) error) error {
	for s.Step() {
		row, err := scan(s)
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return errors.Join(err, s.Reset())
		}
	}
	return s.Reset()
}

// scan reads the row that s stands on.
func scan(s *sqlite3.Stmt) (state.Row, error) {
	var r state.Row
	var err error
	text := s.ColumnText(0)
	if r.Addr, err = addr.ParseKept(text); err != nil || r.Addr.String() != text {
		return r, fmt.Errorf("%w: an address in it is not one", state.ErrTampered)
	}
	generation := s.ColumnInt64(1)
	if generation < 1 {
		return r, fmt.Errorf("%w: the generation of %s", state.ErrTampered, r.Addr)
	}
	r.Generation = uint64(generation)
	r.Provider = s.ColumnText(2)
	r.Status = state.Status(s.ColumnText(3))
	r.ExpiresAt = columnTime(s, 4)
	r.RefreshExpiresAt = columnTime(s, 5)
	r.UpdatedAt = columnTime(s, 6)
	r.Info = s.ColumnBlob(7, nil)
	r.Tokens = s.ColumnBlob(8, nil)
	return r, s.Err()
}

func columnTime(s *sqlite3.Stmt, i int) time.Time {
	n := s.ColumnInt64(i)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func bindTime(s *sqlite3.Stmt, i int, t time.Time) error {
	if t.IsZero() {
		return s.BindNull(i)
	}
	return s.BindInt64(i, t.Unix())
}

// apply carries out a batch in the open transaction.
func (c *conn) apply(b state.Batch) error {
	h, err := c.header()
	if err != nil {
		return err
	}
	switch {
	case b.Header != nil && b.Header.Version != h.Version+1:
		return fmt.Errorf("write the header: %w", state.ErrConflict)
	case b.Header == nil && b.Epoch != h.Epoch:
		return state.ErrRekeyed
	}
	if b.Complete {
		if err := c.complete(b); err != nil {
			return err
		}
	}
	if b.Header != nil {
		if err := c.putHeader(*b.Header); err != nil {
			return err
		}
	}
	if err := c.upgrade(); err != nil {
		return err
	}
	return c.changes(b)
}

// changes writes rows, and tells all whose generations do not fit.
func (c *conn) changes(b state.Batch) error {
	conflict := &state.ConflictError{}
	for i, change := range b.Changes {
		if b.Past == nil {
			if err := c.keep(change); err != nil {
				return err
			}
		}
		fits, err := c.change(change)
		if err != nil {
			return err
		}
		if !fits {
			conflict.Changes = append(conflict.Changes, i)
			conflict.Addrs = append(conflict.Addrs, change.Row.Addr)
		}
	}
	if len(conflict.Changes) > 0 {
		return conflict
	}
	if b.Past != nil {
		return c.replacePast(b.Past)
	}
	return nil
}

// complete checks that a batch has a change for every row.
func (c *conn) complete(b state.Batch) error {
	names := make(map[string]bool, len(b.Changes))
	for _, change := range b.Changes {
		names[change.Row.Addr.String()] = true
	}
	s, err := c.stmt("SELECT address FROM record")
	if err != nil {
		return err
	}
	for s.Step() {
		if !names[s.ColumnText(0)] {
			return errors.Join(fmt.Errorf("%w: a record is new", state.ErrConflict), s.Reset())
		}
	}
	return s.Reset()
}

func (c *conn) putHeader(h state.Header) error {
	s, err := c.stmt("INSERT OR REPLACE INTO header (id, version, epoch, bytes) VALUES (1, ?, ?, ?)")
	if err != nil {
		return err
	}
	version, verr := integer(h.Version)
	epoch, eerr := integer(h.Epoch)
	err = errors.Join(verr, eerr, s.BindInt64(1, version), s.BindInt64(2, epoch), s.BindBlob(3, h.Bytes))
	if err != nil {
		return err
	}
	return s.Exec()
}

// change writes one row; false if its generation does not fit.
func (c *conn) change(ch state.Change) (bool, error) {
	was, err := integer(ch.Was)
	if err != nil {
		return false, err
	}
	if ch.Delete && ch.Was == 0 {
		s, err := c.stmt("SELECT 1 FROM record WHERE address = ?")
		if err != nil {
			return false, err
		}
		if err := s.BindText(1, ch.Row.Addr.String()); err != nil {
			return false, err
		}
		there := s.Step()
		return !there, s.Reset()
	}
	if ch.Delete {
		s, err := c.stmt("DELETE FROM record WHERE address = ? AND generation = ?")
		if err != nil {
			return false, err
		}
		if err := errors.Join(s.BindText(1, ch.Row.Addr.String()), s.BindInt64(2, was), s.Exec()); err != nil {
			return false, err
		}
		return c.Changes() == 1, nil
	}
	q := "INSERT INTO record (" + rowColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	if ch.Was != 0 {
		q = "UPDATE record SET generation = ?, provider = ?, status = ?, expires_at = ?, refresh_expires_at = ?, updated_at = ?, info = ?, tokens = ? WHERE address = ? AND generation = ?"
	}
	s, err := c.stmt(q)
	if err != nil {
		return false, err
	}
	if err := bindRow(s, ch.Row); err != nil {
		return false, err
	}
	if ch.Was != 0 {
		if err := s.BindInt64(10, was); err != nil {
			return false, err
		}
	}
	if err := s.Exec(); err != nil {
		return false, err
	}
	return c.Changes() == 1, nil
}

func bindRow(s *sqlite3.Stmt, r state.Row) error {
	generation, err := integer(r.Generation)
	return errors.Join(err,
		s.BindInt64(1, generation), // the order of rowColumns
		s.BindText(2, r.Provider),
		s.BindText(3, string(r.Status)),
		bindTime(s, 4, r.ExpiresAt),
		bindTime(s, 5, r.RefreshExpiresAt),
		bindTime(s, 6, r.UpdatedAt),
		s.BindBlob(7, r.Info),
		s.BindBlob(8, r.Tokens),
		s.BindText(9, r.Addr.String()),
	)
}

// integer is a counter as SQLite can keep it.
func integer(n uint64) (int64, error) {
	if n > math.MaxInt64 {
		return 0, fmt.Errorf("%d is too large for a counter", n)
	}
	return int64(n), nil
}

// foreign is the text about a file that another program made.
func foreign(id uint32) string {
	if id == 0 {
		return "it is a SQLite database of another program"
	}
	return fmt.Sprintf("it is a SQLite database of another program (application id %#x)", id)
}

// printable replaces what could disturb a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

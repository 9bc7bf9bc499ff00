package sqlite

import (
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// pastSchema is what version 2 added; docs/state-format.md specifies it.
const pastSchema = `
CREATE TABLE past (
  seq                INTEGER PRIMARY KEY,
  address            TEXT NOT NULL,
  generation         INTEGER NOT NULL,
  provider           TEXT NOT NULL,
  status             TEXT NOT NULL,
  expires_at         INTEGER,
  refresh_expires_at INTEGER,
  updated_at         INTEGER,
  info               BLOB NOT NULL,
  tokens             BLOB NOT NULL,
  removed            INTEGER NOT NULL,
  UNIQUE (address, generation)
) STRICT;
CREATE INDEX past_removed ON past (seq) WHERE removed = 1;
`

// hasPast: the file is of a version that keeps earlier generations.
func (c *conn) hasPast() (bool, error) {
	if c.keeps {
		return true, nil
	}
	s, err := c.stmt("PRAGMA user_version")
	if err != nil {
		return false, err
	}
	c.keeps = s.Step() && s.ColumnInt64(0) > 1
	return c.keeps, s.Reset()
}

// upgrade brings a file of version 1 to the present one, in the transaction of the
// first write. Older programs then refuse it: they would leave what is kept
// under a data key that somebody who was removed still has.
func (c *conn) upgrade() error {
	keeps, err := c.hasPast()
	if err != nil || keeps {
		return err
	}
	return c.Exec(pastSchema + fmt.Sprintf("PRAGMA user_version=%d", userVersion))
}

// past reads what is kept of one address, or of all.
func (c *conn) past(a addr.Addr, parts state.Part, f func(state.Row) error) error {
	if keeps, err := c.hasPast(); err != nil || !keeps {
		return err
	}
	if a.IsZero() {
		s, err := c.stmt(selectRows(parts, "past") + " ORDER BY seq")
		if err != nil {
			return err
		}
		return each(s, f)
	}
	s, err := c.stmt(selectRows(parts, "past") + " WHERE address = ? ORDER BY seq")
	if err != nil {
		return err
	}
	if err := s.BindText(1, a.String()); err != nil {
		return err
	}
	return each(s, f)
}

const (
	keepRow     = "INSERT OR REPLACE INTO past (" + rowColumns + ", removed) SELECT " + rowColumns + ", ?3 FROM record WHERE address = ?1 AND generation = ?2"
	forgetOlder = "DELETE FROM past WHERE address = ?1 AND seq NOT IN (SELECT seq FROM past WHERE address = ?1 ORDER BY seq DESC LIMIT ?2)"
	forgetFirst = "DELETE FROM past WHERE removed = 1 AND seq NOT IN (SELECT seq FROM past WHERE removed = 1 ORDER BY seq DESC LIMIT ?1)"
	forgetAll   = "DELETE FROM past WHERE address = ?1"
	backAgain   = "UPDATE past SET removed = 0 WHERE address = ?1 AND removed = 1"
)

// keep keeps the row that a change is about to replace. A row that is only
// sealed again has its generation still.
func (c *conn) keep(ch state.Change) error {
	a := ch.Row.Addr.String()
	switch {
	case ch.Past != nil && ch.Delete:
		last := ch.Past[max(0, len(ch.Past)-1):]
		return errors.Join(c.run(forgetAll, a), c.putPast(last, "1"), c.run(forgetFirst, int64(state.KeptRemoved)))
	case ch.Past != nil:
		return errors.Join(c.run(forgetAll, a), c.putPast(ch.Past, "0"))
	case ch.Was == 0:
		return c.run(backAgain, a)
	case !ch.Delete && ch.Row.Generation == ch.Was:
		return nil
	}
	was, err := integer(ch.Was)
	if err != nil {
		return err
	}
	if ch.Delete {
		return errors.Join(
			c.run(keepRow, a, was, int64(1)),
			c.run(forgetOlder, a, int64(1)),
			c.run(forgetFirst, int64(state.KeptRemoved)))
	}
	return errors.Join(
		c.run(keepRow, a, was, int64(0)),
		c.run(forgetOlder, a, int64(state.KeptGenerations)))
}

// run executes a statement with texts and numbers.
func (c *conn) run(sql string, args ...any) error {
	s, err := c.stmt(sql)
	if err != nil {
		return err
	}
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			err = s.BindText(i+1, arg)
		case int64:
			err = s.BindInt64(i+1, arg)
		}
		if err != nil {
			return err
		}
	}
	return s.Exec()
}

// replacePast puts other rows in the place of all that is kept.
func (c *conn) replacePast(rows []state.Row) error {
	if err := c.Exec("DELETE FROM past"); err != nil {
		return err
	}
	return c.putPast(rows, "NOT EXISTS (SELECT 1 FROM record WHERE address = ?9)")
}

// putPast adds rows to those that are kept; removed is an expression.
func (c *conn) putPast(rows []state.Row, removed string) error {
	s, err := c.stmt("INSERT INTO past (" + rowColumns + ", removed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, " + removed + ")")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := errors.Join(bindRow(s, r), s.Exec()); err != nil {
			return err
		}
	}
	return nil
}

package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/oauthctl/oauthctl/state"
)

// damage, unwritable and busy say what SQLite's result codes mean for a state
// (https://sqlite.org/rescode.html).
var (
	damage = []error{
		sqlite3.CORRUPT, sqlite3.NOTADB, sqlite3.FORMAT, sqlite3.SCHEMA, sqlite3.MISMATCH, sqlite3.TOOBIG,
		sqlite3.ERROR, sqlite3.CONSTRAINT, sqlite3.IOERR_SHORT_READ, sqlite3.IOERR_CORRUPTFS,
	}
	unwritable = []error{sqlite3.FULL, sqlite3.READONLY, sqlite3.PERM, sqlite3.CANTOPEN, sqlite3.IOERR, sqlite3.AUTH}
	busy       = []error{sqlite3.BUSY, sqlite3.LOCKED, sqlite3.PROTOCOL}
)

// explain turns an error of SQLite into one of package state, with the place.
func (d *DB) explain(ctx context.Context, doing string, err error) error {
	var code sqlite3.ErrorCode
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.INTERRUPT) && ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &code) || errors.Is(err, state.ErrTampered):
		return err
	case isAny(err, busy):
		return fmt.Errorf("%s %s: %w: other processes have used the file for %s: try again", doing, d.path, errFileBusy, d.o.BusyTimeout)
	case isAny(err, damage):
		return state.WithAdvice(fmt.Errorf("%w: %s: %w", state.ErrTampered, d.path, err), "bring back a copy that you trust")
	case doing == "read":
		return fmt.Errorf("%w: %s: %w", state.ErrPlace, d.path, err)
	case isAny(err, unwritable):
		return fmt.Errorf("%w: %s: %w%s", state.ErrUnwritable, d.path, err, advice(err))
	}
	return fmt.Errorf("%s %s: %w", doing, d.path, err)
}

// advice says what to do about a state that cannot be written.
func advice(err error) string {
	switch {
	case errors.Is(err, sqlite3.FULL):
		return ": make room on the disk"
	case errors.Is(err, sqlite3.READONLY_DBMOVED):
		return ": the file was moved or replaced while it was in use; start again"
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.CANTOPEN), errors.Is(err, sqlite3.PERM):
		return ": the file and its directory have to be writable"
	}
	return ""
}

// errFileBusy is ErrBusy for the whole file.
var errFileBusy = fmt.Errorf("%w (the file, not one connection)", state.ErrBusy)

func isAny(err error, codes []error) bool {
	for _, c := range codes {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

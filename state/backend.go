package state

import (
	"context"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Backend is a place that keeps sealed rows. It sees ciphertext only. Every
// method may be called from many goroutines and many processes at once.
type Backend interface {
	// Header returns the header, or ErrNoState if nothing was ever written.
	Header(ctx context.Context) (Header, error)
	// PutHeader writes the header if its version is still h.Version-1
	// (0: it must not exist), else ErrConflict.
	PutHeader(ctx context.Context, h Header) error
	// Get returns one row, or ErrNotFound. Only the parts asked for are filled.
	Get(ctx context.Context, a addr.Addr, parts Part) (Row, error)
	// List calls f for every row in address order. Parts not asked for are empty.
	List(ctx context.Context, parts Part, f func(Row) error) error
	// Write applies changes, all or none, durably: when it returns nil, a power
	// cut cannot undo them. A change whose generation does not fit makes the
	// whole Write fail with a *ConflictError.
	Write(ctx context.Context, changes []Change) error
	// Probe proves that Write would work now (space, rights, mount), and changes nothing.
	Probe(ctx context.Context) error
	// Lock takes the lock of one connection, waiting until ctx ends; then the
	// error is a *BusyError with what is known of the holder.
	Lock(ctx context.Context, a addr.Addr, who Holder) (Unlock, error)
	// Location is the place, for messages; it holds no credentials.
	Location() string
	Close() error
}

// Unlock releases a lock; calling it twice is harmless.
type Unlock func()

// Header is the clear part of a state that is not about one connection. Its
// Bytes are made by the Store: format, lineage, wrapped data keys, serial.
type Header struct {
	Version uint64 // +1 with every write
	Bytes   []byte
}

// Row is one record as a backend keeps it.
type Row struct {
	Summary
	Info, Tokens []byte // sealed
}

// Change is one step of a Write: a row to put, or an address to delete.
type Change struct {
	Row    Row    // Row.Generation is the new generation
	Was    uint64 // generation that must be there now; 0: the row must not exist
	Delete bool
}

// Holder says who holds a lock.
type Holder struct {
	PID       int
	Host      string
	User      string
	Operation string // "refresh", "apply", …
	Since     string // RFC 3339
}

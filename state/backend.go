package state

import (
	"context"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Backend is a place that keeps sealed rows. It sees ciphertext only. Every
// method may be called from many goroutines and many processes at once.
// Package backendtest has the suite that every Backend must pass.
//
// Damage that a backend notices by itself is ErrTampered, never "not there".
type Backend interface {
	// Header returns the header, or ErrNoState if nothing was ever written.
	Header(ctx context.Context) (Header, error)
	// Get returns one row, or ErrNotFound. Only the parts asked for are filled.
	Get(ctx context.Context, a addr.Addr, parts Part) (Row, error)
	// List calls f for every row as of one moment, in the byte order of
	// Addr.String(). Parts not asked for are empty. An error of f ends it.
	List(ctx context.Context, parts Part, f func(Row) error) error
	// Past calls f for every earlier generation that is kept of one address (of
	// all, if a is zero), as of one moment, in the order in which they were
	// replaced: oldest first. An error of f ends it.
	Past(ctx context.Context, a addr.Addr, parts Part, f func(Row) error) error
	// Write applies a batch, all or none, durably: when it returns nil, a power
	// cut cannot undo it. See Batch for the conditions.
	Write(ctx context.Context, b Batch) error
	// Probe proves that Write would work now (space, rights, mount), and changes nothing.
	Probe(ctx context.Context) error
	// Lock takes the lock of one connection, waiting until ctx ends; then the
	// error is a *BusyError with what is known of the holder. It tries at
	// least once. The lock ends with the process that holds it.
	Lock(ctx context.Context, a addr.Addr, who Holder) (Unlock, error)
	// Lease takes the lease of a consent for one connection, as Lock does its
	// lock. Leases keep out leases, and nothing else.
	Lease(ctx context.Context, a addr.Addr, who Holder) (Unlock, error)
	// Held lists the locks and leases that are held now: those of these
	// addresses, and those of others as far as it is known. It takes none.
	Held(ctx context.Context, addrs []addr.Addr) ([]Held, error)
	// Location is the place, for messages; it holds no credentials.
	Location() string
	Close() error
}

// What a backend keeps of what it replaces: a lost refresh token costs a person
// a consent, and a file that grows without end costs everybody something.
const (
	KeptGenerations = 5   // of a record, besides the present one
	KeptRemoved     = 100 // removed records, of which the last generation is kept
)

// Unlock releases a lock; calling it twice is harmless.
type Unlock func()

// Held is a lock or lease that somebody holds.
type Held struct {
	Addr   addr.Addr
	Lease  bool   // of a consent
	Holder Holder // zero fields are not known
}

// Header is the clear part of a state that is not about one connection. Its
// Bytes are made by the Store: format, lineage, wrapped data keys, serial.
type Header struct {
	Version uint64 // +1 with every write
	Epoch   uint64 // number of the data key that all rows are sealed under
	Bytes   []byte
}

// Batch is what one Write does. Its conditions are checked in the same
// transaction: first those of the header, then those of each change in order.
// A row that gets another generation is kept as an earlier one, and so is the
// last one of a row that is deleted: see KeptGenerations and KeptRemoved.
type Batch struct {
	// Epoch that the rows were sealed under. Without a new Header it has to be
	// the epoch of the header that is there, else ErrRekeyed; ErrNoState if there is none.
	Epoch uint64
	// Header, if not nil, is written with the rows. Its Version-1 has to be the
	// version that is there (0: there must be no state, which this makes), else ErrConflict.
	Header *Header
	// Complete: the changes have to cover every row that is there, else ErrConflict.
	Complete bool
	// Past, if not nil, takes the place of everything that is kept of earlier
	// generations, oldest first; what this batch replaces is not kept. It goes
	// with a header of another data key, which opens nothing that was kept before.
	Past []Row
	// Changes whose generations do not fit give a *ConflictError that names them all.
	Changes []Change
}

// Row is one record as a backend keeps it.
type Row struct {
	Summary
	Info, Tokens []byte // sealed
}

// Change is one step of a Batch: a row to put, or an address to delete.
type Change struct {
	Row    Row    // Row.Generation is the new generation
	Was    uint64 // generation that must be there now; 0: the row must not exist
	Delete bool   // with Was 0: there is nothing to delete
	// Past, if not nil, takes the place of what is kept of the address, oldest
	// first; the row that this change replaces is not kept, whatever its generation.
	// Of a Delete, at most the last of it is kept, as of every removed record.
	Past []Row
}

// Holder says who holds a lock.
type Holder struct {
	PID       int
	Host      string
	User      string
	Operation string // "refresh", "apply", …
	Since     string // RFC 3339
}

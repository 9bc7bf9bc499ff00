package state

import (
	"context"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Options of a Store.
type Options struct {
	// Identities opens the data key. It is called once, when something has to be
	// opened or sealed; status and list work without it.
	Identities func() ([]age.Identity, error)
	// Recipients are the strings that the data key is wrapped for when the state is created.
	Recipients []string
	// PinDir holds what this machine has seen of each lineage, outside the
	// state; "" keeps none.
	PinDir string
	Holder Holder
	Now    func() time.Time
}

// Store is a state: records, sealed in a backend.
type Store struct{}

// Open prepares a store; it touches the backend only as far as it must.
func Open(ctx context.Context, b Backend, o Options) (*Store, error) { panic("contract") }

// Create makes an empty state (lineage, data key, header) if there is none.
func (s *Store) Create(ctx context.Context) error { panic("contract") }

// Get reads and opens one record: ErrNotFound, ErrNoState, ErrNoKey, ErrTampered.
// It takes no lock.
func (s *Store) Get(ctx context.Context, a addr.Addr, parts Part) (*Record, error) {
	panic("contract")
}

// Summaries reads what is in clear of all records, sorted by address. It needs no key.
func (s *Store) Summaries(ctx context.Context) ([]Summary, error) { panic("contract") }

// All reads and opens all records, sorted by address.
func (s *Store) All(ctx context.Context, parts Part) ([]*Record, error) { panic("contract") }

// Put seals and writes a record that has both parts. r.Generation is the
// generation that was read (0: new); on success it is raised by one. Concurrent
// Puts share commits. ErrConflict, ErrUnwritable.
func (s *Store) Put(ctx context.Context, r *Record) error { panic("contract") }

// Delete removes a record if its generation is still the one given.
func (s *Store) Delete(ctx context.Context, a addr.Addr, generation uint64) error {
	panic("contract")
}

// Lock takes the lock of one connection, waiting at most as long as ctx lives: ErrBusy.
func (s *Store) Lock(ctx context.Context, a addr.Addr, operation string) (Unlock, error) {
	panic("contract")
}

// Probe proves that the state can be opened with the key that will seal, and
// written: before a one-time token is spent, or a person is asked.
func (s *Store) Probe(ctx context.Context) error { panic("contract") }

// Identity of the state: lineage and configuration serial.
func (s *Store) Lineage(ctx context.Context) (lineage string, serial uint64, err error) {
	panic("contract")
}

// BumpSerial raises the configuration serial by one; apply calls it once, with its first change.
func (s *Store) BumpSerial(ctx context.Context) (uint64, error) { panic("contract") }

// Digest is a keyed digest (hex) of a secret input, under a key derived from the data
// key: equal inputs give equal digests in one state, and a digest tells nothing.
func (s *Store) Digest(ctx context.Context, label, value string) (string, error) { panic("contract") }

// Rekey wraps the data key for these recipients. If one is removed, the data
// key changes and every record is sealed again.
func (s *Store) Rekey(ctx context.Context, recipients []string) error { panic("contract") }

// Recipients are the strings that the data key is wrapped for now.
func (s *Store) Recipients(ctx context.Context) ([]string, error) { panic("contract") }

// Location is the place of the state, for messages.
func (s *Store) Location() string { panic("contract") }

// Close waits for writes under way and closes the backend.
func (s *Store) Close() error { panic("contract") }

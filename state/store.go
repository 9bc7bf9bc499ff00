package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// Options of a Store.
type Options struct {
	// Identities opens the data key. It is called when something has to be
	// opened or sealed for the first time, and when somebody has changed the
	// data key since; Summaries, Lineage and Recipients work without it.
	Identities func() ([]age.Identity, error)
	// Recipients are the strings that the data key is wrapped for when the state is created.
	Recipients []string
	// PinDir holds what this machine has seen of each lineage, outside the
	// state; "" keeps none. It is made when needed, 0700.
	PinDir string
	// AcceptRollback takes a state that is older than one this machine has seen.
	AcceptRollback bool
	// Lost, if not nil: what is written is gone with this run, and why. A token
	// that can be sent once only is not sent then.
	Lost error
	// Passing: the place is made for this run. Nothing is remembered of it, but of the lineage.
	Passing bool
	// Sandbox: nobody looks closely at what is opened here. What is seen of a lineage is no
	// reason to trust it elsewhere.
	Sandbox bool
	// Holder is who takes locks; Operation and Since are filled by Lock.
	Holder Holder
	Now    func() time.Time
}

// Store is a state: records, sealed in a backend. It may be used by many goroutines.
type Store struct {
	b    Backend
	o    Options
	pins pins

	mu     sync.Mutex // held while the data key is being opened
	opened *opened

	queue  queue
	probes prober
}

// Open prepares a store; it touches the backend only as far as it must.
func Open(_ context.Context, b Backend, o Options) (*Store, error) {
	if b == nil || o.Now == nil {
		return nil, errors.New("open the state: a backend and a clock are needed")
	}
	s := &Store{b: b, o: o, pins: pins{dir: o.PinDir, location: b.Location(), accept: o.AcceptRollback, sandbox: o.Sandbox}}
	if o.Passing {
		s.pins.location = ""
	}
	s.queue.write = b.Write
	s.probes.probe = b.Probe
	return s, nil
}

// Location is the place of the state, for messages.
func (s *Store) Location() string { return s.b.Location() }

// Lost is why what is written is gone with this run; nil: it stays.
func (s *Store) Lost() error { return s.o.Lost }

// Close waits for writes under way and closes the backend.
func (s *Store) Close() error {
	s.queue.close()
	return s.b.Close()
}

// Create makes an empty state (lineage, data key, header) if there is none. A
// state that is there is left as it is, whoever it is wrapped for; when two
// processes create at once, one of them wins and both return nil.
func (s *Store) Create(ctx context.Context) error {
	switch _, err := s.b.Header(ctx); {
	case err == nil:
		return nil
	case !errors.Is(err, ErrNoState):
		return err
	}
	recipients, err := seal.ParseRecipients(s.o.Recipients)
	if err == nil {
		err = s.pins.ready()
	}
	if err != nil {
		return fmt.Errorf("create the state %s: %w", s.Location(), err)
	}
	var lineage [16]byte
	_, _ = rand.Read(lineage[:])
	box, err := seal.NewBox(seal.NewKey(), hex.EncodeToString(lineage[:]))
	if err != nil {
		return fmt.Errorf("create the state %s: %w", s.Location(), err)
	}
	h := seal.NewHeader(box)
	if err := wrapFor(h, box, recipients); err != nil {
		return fmt.Errorf("create the state %s: %w", s.Location(), err)
	}
	err = s.b.Write(ctx, Batch{Header: &Header{Version: 1, Epoch: 1, Bytes: h.Encode(box)}})
	if errors.Is(err, ErrConflict) {
		return nil // somebody was faster
	}
	if err != nil {
		return err
	}
	return s.pins.created(h)
}

// Get reads and opens one record: ErrNotFound, ErrNoState, ErrNoKey, ErrTampered.
// It takes no lock.
func (s *Store) Get(ctx context.Context, a addr.Addr, parts Part) (*Record, error) {
	var known *opened
	for {
		o, err := s.open(ctx, known)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", a, err)
		}
		row, err := s.b.Get(ctx, a, parts)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", a, err)
		}
		r, err := openRow(o.box, row, parts)
		if errors.Is(err, seal.ErrOpen) && known != o {
			known = o // sealed under a newer key, perhaps: look at the header again
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s from %s: %w", a, s.Location(), tampered(err))
		}
		return r, nil
	}
}

// tampered turns what package seal says into the errors of this package.
func tampered(err error) error {
	switch {
	case errors.Is(err, seal.ErrNewer):
		return WithAdvice(fmt.Errorf("%w: %w", ErrFormat, err), "upgrade oauthctl")
	case errors.Is(err, seal.ErrOpen), errors.Is(err, seal.ErrHeader):
		return WithAdvice(fmt.Errorf("%w: %w", ErrTampered, err), "bring back a copy that you trust")
	}
	return err
}

// Summaries reads what is in clear of all connections and sinks, sorted by address. It needs
// no key, and so cannot tell whether somebody has changed it.
func (s *Store) Summaries(ctx context.Context) ([]Summary, error) {
	if _, err := s.b.Header(ctx); err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	var out []Summary
	err := s.b.List(ctx, 0, func(r Row) error {
		if r.Addr != addr.Outputs() {
			out = append(out, r.Summary)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	slices.SortFunc(out, func(a, b Summary) int { return addr.Compare(a.Addr, b.Addr) })
	return out, nil
}

// All reads and opens the records of all connections and sinks, sorted by address.
func (s *Store) All(ctx context.Context, parts Part) ([]*Record, error) {
	var known *opened
	for {
		o, err := s.open(ctx, known)
		if err != nil {
			return nil, fmt.Errorf("read the state: %w", err)
		}
		out, err := s.openAll(ctx, o, parts)
		if errors.Is(err, seal.ErrOpen) && known != o {
			known = o
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the state: %s: %w", s.Location(), tampered(err))
		}
		slices.SortFunc(out, func(a, b *Record) int { return addr.Compare(a.Addr, b.Addr) })
		return out, nil
	}
}

// Put seals and writes a record that has both parts. r.Generation is the
// generation that was read (0: new); on success it is raised by one (a new record
// goes on from what is kept of an earlier one at its address), the clear
// times are cut to whole seconds, and r.Info is a copy that says whether there is
// a refresh token. Concurrent Puts share commits.
// ErrConflict, ErrUnwritable. Once the write has begun, the end of ctx does not stop it.
func (s *Store) Put(ctx context.Context, r *Record) error {
	sum, info, err := s.next(ctx, r)
	if err != nil {
		return err
	}
	return s.put(ctx, r, sum, info, func(box *seal.Box) (Row, error) {
		return sealRow(box, &Record{Summary: sum, Info: info, Tokens: r.Tokens})
	})
}

// put writes the row that a record becomes, and makes the record what was written.
func (s *Store) put(ctx context.Context, r *Record, sum Summary, info *Info, row func(*seal.Box) (Row, error)) error {
	err := s.change(ctx, r.Addr, func(box *seal.Box) (Change, error) {
		row, err := row(box)
		return Change{Row: row, Was: r.Generation}, err
	})
	if err != nil {
		return err
	}
	r.Summary, r.Info = sum, info
	if o, err := s.open(ctx, nil); err == nil {
		s.wrote(o.header.Lineage, sum, info)
	}
	return nil
}

// next is what a record will be when it has been written.
func (s *Store) next(ctx context.Context, r *Record) (Summary, *Info, error) {
	sum, info, err := ready(r)
	switch {
	case err != nil:
	case sum.Generation > 0:
		sum.Generation++
	default:
		sum.Generation, err = s.after(ctx, r.Addr, 0)
	}
	return sum, info, err
}

// ready checks a record, and gives what is written of it.
func ready(r *Record) (Summary, *Info, error) {
	if r.Info == nil || r.Tokens == nil {
		return Summary{}, nil, fmt.Errorf("write %s: both parts are needed", r.Addr)
	}
	if err := checkAddr(r.Addr); err != nil {
		return Summary{}, nil, err
	}
	info := *r.Info
	info.HasRefresh = !r.Tokens.RefreshToken.Empty()
	return r.normal(), &info, nil
}

// Delete removes a record if its generation is still the one given.
func (s *Store) Delete(ctx context.Context, a addr.Addr, generation uint64) error {
	return s.change(ctx, a, func(*seal.Box) (Change, error) {
		return Change{Row: Row{Summary: Summary{Addr: a}}, Was: generation, Delete: true}, nil
	})
}

// change makes a change under the present data key, again if the key is not the
// present one any more when the change is written.
func (s *Store) change(ctx context.Context, a addr.Addr, build func(*seal.Box) (Change, error)) error {
	var known *opened
	for {
		o, err := s.open(ctx, known)
		if err != nil {
			return fmt.Errorf("write %s: %w", a, err)
		}
		c, err := build(o.box)
		if err != nil {
			return fmt.Errorf("write %s: %w", a, err)
		}
		err = s.queue.put(ctx, o.header.Epoch, c)
		if errors.Is(err, ErrRekeyed) && known != o {
			known = o
			continue
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", a, err)
		}
		return nil
	}
}

// Lock takes the lock of one connection, waiting at most as long as ctx lives: ErrBusy.
func (s *Store) Lock(ctx context.Context, a addr.Addr, operation string) (Unlock, error) {
	return s.b.Lock(ctx, a, s.holder(operation))
}

// Lease takes the lease of a consent: whoever else wants to ask a person about
// the same connection is told who is at it (ErrBusy). Locks do not wait for it.
func (s *Store) Lease(ctx context.Context, a addr.Addr, operation string) (Unlock, error) {
	return s.b.Lease(ctx, a, s.holder(operation))
}

func (s *Store) holder(operation string) Holder {
	who := s.o.Holder
	who.Operation = operation
	who.Since = s.o.Now().UTC().Format(time.RFC3339)
	return who
}

// Held lists who holds which lock or lease now, sorted by address. It needs no key.
func (s *Store) Held(ctx context.Context) ([]Held, error) {
	var addrs []addr.Addr
	err := s.b.List(ctx, 0, func(r Row) error {
		addrs = append(addrs, r.Addr)
		return nil
	})
	if err != nil && !errors.Is(err, ErrNoState) { // a first consent is under way before there is a state
		return nil, fmt.Errorf("list the locks: %w", err)
	}
	held, err := s.b.Held(ctx, addrs)
	if err != nil {
		return nil, fmt.Errorf("list the locks: %w", err)
	}
	slices.SortFunc(held, func(a, b Held) int {
		return cmp.Or(addr.Compare(a.Addr, b.Addr), cmp.Compare(a.Holder.Operation, b.Holder.Operation))
	})
	return held, nil
}

// Probe proves that the state can be opened with the key that will seal, and
// written: before a one-time token is spent, or a person is asked.
func (s *Store) Probe(ctx context.Context) error {
	if _, err := s.open(ctx, nil); err != nil {
		return err
	}
	if err := s.probes.run(ctx); err != nil {
		return err
	}
	return nil
}

package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// PutNext is Put that raises the configuration serial by one and writes it into
// r.Info.ConfigSerial. Both happen in one write: if the record cannot be saved,
// the serial has not risen, and a plan that was made from it is not stale. apply
// makes its first change in this way.
func (s *Store) PutNext(ctx context.Context, r *Record) error {
	return s.putNext(ctx, r, nil)
}

// putNext is PutNext; past, if not nil, takes the place of what is kept of the address.
func (s *Store) putNext(ctx context.Context, r *Record, past []Row) error {
	sum, info, err := s.next(ctx, r)
	if err != nil {
		return err
	}
	_, err = s.raise(ctx, r.Addr, func(box *seal.Box, serial uint64) ([]Change, error) {
		info.ConfigSerial = serial
		row, err := sealRow(box, &Record{Summary: sum, Info: info, Tokens: r.Tokens})
		return []Change{{Row: row, Was: r.Generation, Past: past}}, err
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

// DeleteNext is Delete that raises the configuration serial by one, and returns it.
func (s *Store) DeleteNext(ctx context.Context, a addr.Addr, generation uint64) (serial uint64, err error) {
	return s.raiseLeft(ctx, a, func(*seal.Box, uint64) ([]Change, error) {
		return []Change{{Row: Row{Summary: Summary{Addr: a}}, Was: generation, Delete: true}}, nil
	})
}

// raiseLeft is raise of a change that removes a record, and marks that it has gone.
func (s *Store) raiseLeft(ctx context.Context, a addr.Addr, build func(*seal.Box, uint64) ([]Change, error)) (uint64, error) {
	serial, err := s.raise(ctx, a, build)
	if err != nil {
		return 0, err
	}
	if o, err := s.open(ctx, nil); err == nil {
		s.pins.mark(o.header.Lineage, a, mark{serial, 0})
	}
	return serial, nil
}

// raise writes a header with the next serial together with changes, again if
// somebody else has written the header meanwhile.
func (s *Store) raise(ctx context.Context, a addr.Addr, build func(*seal.Box, uint64) ([]Change, error)) (uint64, error) {
	for range attempts {
		o, err := s.fresh(ctx)
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", a, err)
		}
		h := copyHeader(o.header)
		h.Serial++
		changes, err := build(o.box, h.Serial)
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", a, err)
		}
		raw := Header{Version: o.raw.Version + 1, Epoch: h.Epoch, Bytes: h.Encode(o.box)}
		err = s.b.Write(context.WithoutCancel(ctx), Batch{Header: &raw, Epoch: h.Epoch, Changes: changes})
		var conflict *ConflictError
		switch {
		case err == nil:
			_, _ = s.fresh(context.WithoutCancel(ctx)) // raises the pins; the change is made, whatever comes of that
			return h.Serial, nil
		case errors.Is(err, ErrConflict) && !errors.As(err, &conflict):
			continue // of the header
		}
		return 0, fmt.Errorf("write %s: %w", a, err)
	}
	return 0, fmt.Errorf("write %s: %w: the header of %s changes all the time", a, ErrConflict, s.Location())
}

package state

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Migrated says what was copied to another place.
type Migrated struct{ Records, Past int }

// Migrate copies everything to an empty place, as it is sealed, and reads it back. This
// place keeps what it has. With dryRun it only looks whether the other is empty.
func (s *Store) Migrate(ctx context.Context, to Backend, dryRun bool) (Migrated, error) {
	doing := fmt.Sprintf("copy the state %s to %s", s.Location(), to.Location())
	if to.Location() == s.Location() {
		return Migrated{}, fmt.Errorf("%s: it is there", doing)
	}
	switch _, err := to.Header(ctx); {
	case err == nil:
		return Migrated{}, WithAdvice(fmt.Errorf("%s: there is a state already", doing), "name a place where there is none")
	case !errors.Is(err, ErrNoState):
		return Migrated{}, fmt.Errorf("%s: %w", doing, err)
	}
	b, err := s.copyOf(ctx)
	if err != nil {
		return Migrated{}, fmt.Errorf("%s: %w", doing, err)
	}
	m := Migrated{len(b.Changes), len(b.Past)}
	if dryRun {
		return m, nil
	}
	if err := to.Write(ctx, *b); err != nil {
		return m, fmt.Errorf("%s: %w", doing, err)
	}
	if err := sameThere(ctx, to, b); err != nil {
		return m, fmt.Errorf("%s: read it back: %w", doing, err)
	}
	again, err := s.copyOf(ctx)
	if err == nil && !reflect.DeepEqual(b, again) {
		err = WithAdvice(fmt.Errorf("%w: the state was changed while it was copied, and the copy is old already", ErrConflict), "remove the copy, and try again when nothing else runs")
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", doing, err)
	}
	return m, nil
}

// copyOf is a batch that makes this state anew. Everything in it opens.
func (s *Store) copyOf(ctx context.Context) (*Batch, error) {
	var b *Batch
	err := s.whole(ctx, func(o *opened, rows []Row, _ []*Record) error {
		b = &Batch{Header: &Header{Version: 1, Epoch: o.raw.Epoch, Bytes: o.raw.Bytes}, Epoch: o.raw.Epoch, Past: []Row{}}
		for _, r := range rows {
			b.Changes = append(b.Changes, Change{Row: r})
		}
		return s.b.Past(ctx, addr.Addr{}, PartAll, func(r Row) error {
			if _, err := openRow(o.box, r, PartAll); err != nil {
				return fmt.Errorf("generation %d of %s: %w", r.Generation, r.Addr, tampered(err))
			}
			b.Past = append(b.Past, r)
			return nil
		})
	})
	return b, err
}

// sameThere compares what a place has with the batch that was written to it.
func sameThere(ctx context.Context, to Backend, b *Batch) error {
	h, err := to.Header(ctx)
	if err != nil {
		return err
	}
	var rows, past []Row
	err = to.List(ctx, PartAll, func(r Row) error { rows = append(rows, r); return nil })
	if err == nil {
		err = to.Past(ctx, addr.Addr{}, PartAll, func(r Row) error { past = append(past, r); return nil })
	}
	if err != nil {
		return err
	}
	same := reflect.DeepEqual(h, *b.Header) && len(rows) == len(b.Changes) && len(past) == len(b.Past)
	for i := 0; same && i < len(rows); i++ {
		same = reflect.DeepEqual(rows[i], b.Changes[i].Row)
	}
	for i := 0; same && i < len(past); i++ {
		same = reflect.DeepEqual(past[i], b.Past[i])
	}
	if !same {
		return fmt.Errorf("%w: it is not what was written", ErrTampered)
	}
	return nil
}

package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// History reads and opens what is kept of one address (of all, if it is zero)
// besides the present records, in the order in which it was replaced: oldest
// first; of all, without what was recorded of outputs. Nothing kept is no error.
func (s *Store) History(ctx context.Context, a addr.Addr, parts Part) ([]*Record, error) {
	var known *opened
	for {
		o, err := s.open(ctx, known)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		var out []*Record
		err = s.b.Past(ctx, a, parts, func(row Row) error {
			if a.IsZero() && row.Addr == addr.Outputs() {
				return nil
			}
			r, err := openRow(o.box, row, parts)
			if err != nil {
				return fmt.Errorf("generation %d of %s: %w", row.Generation, row.Addr, err)
			}
			out = append(out, r)
			return nil
		})
		if errors.Is(err, seal.ErrOpen) && known != o {
			known = o // sealed under a newer key, perhaps
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the history: %s: %w", s.Location(), tampered(err))
		}
		return out, nil
	}
}

// NextGeneration is the one that a new record at an address would get. It tells
// whether another was there, as far back as removed records are kept.
func (s *Store) NextGeneration(ctx context.Context, a addr.Addr) (uint64, error) {
	return s.after(ctx, a, 0)
}

// after is the generation after this one and all that are kept of the address: no
// two records of one address ever had the same.
func (s *Store) after(ctx context.Context, a addr.Addr, generation uint64) (uint64, error) {
	err := s.b.Past(ctx, a, 0, func(row Row) error {
		generation = max(generation, row.Generation)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", a, err)
	}
	return generation + 1, nil
}

// resealPast seals what is kept under another key.
func (s *Store) resealPast(ctx context.Context, o *opened, box *seal.Box) ([]Row, error) {
	rows := []Row{} // not nil: it takes the place of what is kept, even if that is nothing
	err := s.b.Past(ctx, addr.Addr{}, PartAll, func(row Row) error {
		row, err := resealRow(o.box, box, row)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

// resealRow seals a row under another key; its generation stays.
func resealRow(from, to *seal.Box, row Row) (Row, error) {
	plain, err := plainParts(from, row)
	if err != nil {
		return row, fmt.Errorf("%s: %w", row.Addr, err)
	}
	row.Info = to.Seal(plain[0], placeOf(row, "info"))
	row.Tokens = to.Seal(plain[1], placeOf(row, "tokens"))
	return row, nil
}

// plainParts opens the info and the tokens of a row, without a look at what is in them.
func plainParts(box *seal.Box, row Row) ([][]byte, error) {
	info, err := box.Open(row.Info, placeOf(row, "info"))
	if err != nil {
		return nil, err
	}
	tokens, err := box.Open(row.Tokens, placeOf(row, "tokens"))
	return [][]byte{info, tokens}, err
}

func placeOf(row Row, part string) seal.Place {
	return seal.Place{Address: row.Addr.String(), Generation: row.Generation, Part: part}
}

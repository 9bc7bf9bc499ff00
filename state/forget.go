package state

import (
	"context"
	"errors"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// PutLast is PutNext after which nothing else is kept of the address: no earlier
// generation, and not the one that it replaces. It is for a record whose tokens have gone
// elsewhere, or are to be gone.
func (s *Store) PutLast(ctx context.Context, r *Record) error {
	return s.putNext(ctx, r, []Row{})
}

// Bury is Delete of a record whose tokens were revoked: what is kept of it says so, and has
// no tokens.
func (s *Store) Bury(ctx context.Context, r *Record, at time.Time) error {
	return s.change(ctx, r.Addr, func(box *seal.Box) (Change, error) { return buried(box, r, at) })
}

// BuryNext is Bury that raises the configuration serial by one, and returns it.
func (s *Store) BuryNext(ctx context.Context, r *Record, at time.Time) (serial uint64, err error) {
	return s.raiseLeft(ctx, r.Addr, func(box *seal.Box, _ uint64) ([]Change, error) {
		c, err := buried(box, r, at)
		return []Change{c}, err
	})
}

func buried(box *seal.Box, r *Record, at time.Time) (Change, error) {
	return departed(box, r, StatusRevoked, at)
}

// departed removes a record of which no tokens are kept at its address: what is kept, of
// all that was, is a last generation that says why.
func departed(box *seal.Box, r *Record, why Status, at time.Time) (Change, error) {
	last := &Record{Summary: r.Summary, Tokens: &Tokens{}}
	last.Status, last.Generation, last.UpdatedAt = why, r.Generation+1, at
	last.ExpiresAt, last.RefreshExpiresAt = time.Time{}, time.Time{}
	info := *r.Info
	info.HasRefresh, info.Intent, info.Reject = false, nil, nil
	last.Summary, last.Info = last.normal(), &info
	row, err := sealRow(box, last)
	return Change{Row: Row{Summary: Summary{Addr: r.Addr}}, Was: r.Generation, Delete: true, Past: []Row{row}}, err
}

// Forget drops what is kept of an address besides the present record, which stays as it is;
// of a record that was removed nothing is left. The lock is the caller's.
func (s *Store) Forget(ctx context.Context, a addr.Addr) error {
	return s.change(ctx, a, func(*seal.Box) (Change, error) {
		row, err := s.b.Get(ctx, a, PartAll)
		if errors.Is(err, ErrNotFound) {
			return Change{Row: Row{Summary: Summary{Addr: a}}, Delete: true, Past: []Row{}}, nil
		}
		return Change{Row: row, Was: row.Generation, Past: []Row{}}, err
	})
}

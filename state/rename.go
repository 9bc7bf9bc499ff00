package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// Rename is a record that gets another address.
type Rename struct{ From, To addr.Addr }

// Renamed is what a record is that has moved.
type Renamed struct{ Serial, Generation uint64 }

// renameAtOnce bounds how many locks, and so how many open files, a rename holds.
const renameAtOnce = 100

// Rename puts records under other addresses, tokens and all. A record moves in
// one durable write, sealed again for its new address: it is never in both
// places and never in none. More than a hundred take several writes. Whoever
// refreshes one of them meanwhile is waited for, at most wait for each.
// Records that name another as something they depend on are told its new address.
// What is kept of a record moves along, behind what is kept of an earlier one there;
// at the former address a generation without tokens is kept, which says so: what is let go of
// later, at the new one, is not there any more either.
// The configuration serial rises with each write, and is that of the records which
// arrive: they are newer than whatever lived at their addresses before. Rename returns
// what they are now, by their new addresses; if it fails, those that have moved.
// ErrNotFound, ErrConflict if something is at the new address already, ErrBusy.
func (s *Store) Rename(ctx context.Context, renames []Rename, wait time.Duration) (renamed map[addr.Addr]Renamed, err error) {
	names := make(map[string]string, len(renames))
	targets := make(map[addr.Addr]bool, len(renames))
	for _, r := range renames {
		if err := errors.Join(checkAddr(r.From), checkAddr(r.To)); err != nil {
			return nil, err
		}
		if _, twice := names[r.From.String()]; twice || targets[r.To] || r.From == r.To {
			return nil, fmt.Errorf("rename %s to %s: an address stands there twice", r.From, r.To)
		}
		names[r.From.String()], targets[r.To] = r.To.String(), true
	}
	for _, r := range renames {
		if targets[r.From] {
			return nil, fmt.Errorf("rename %s to %s: one rename leads to another; do one after the other", r.From, r.To)
		}
	}
	dependants, err := s.dependants(ctx, names)
	if err != nil {
		return nil, err
	}
	renamed = make(map[addr.Addr]Renamed, len(renames))
	for chunk := range slices.Chunk(renames, renameAtOnce) {
		if err := s.renameChunk(ctx, chunk, names, wait, renamed); err != nil {
			return renamed, err
		}
	}
	for _, a := range dependants {
		// One that is busy keeps the former name, which only orders revocations.
		if err := s.renameDependencies(ctx, a, names, wait); err != nil && !errors.Is(err, ErrBusy) {
			return renamed, err
		}
	}
	return renamed, nil
}

// dependants are the records that name one of the old addresses and keep their own.
func (s *Store) dependants(ctx context.Context, names map[string]string) ([]addr.Addr, error) {
	records, err := s.All(ctx, PartInfo)
	if err != nil {
		return nil, err
	}
	var out []addr.Addr
	for _, r := range records {
		if _, moves := names[r.Addr.String()]; moves {
			continue
		}
		if slices.ContainsFunc(append(r.Info.Exchange.Feeders(), r.Info.DependsOn...), func(d string) bool { return names[d] != "" }) {
			out = append(out, r.Addr)
		}
	}
	return out, nil
}

// renameChunk moves some records, all or none.
func (s *Store) renameChunk(ctx context.Context, chunk []Rename, names map[string]string, wait time.Duration, renamed map[addr.Addr]Renamed) error {
	var locks []addr.Addr
	for _, r := range chunk {
		locks = append(locks, r.From, r.To)
	}
	unlock, err := s.lockAll(ctx, locks, "rename", wait)
	if err != nil {
		return err
	}
	defer unlock()
	var arrived []Change
	var serial uint64
	for range attempts {
		serial, err = s.raise(ctx, chunk[0].From, func(box *seal.Box, serial uint64) ([]Change, error) {
			leave, arrive, err := s.renamed(ctx, box, serial, chunk, names)
			arrived = arrive
			return append(leave, arrive...), err
		})
		var conflict *ConflictError
		if err == nil || !errors.As(err, &conflict) && !errors.Is(err, seal.ErrOpen) {
			break
		} // somebody wrote without the lock, or changed the data key: look again
	}
	if err != nil {
		return tampered(err)
	}
	var marks strings.Builder
	for _, r := range chunk {
		marks.WriteString(mark{serial, 0}.line(markKey(r.From)))
	}
	for _, c := range arrived {
		renamed[c.Row.Addr] = Renamed{serial, c.Row.Generation}
		marks.WriteString(mark{serial, c.Row.Generation}.line(markKey(c.Row.Addr)))
	}
	if o, err := s.open(ctx, nil); err == nil {
		s.pins.append(o.header.Lineage, marks.String())
	}
	return nil
}

// renamed makes the changes of a rename: what leaves, and what arrives.
func (s *Store) renamed(ctx context.Context, box *seal.Box, serial uint64, chunk []Rename, names map[string]string) (leave, arrive []Change, err error) {
	for _, r := range chunk {
		if _, err := s.b.Get(ctx, r.To, 0); err == nil {
			return nil, nil, fmt.Errorf("rename %s to %s: %w: something is at the new address already", r.From, r.To, ErrConflict)
		} else if !errors.Is(err, ErrNotFound) {
			return nil, nil, fmt.Errorf("rename %s to %s: %w", r.From, r.To, err)
		}
		row, err := s.b.Get(ctx, r.From, PartAll)
		if err != nil {
			return nil, nil, fmt.Errorf("rename %s: %w", r.From, err)
		}
		rec, err := openRow(box, row, PartAll)
		if err != nil {
			return nil, nil, fmt.Errorf("rename %s: %w", r.From, err)
		}
		gone, err := departed(box, rec, StatusMoved, s.o.Now())
		if err != nil {
			return nil, nil, fmt.Errorf("rename %s: %w", r.From, err)
		}
		past, behind, err := s.renamedPast(ctx, box, r, row, names)
		if err != nil {
			return nil, nil, err
		}
		rec.Addr, rec.Generation = r.To, behind+rec.Generation+1
		rec.Info.ConfigSerial = serial
		rec.Info.rename(names)
		if row, err = sealRow(box, rec); err != nil {
			return nil, nil, fmt.Errorf("rename %s: %w", r.From, err)
		}
		leave = append(leave, gone)
		arrive = append(arrive, Change{Row: row, Past: past})
	}
	return leave, arrive, nil
}

// renamedPast is what will be kept at the new address: what is there, and what is kept
// at the former one and is there now, numbered on from behind, the last generation
// that is kept at the new one.
func (s *Store) renamedPast(ctx context.Context, box *seal.Box, r Rename, now Row, names map[string]string) (past []Row, behind uint64, err error) {
	past = []Row{} // not nil: see Change
	err = s.b.Past(ctx, r.To, PartAll, func(row Row) error {
		behind = max(behind, row.Generation)
		if row.Status != StatusMoved { // which has said what it is for
			past = append(past, row)
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("rename %s to %s: %w", r.From, r.To, err)
	}
	move := func(row Row) error {
		rec, err := openRow(box, row, PartAll)
		if err != nil {
			return fmt.Errorf("generation %d: %w", row.Generation, err)
		}
		rec.Addr, rec.Generation = r.To, behind+row.Generation
		rec.Info.rename(names)
		if row, err = sealRow(box, rec); err == nil {
			past = append(past, row)
		}
		return err
	}
	if err = s.b.Past(ctx, r.From, PartAll, move); err == nil {
		err = move(now)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("rename what is kept of %s: %w", r.From, err)
	}
	return past[max(0, len(past)-KeptGenerations):], behind, nil
}

// renameDependencies tells one record the new addresses of what it depends on.
func (s *Store) renameDependencies(ctx context.Context, a addr.Addr, names map[string]string, wait time.Duration) error {
	unlock, err := s.lockAll(ctx, []addr.Addr{a}, "rename", wait)
	if err != nil {
		return err
	}
	defer unlock()
	rec, err := s.Get(ctx, a, PartAll)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rec.Info.rename(names)
	return s.Put(ctx, rec)
}

// rename gives what a record depends on its new addresses.
func (i *Info) rename(names map[string]string) {
	i.DependsOn = renameAll(i.DependsOn, names)
	if i.Exchange == nil {
		return
	}
	x := *i.Exchange
	for _, at := range []*string{&x.Subject.Connection, &x.Actor.Connection} {
		if to := names[*at]; to != "" {
			*at = to
		}
	}
	i.Exchange = &x
}

func renameAll(list []string, names map[string]string) []string {
	out := slices.Clone(list)
	for i, a := range out {
		if to := names[a]; to != "" {
			out[i] = to
		}
	}
	slices.Sort(out)
	return out
}

// lockAll takes several locks, always in the same order, so that two who do
// this do not wait for each other.
func (s *Store) lockAll(ctx context.Context, as []addr.Addr, operation string, wait time.Duration) (Unlock, error) {
	slices.SortFunc(as, func(a, b addr.Addr) int { return strings.Compare(a.String(), b.String()) })
	var held []Unlock
	all := func() {
		for _, u := range slices.Backward(held) {
			u()
		}
	}
	for _, a := range as {
		waiting, cancel := context.WithTimeout(ctx, wait)
		u, err := s.Lock(waiting, a, operation)
		cancel()
		if err != nil {
			all()
			return nil, err
		}
		held = append(held, u)
	}
	return all, nil
}

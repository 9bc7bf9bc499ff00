package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/oauthctl/oauthctl/state/seal"
)

// Lineage says which state this is: its lineage, made once and kept for ever,
// and the serial of the configuration that was applied last. It needs no key;
// without one the answer is what the file says.
func (s *Store) Lineage(ctx context.Context) (lineage string, serial uint64, err error) {
	h, err := s.header(ctx)
	if err != nil {
		return "", 0, err
	}
	return h.Lineage, h.Serial, nil
}

// Gone reports whether there is no state in the place, although this machine has seen
// one there.
func (s *Store) Gone(ctx context.Context) bool {
	if _, err := s.header(ctx); !errors.Is(err, ErrNoState) || s.pins.dir == "" {
		return false
	}
	var place placePin
	found, err := s.pins.readPlace(&place)
	return found && err == nil
}

// Recipients are the strings that the data key is wrapped for now, in canonical
// form (see seal.ParseRecipient). It needs no key.
func (s *Store) Recipients(ctx context.Context) ([]string, error) {
	h, err := s.header(ctx)
	if err != nil {
		return nil, err
	}
	return h.Recipients(), nil
}

// header reads the header as it is now, without a key.
func (s *Store) header(ctx context.Context) (*seal.Header, error) {
	raw, err := s.b.Header(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the header of the state: %w", err)
	}
	h, err := seal.ParseHeader(raw.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Location(), tampered(err))
	}
	return h, nil
}

// Digest is a keyed digest (hex) of a secret input, under a key derived from the data
// key: equal inputs give equal digests in one state, and a digest tells nothing.
// Rekey does not change digests.
func (s *Store) Digest(ctx context.Context, label, value string) (string, error) {
	o, err := s.open(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("make a digest: %w", err)
	}
	d, err := o.box.Digest(o.header, label, value)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.Location(), tampered(err))
	}
	return d, nil
}

// Rekey wraps the data key for these recipients. If one is removed, the data
// key changes and every record is sealed again, all in one transaction. Whoever
// was removed can still open copies made before.
func (s *Store) Rekey(ctx context.Context, recipients []string) error {
	want, err := seal.ParseRecipients(recipients)
	if err != nil {
		return fmt.Errorf("change the recipients of %s: %w", s.Location(), err)
	}
	err = s.rewriteHeader(ctx, func(o *opened) (*seal.Header, error) {
		missing, removed := compareRecipients(o.header, want)
		switch {
		case removed:
			return nil, errNewKey
		case len(missing) == 0:
			return nil, nil
		}
		h := copyHeader(o.header)
		return h, wrapFor(h, o.box, missing)
	})
	if errors.Is(err, errNewKey) {
		err = s.newKey(ctx, want)
	}
	if err != nil {
		return fmt.Errorf("change the recipients of %s: %w", s.Location(), err)
	}
	return nil
}

var errNewKey = errors.New("a new data key is needed")

// compareRecipients gives the recipients that the header lacks, and whether it
// has one that is not wanted.
func compareRecipients(h *seal.Header, want []seal.Recipient) (missing []seal.Recipient, removed bool) {
	have := h.Recipients()
	for _, r := range want {
		if i := slices.Index(have, r.Name); i >= 0 {
			have = slices.Delete(have, i, i+1)
		} else {
			missing = append(missing, r)
		}
	}
	return missing, len(have) > 0
}

func copyHeader(h *seal.Header) *seal.Header {
	return &seal.Header{
		Lineage: h.Lineage, Serial: h.Serial, Epoch: h.Epoch, Commitment: h.Commitment,
		Digest: h.Digest, Keys: slices.Clone(h.Keys), Past: slices.Clone(h.Past),
	}
}

func wrapFor(h *seal.Header, box *seal.Box, recipients []seal.Recipient) error {
	for _, r := range recipients {
		w, err := box.Wrap(r)
		if err != nil {
			return err
		}
		h.Keys = append(h.Keys, w)
	}
	return nil
}

// attempts bounds how often a header is written anew because others wrote it meanwhile.
const attempts = 100

// rewriteHeader writes what edit makes of the present header, again if somebody
// else was faster. edit returns nil if nothing is to be done.
func (s *Store) rewriteHeader(ctx context.Context, edit func(*opened) (*seal.Header, error)) error {
	for range attempts {
		o, err := s.fresh(ctx)
		if err != nil {
			return err
		}
		h, err := edit(o)
		if err != nil || h == nil {
			return err
		}
		raw := Header{Version: o.raw.Version + 1, Epoch: h.Epoch, Bytes: h.Encode(o.box)}
		switch err := s.b.Write(ctx, Batch{Header: &raw}); {
		case errors.Is(err, ErrConflict):
			continue
		case err != nil:
			return err
		}
		_, err = s.fresh(ctx) // raises the pins as well
		return err
	}
	return fmt.Errorf("%w: the header of %s changes all the time", ErrConflict, s.Location())
}

// fresh opens the header as it is now.
func (s *Store) fresh(ctx context.Context) (*opened, error) {
	s.mu.Lock()
	known := s.opened
	s.mu.Unlock()
	return s.open(ctx, known)
}

// newKey changes the data key and seals every record again.
func (s *Store) newKey(ctx context.Context, want []seal.Recipient) error {
	for range attempts {
		o, err := s.fresh(ctx)
		if err != nil {
			return err
		}
		box, err := seal.NewBox(seal.NewKey(), o.header.Lineage)
		if err != nil {
			return err
		}
		h, err := o.header.Next(o.box, box)
		if err != nil {
			return tampered(err)
		}
		if err := wrapFor(h, box, want); err != nil {
			return err
		}
		changes, err := s.reseal(ctx, o, box)
		var past []Row
		if err == nil {
			past, err = s.resealPast(ctx, o, box)
		}
		if errors.Is(err, seal.ErrOpen) {
			if again, ferr := s.fresh(ctx); ferr == nil && again != o {
				continue // somebody else changed the key meanwhile
			}
			return tampered(err)
		}
		if err != nil {
			return err
		}
		if err := s.pins.announce(o.header, box.Commitment()); err != nil {
			return err
		}
		raw := Header{Version: o.raw.Version + 1, Epoch: h.Epoch, Bytes: h.Encode(box)}
		switch err := s.b.Write(ctx, Batch{Header: &raw, Epoch: h.Epoch, Complete: true, Changes: changes, Past: past}); {
		case errors.Is(err, ErrConflict):
			continue
		case err != nil:
			return err
		}
		// The new key may be for others only; then there is nothing more to check.
		if _, err = s.fresh(ctx); errors.Is(err, ErrNoKey) {
			return nil
		}
		return err
	}
	return fmt.Errorf("%w: %s changes all the time: try again when nothing else runs", ErrConflict, s.Location())
}

// reseal seals every record under another key; generations stay.
func (s *Store) reseal(ctx context.Context, o *opened, box *seal.Box) ([]Change, error) {
	var changes []Change
	err := s.b.List(ctx, PartAll, func(row Row) error {
		row, err := resealRow(o.box, box, row)
		changes = append(changes, Change{Row: row, Was: row.Generation})
		return err
	})
	return changes, err
}

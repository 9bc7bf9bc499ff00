package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// opened is a header whose MAC was checked, and the keys that it wraps. It is
// never changed; a newer header gives another one.
type opened struct {
	raw    Header // as the backend gave it
	header *seal.Header
	box    *seal.Box
}

// keys are the commitments of the data key and of those before it, as far as they are kept.
func (o *opened) keys() []string {
	keys := []string{o.box.Commitment()}
	for _, b := range o.header.Older(o.box) {
		keys = append(keys, b.Commitment())
	}
	return keys
}

// open gives the data key. With stale == nil what is known already is good
// enough; otherwise the header is read again if stale is the newest known. The
// result is stale itself if nothing has changed.
func (s *Store) open(ctx context.Context, stale *opened) (*opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil && s.opened != stale {
		return s.opened, nil
	}
	raw, err := s.b.Header(ctx)
	if err != nil {
		return nil, err
	}
	if s.opened != nil && s.opened.raw.Version == raw.Version && bytes.Equal(s.opened.raw.Bytes, raw.Bytes) {
		return s.opened, nil
	}
	o, err := s.unwrap(raw)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s.Location(), err)
	}
	if err := s.pins.check(o.header, o.box); err != nil {
		return nil, err
	}
	s.opened = o
	return o, nil
}

// unwrap opens a header that was just read; s.mu is held.
func (s *Store) unwrap(raw Header) (*opened, error) {
	h, err := seal.ParseHeader(raw.Bytes)
	if err != nil {
		return nil, tampered(err)
	}
	if h.Epoch != raw.Epoch {
		return nil, fmt.Errorf("%w: the column epoch is not what the header says", ErrTampered)
	}
	if s.opened != nil {
		if err := h.Verify(s.opened.box); err == nil { // the same key: no need to unwrap again
			return &opened{raw: raw, header: h, box: s.opened.box}, nil
		}
	}
	if s.o.Identities == nil {
		return nil, noKey(h, errors.New("no identity was given"))
	}
	ids, err := s.o.Identities()
	if err != nil {
		return nil, noKey(h, err)
	}
	if len(ids) == 0 {
		return nil, noKey(h, errors.New("there is no identity on this machine"))
	}
	box, err := seal.Unwrap(h, ids)
	if errors.Is(err, seal.ErrNoIdentity) {
		var mine []string
		for _, id := range ids {
			if name, ok := seal.RecipientOf(id); ok {
				mine = append(mine, seal.Short(name))
			}
		}
		if len(mine) == 0 {
			return nil, noKey(h, errors.New("the identities at hand do not fit"))
		}
		return nil, noKey(h, fmt.Errorf("your own is %s", strings.Join(mine, ", ")))
	}
	if locked := (*seal.LockedError)(nil); errors.As(err, &locked) {
		return nil, noKey(h, locked.Err)
	}
	if err != nil {
		return nil, tampered(err)
	}
	return &opened{raw: raw, header: h, box: box}, nil
}

// noKey says whom the state is wrapped for and what to do.
func noKey(h *seal.Header, why error) error {
	const most = 5
	names := h.Recipients()
	var b strings.Builder
	for i, n := range names[:min(most, len(names))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(seal.Short(n))
	}
	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	err := fmt.Errorf("%w: it is sealed for %s; %w", ErrNoKey, b.String(), why)
	if Advice(err) != "" {
		return err // how to open the identity that is at hand
	}
	return WithAdvice(err, noKeyAdvice)
}

const noKeyAdvice = "give an identity that it is sealed for with -identity FILE or OAUTHCTL_IDENTITY, or let who has one add you to encryption.recipients and apply; " +
	"if all of them are lost, nothing opens it any more: oauthctl key lost lists what to end at which server"

func openRow(box *seal.Box, row Row, parts Part) (*Record, error) {
	return openRowWith(new(infoReader), box, row, parts)
}

func openRowWith(info *infoReader, box *seal.Box, row Row, parts Part) (*Record, error) {
	r := &Record{Summary: row.Summary}
	place := seal.Place{Address: row.Addr.String(), Generation: row.Generation}
	if parts&PartInfo != 0 {
		place.Part = "info"
		b, err := box.OpenTo(info.text, row.Info, place)
		if err != nil {
			return nil, err
		}
		info.text = b
		if r.Info, err = info.read(b, row.Summary); err != nil {
			return nil, err
		}
	}
	if parts&PartTokens != 0 {
		place.Part = "tokens"
		b, err := box.Open(row.Tokens, place)
		if err != nil {
			return nil, err
		}
		if r.Tokens, err = decodeTokens(b, row.Summary); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func sealRow(box *seal.Box, r *Record) (Row, error) {
	info, err := encodeInfo(r.Summary, r.Info)
	if err != nil {
		return Row{}, err
	}
	tokens, err := encodeTokens(r.Summary, r.Tokens)
	if err != nil {
		return Row{}, err
	}
	a := r.Addr.String()
	return Row{
		Summary: r.Summary,
		Info:    box.Seal(info, seal.Place{Address: a, Generation: r.Generation, Part: "info"}),
		Tokens:  box.Seal(tokens, seal.Place{Address: a, Generation: r.Generation, Part: "tokens"}),
	}, nil
}

// openAll opens every row, on all processors: most of the time goes into decoding.
func (s *Store) openAll(ctx context.Context, o *opened, parts Part) ([]*Record, error) {
	const chunk = 128
	var (
		g     errgroup.Group
		out   []*Record
		rows  []Row
		start = func(rows []Row, into []*Record) {
			g.Go(func() error {
				info := new(infoReader)
				for i, row := range rows {
					r, err := openRowWith(info, o.box, row, parts)
					if err != nil {
						return fmt.Errorf("%s: %w", row.Addr, err)
					}
					into[i] = r
				}
				return nil
			})
		}
		done [][]*Record
	)
	g.SetLimit(runtime.GOMAXPROCS(0) + 1)
	flush := func() {
		into := make([]*Record, len(rows))
		done = append(done, into)
		start(rows, into)
		rows = nil
	}
	err := s.b.List(ctx, parts, func(r Row) error {
		if r.Addr == addr.Outputs() {
			return nil
		}
		if rows == nil {
			rows = make([]Row, 0, chunk)
		}
		if rows = append(rows, r); len(rows) == chunk {
			flush()
		}
		return nil
	})
	if len(rows) > 0 {
		flush()
	}
	if werr := g.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return nil, err
	}
	for _, d := range done {
		out = append(out, d...)
	}
	return out, nil
}

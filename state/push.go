package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// PushOptions of Push.
type PushOptions struct {
	Force  bool // also over a newer state, and over another one
	DryRun bool
	Wait   time.Duration // for each connection that somebody works on
	// Trust, if not nil, is asked before a state is made that this machine has no memory of:
	// whoever knows the recipients can have made it. holds are its connections and sinks, without tokens.
	Trust func(p *Pushed, holds []*Record) error
}

// Pushed says what a push changes, or has changed.
type Pushed struct {
	Lineage                 string
	Was, Serial             uint64      // of the configuration, before and after
	New                     bool        // there was no state
	Unseen                  bool        // it takes the place of none or of another, and this machine has never seen it anywhere
	Replaced                string      // lineage of another state that is gone; "": none
	Added, Changed, Removed []addr.Addr // connections and sinks
	Unchanged               int
	Outputs                 bool     // what is recorded of outputs changes, too
	Recipients              []string // whom the state is sealed for afterwards
	PastDropped             bool     // what was kept of earlier generations cannot be opened any more, and is gone
}

// Push puts the state of a document in the place of this one, in one durable write:
// after a failure the old state is what it was. What is replaced is kept as
// earlier generations, as with every write. It refuses a document that
// is damaged, newer than this program, or that no identity opens (ErrTampered, ErrFormat,
// ErrNoKey), always; one of another state (ErrLineage), and one that is not newer (ErrOlder), unless forced.
// A document that was forced over a newer state becomes the newest of all: its
// records get new generations, and the serial rises above what is there.
func (s *Store) Push(ctx context.Context, text []byte, po PushOptions) (*Pushed, error) {
	d, err := s.readDocument(text)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	for range attempts {
		p, batch, err := s.pushBatch(ctx, d, po.Force)
		if err != nil {
			return nil, fmt.Errorf("push to %s: %w", s.Location(), err)
		}
		p.setApart()
		if p.Unseen && po.Trust != nil {
			if err := po.trust(p, d); err != nil {
				return nil, err
			}
		}
		if po.DryRun || batch == nil {
			return p, nil
		}
		if p.New || p.Replaced != "" {
			if err := s.pins.ready(); err != nil { // without its pin, what is written would be a stranger here
				return nil, fmt.Errorf("push to %s: %w", s.Location(), err)
			}
		}
		switch err = s.pushLocked(ctx, p, *batch, po); {
		case errors.Is(err, ErrConflict):
			continue // somebody wrote meanwhile: look again
		case err != nil:
			return nil, fmt.Errorf("push to %s: %w", s.Location(), err)
		}
		return p, nil
	}
	return nil, fmt.Errorf("push to %s: %w: it changes all the time", s.Location(), ErrConflict)
}

// setApart takes what is recorded of outputs out of the lists.
func (p *Pushed) setApart() {
	for _, list := range []*[]addr.Addr{&p.Added, &p.Changed, &p.Removed} {
		n := len(*list)
		*list = slices.DeleteFunc(*list, func(a addr.Addr) bool { return a == addr.Outputs() })
		p.Outputs = p.Outputs || len(*list) < n
	}
}

// trust shows what a document holds to whom it may concern.
func (po *PushOptions) trust(p *Pushed, d *checked) error {
	var holds []*Record
	for _, row := range d.rows {
		if row.Addr == addr.Outputs() {
			continue
		}
		r, err := openRow(d.box, row, PartInfo)
		if err != nil {
			return tampered(err)
		}
		holds = append(holds, r)
	}
	return po.Trust(p, holds)
}

// pushLocked writes under the locks of everything that changes, so that no refresh is cut off.
func (s *Store) pushLocked(ctx context.Context, p *Pushed, b Batch, po PushOptions) error {
	if busy := slices.Concat(p.Changed, p.Removed); len(busy) <= renameAtOnce { // of more, the compare-and-swap decides
		unlock, err := s.lockAll(ctx, busy, "push", po.Wait)
		if err != nil {
			return err
		}
		defer unlock()
	}
	ctx = context.WithoutCancel(ctx)
	if err := s.b.Write(ctx, b); err != nil {
		return err
	}
	h, err := seal.ParseHeader(b.Header.Bytes)
	if err == nil && (p.New || p.Replaced != "") {
		err = s.pins.created(h)
	}
	if err == nil {
		_, err = s.fresh(ctx)
	}
	if err == nil {
		err = s.markAll(ctx, h.Lineage, po.Force)
	}
	if err != nil {
		return fmt.Errorf("the state is written, and then: %w", err)
	}
	return nil
}

// markAll marks what a push has made the present state. Only a forced one takes
// back that a later generation was written.
func (s *Store) markAll(ctx context.Context, lineage string, force bool) error {
	records, err := s.All(ctx, PartInfo)
	if err != nil {
		return err
	}
	text, err := s.pins.marks(lineage)
	if err != nil {
		return err
	}
	former := map[string]mark{}
	for line := range bytes.Lines(text) {
		key, _, _ := bytes.Cut(line, []byte(" "))
		if m, ok := lastMark(line, string(key)); ok {
			former[string(key)] = m
		}
	}
	var lines strings.Builder
	for _, r := range records {
		m := mark{r.Info.ConfigSerial, r.Generation}
		key := markKey(r.Addr)
		if was, ok := former[key]; !ok || force || was != m && was.newer(m.serial, m.generation) {
			lines.WriteString(m.line(key))
		}
	}
	s.pins.append(lineage, lines.String())
	return nil
}

// pushBatch compares a document with what is there. A nil batch: nothing is to be done.
func (s *Store) pushBatch(ctx context.Context, d *checked, force bool) (*Pushed, *Batch, error) {
	p := &Pushed{Lineage: d.header.Lineage, Serial: d.header.Serial, Recipients: d.header.Recipients()}
	raw, err := s.b.Header(ctx)
	if errors.Is(err, ErrNoState) {
		return s.pushNew(p, d, force)
	}
	if err != nil {
		return nil, nil, err
	}
	there, err := seal.ParseHeader(raw.Bytes)
	if err != nil {
		return nil, nil, tampered(err) // never written over: it may be all that somebody has
	}
	p.Was = there.Serial
	if there.Lineage != d.header.Lineage {
		if !force {
			return nil, nil, WithAdvice(fmt.Errorf("%w: it is of %s, and here is %s", ErrLineage, d.header.Lineage, there.Lineage),
				"name the right state with -state; to give up the one that is here, pull it first and push with -force")
		}
		return s.pushOther(ctx, p, d, raw, there)
	}
	return s.pushSame(ctx, p, d, force)
}

// pushNew makes the state.
func (s *Store) pushNew(p *Pushed, d *checked, force bool) (*Pushed, *Batch, error) {
	p.New = true
	if err := s.seenPushed(p, d, force); err != nil {
		return nil, nil, err
	}
	b := &Batch{Header: &Header{Version: 1, Epoch: d.header.Epoch, Bytes: d.raw.Bytes}, Epoch: d.header.Epoch}
	for _, row := range d.rows {
		p.Added = append(p.Added, row.Addr)
		b.Changes = append(b.Changes, Change{Row: row})
	}
	return p, b, nil
}

// seenPushed compares a state that takes a place with what this machine has seen of it elsewhere.
func (s *Store) seenPushed(p *Pushed, d *checked, force bool) error {
	pin, err := s.pins.seen(d.header, d.box)
	p.Unseen = pin == lineagePin{} || pin.Sandbox && !s.pins.sandbox
	if force && errors.Is(err, ErrRollback) {
		err, p.Unseen = nil, p.Unseen || d.header.Commitment != pin.Commitment // a pin does not tell whose an earlier data key is
	}
	return err
}

// pushOther puts the document in the place of another state.
func (s *Store) pushOther(ctx context.Context, p *Pushed, d *checked, raw Header, there *seal.Header) (*Pushed, *Batch, error) {
	p.Replaced, p.PastDropped = there.Lineage, true
	if err := s.seenPushed(p, d, true); err != nil {
		return nil, nil, err
	}
	h := copyHeader(d.header)
	h.Epoch = max(h.Epoch, raw.Epoch+1) // whoever is about to write to the other state must notice
	b := &Batch{
		Header: &Header{Version: raw.Version + 1, Epoch: h.Epoch, Bytes: h.Encode(d.box)},
		Epoch:  h.Epoch, Complete: true, Past: []Row{},
	}
	err := s.b.List(ctx, 0, func(row Row) error {
		p.Removed = append(p.Removed, row.Addr)
		b.Changes = append(b.Changes, Change{Row: Row{Summary: Summary{Addr: row.Addr}}, Was: row.Generation, Delete: true})
		return nil
	})
	for _, row := range d.rows {
		p.Added = append(p.Added, row.Addr)
		b.Changes = append(b.Changes, Change{Row: row})
	}
	return p, b, err
}

// pushSame puts a later document of the same state in its place, or an earlier one by force.
func (s *Store) pushSame(ctx context.Context, p *Pushed, d *checked, force bool) (*Pushed, *Batch, error) {
	o, err := s.fresh(ctx)
	if err != nil {
		return nil, nil, err
	}
	head, box := o.header, o.box // the higher data key stays, with whom it is wrapped for
	if d.header.Epoch > o.header.Epoch {
		if _, err := s.pins.seen(d.header, d.box); err != nil {
			return nil, nil, err
		}
		head, box = d.header, d.box
	}
	m := newMerge(p, d, box)
	if err := m.lookAtKeys(d.opened, o, s.Location()); err != nil {
		return nil, nil, err
	}
	err = s.b.List(ctx, PartAll, func(row Row) error {
		m.look(row, o)
		return nil
	})
	if err == nil {
		err = m.lookBack(ctx, s.b, o)
	}
	if err != nil {
		return nil, nil, err
	}
	if d.header.Serial < o.header.Serial || d.header.Epoch < o.header.Epoch {
		m.older = append(m.older, fmt.Sprintf("it is at serial %d with data key %d, and here is serial %d with data key %d",
			d.header.Serial, d.header.Epoch, o.header.Serial, o.header.Epoch))
	}
	p.Serial = max(d.header.Serial, o.header.Serial)
	if len(m.older) > 0 {
		if !force {
			return nil, nil, WithAdvice(fmt.Errorf("%w: %s", ErrOlder, m.older[len(m.older)-1]),
				"its refresh tokens may be spent; if it has to be this one, pull what is here and push with -force")
		}
		p.Serial = o.header.Serial + 1
		m.serial = p.Serial
	}
	changes, err := m.finish(o)
	if err != nil {
		return nil, nil, err
	}
	p.Recipients = head.Recipients()
	if len(p.Added)+len(p.Changed)+len(p.Removed) == 0 && p.Serial == o.header.Serial && head == o.header {
		return p, nil, nil
	}
	h := copyHeader(head)
	h.Serial = p.Serial
	b := &Batch{
		Header: &Header{Version: o.raw.Version + 1, Epoch: h.Epoch, Bytes: h.Encode(box)},
		Epoch:  h.Epoch, Complete: true, Changes: changes,
	}
	if head != o.header {
		p.PastDropped = true
		b.Past = []Row{}
	}
	return p, b, nil
}

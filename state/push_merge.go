package state

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state/seal"
)

// merge compares the rows of a document with those of the state.
type merge struct {
	p      *Pushed
	from   *checked
	to     *seal.Box
	rows   map[addr.Addr]Row // of the document
	here   map[addr.Addr]Row
	former map[addr.Addr]Row // the last that is kept of what was removed here, and is in the document
	older  []string          // what of the document is not newer
	serial uint64            // that of everything that is changed, if older things are forced; else 0
}

func newMerge(p *Pushed, from *checked, to *seal.Box) *merge {
	m := &merge{p: p, from: from, to: to, rows: map[addr.Addr]Row{}, here: map[addr.Addr]Row{}, former: map[addr.Addr]Row{}}
	for _, r := range from.rows {
		m.rows[r.Addr] = r
	}
	return m
}

// lookAtKeys: a lineage is in clear, and anybody can write it into a document. Whoever made
// one that belongs here had the data key of this state, or one before it; whoever had it as it is now
// has not gone on by themselves.
func (m *merge) lookAtKeys(d, here *opened, location string) error {
	ours, theirs := here.keys(), d.keys()
	if slices.Contains(theirs, ours[0]) && d.header.Epoch >= here.header.Epoch {
		return nil
	}
	if !slices.ContainsFunc(theirs, func(k string) bool { return slices.Contains(ours, k) }) {
		return WithAdvice(fmt.Errorf("%w: the document has the lineage of %s, and a data key that has nothing to do with it", ErrTampered, location),
			"it may be forged: do not use it")
	}
	if d.header.Epoch >= here.header.Epoch {
		m.older = append(m.older, "it is under a data key that was made beside the one here")
	}
	return nil
}

// look takes a row of the state.
func (m *merge) look(row Row, o *opened) {
	m.here[row.Addr] = row
	r, ok := m.rows[row.Addr]
	switch {
	case !ok, m.same(r, row, o):
	case m.stale(r, row, o):
		m.older = append(m.older, fmt.Sprintf("it has %s at generation %d, and here is %d", row.Addr, r.Generation, row.Generation))
	default:
		m.lookAtSettings(r, row, o)
	}
}

// lookAtSettings: a document of a copy that went on by itself may have more refreshes of a
// record, and not what was applied to it here.
func (m *merge) lookAtSettings(r, here Row, o *opened) {
	theirs, err := openRow(m.from.box, r, PartInfo)
	ours, damaged := openRow(o.box, here, PartInfo) // what is damaged here may be replaced
	if err == nil && damaged == nil && theirs.Info.ConfigSerial < ours.Info.ConfigSerial {
		m.older = append(m.older, fmt.Sprintf("it has %s as of serial %d, and here is %d", r.Addr, theirs.Info.ConfigSerial, ours.Info.ConfigSerial))
	}
}

// lookBack takes what is kept of records that were removed here and would come back.
func (m *merge) lookBack(ctx context.Context, b Backend, o *opened) error {
	back := map[addr.Addr]bool{}
	err := b.Past(ctx, addr.Addr{}, 0, func(row Row) error {
		_, here := m.here[row.Addr]
		_, comes := m.rows[row.Addr]
		if comes && !here {
			back[row.Addr] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for a := range back {
		err := b.Past(ctx, a, PartAll, func(row Row) error {
			if row.Generation > m.former[a].Generation {
				m.former[a] = row
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.lookAtSettings(m.rows[a], m.former[a], o)
	}
	return nil
}

// stale: the state has had a later generation, or another of this number.
func (m *merge) stale(r, here Row, o *opened) bool {
	return r.Generation < here.Generation || r.Generation == here.Generation && !m.same(r, here, o)
}

// same: the very row, or the same record sealed again under another data key.
func (m *merge) same(r, here Row, o *opened) bool {
	switch {
	case r.Generation != here.Generation:
		return false
	case m.from.box.Commitment() == o.box.Commitment():
		return sameRow(r, here)
	}
	theirs, err := plainParts(m.from.box, r)
	ours, damaged := plainParts(o.box, here)
	return err == nil && damaged == nil && slices.EqualFunc(theirs, ours, bytes.Equal)
}

func sameRow(a, b Row) bool { return bytes.Equal(a.Info, b.Info) && bytes.Equal(a.Tokens, b.Tokens) }

// finish makes the changes, which cover every row that is there.
func (m *merge) finish(o *opened) ([]Change, error) {
	var changes []Change
	for _, row := range m.from.rows {
		here, there := m.here[row.Addr]
		delete(m.here, row.Addr)
		next, err := m.next(row, here, there, o)
		if err != nil {
			return nil, tampered(err)
		}
		changes = append(changes, Change{Row: next, Was: here.Generation})
		switch {
		case !there:
			m.p.Added = append(m.p.Added, row.Addr)
		case next.Generation != here.Generation:
			m.p.Changed = append(m.p.Changed, row.Addr)
		case row.Addr != addr.Outputs():
			m.p.Unchanged++
		}
	}
	for a, row := range m.here {
		m.p.Removed = append(m.p.Removed, a)
		changes = append(changes, Change{Row: Row{Summary: Summary{Addr: a}}, Was: row.Generation, Delete: true})
	}
	slices.SortFunc(m.p.Removed, addr.Compare)
	return changes, nil
}

// next is the row that will stand there: the document's, under the right key. It gets a new
// generation if the state has had a later one, and a new serial as well if what is older was forced:
// it is the newest for every machine then.
func (m *merge) next(row, here Row, there bool, o *opened) (Row, error) {
	before := here
	if !there {
		before = m.former[row.Addr]
	}
	forced := m.serial > 0 && (!there || !m.same(row, here, o))
	if forced || m.stale(row, before, o) {
		r, err := openRow(m.from.box, row, PartAll)
		if err != nil {
			return Row{}, err
		}
		r.Generation = max(row.Generation, before.Generation) + 1
		if forced {
			r.Info.ConfigSerial = m.serial
		}
		return sealRow(m.to, r)
	}
	if m.from.box.Commitment() == m.to.Commitment() {
		return row, nil
	}
	return resealRow(m.from.box, m.to, row)
}

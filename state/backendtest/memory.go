package backendtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Memory is a backend that forgets everything with the process. Its fields may
// be changed before its first use.
type Memory struct {
	// Fail, if set, is asked before every operation ("header", "get", "list",
	// "past", "write", "probe", "lock"); its error is the operation's error.
	Fail func(operation string) error

	mu      sync.Mutex
	header  *state.Header
	rows    map[addr.Addr]state.Row
	holders map[claim]state.Holder
	past    []state.Row // oldest first
	writes  int
}

// NewMemory returns an empty memory backend.
func NewMemory() state.Backend { return &Memory{} }

// Writes is how many batches have been written.
func (m *Memory) Writes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

func (m *Memory) begin(ctx context.Context, operation string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fail != nil {
		return m.Fail(operation)
	}
	return nil
}

// Header implements [state.Backend].
func (m *Memory) Header(ctx context.Context) (state.Header, error) {
	if err := m.begin(ctx, "header"); err != nil {
		return state.Header{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.header == nil {
		return state.Header{}, state.ErrNoState
	}
	h := *m.header
	h.Bytes = slices.Clone(h.Bytes)
	return h, nil
}

// Get implements [state.Backend].
func (m *Memory) Get(ctx context.Context, a addr.Addr, parts state.Part) (state.Row, error) {
	if err := m.begin(ctx, "get"); err != nil {
		return state.Row{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rows[a]
	if !ok {
		return state.Row{}, state.ErrNotFound
	}
	return only(r, parts), nil
}

// only is a copy of a row with the parts asked for.
func only(r state.Row, parts state.Part) state.Row {
	out := state.Row{Summary: r.Summary}
	if parts&state.PartInfo != 0 {
		out.Info = slices.Clone(r.Info)
	}
	if parts&state.PartTokens != 0 {
		out.Tokens = slices.Clone(r.Tokens)
	}
	return out
}

// List implements [state.Backend].
func (m *Memory) List(ctx context.Context, parts state.Part, f func(state.Row) error) error {
	if err := m.begin(ctx, "list"); err != nil {
		return err
	}
	m.mu.Lock()
	rows := make([]state.Row, 0, len(m.rows))
	for _, r := range m.rows {
		rows = append(rows, only(r, parts))
	}
	m.mu.Unlock()
	slices.SortFunc(rows, func(a, b state.Row) int { return cmp.Compare(a.Addr.String(), b.Addr.String()) })
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// Past implements [state.Backend].
func (m *Memory) Past(ctx context.Context, a addr.Addr, parts state.Part, f func(state.Row) error) error {
	if err := m.begin(ctx, "past"); err != nil {
		return err
	}
	m.mu.Lock()
	rows := slices.Clone(m.past)
	m.mu.Unlock()
	for _, r := range rows {
		if !a.IsZero() && r.Addr != a {
			continue
		}
		if err := errors.Join(ctx.Err(), f(only(r, parts))); err != nil {
			return err
		}
	}
	return nil
}

// Write implements [state.Backend].
func (m *Memory) Write(ctx context.Context, b state.Batch) error {
	if err := m.begin(ctx, "write"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkHeader(b); err != nil {
		return err
	}
	rows := make(map[addr.Addr]state.Row, len(m.rows))
	for a, r := range m.rows {
		rows[a] = r
	}
	conflict := &state.ConflictError{}
	touched := map[addr.Addr]bool{}
	past := slices.Clone(m.past)
	for i, c := range b.Changes {
		a := c.Row.Addr
		touched[a] = true
		if r, ok := rows[a]; ok != (c.Was != 0) || r.Generation != c.Was {
			conflict.Changes, conflict.Addrs = append(conflict.Changes, i), append(conflict.Addrs, a)
			continue
		}
		if c.Past != nil {
			past = slices.DeleteFunc(past, func(p state.Row) bool { return p.Addr == a })
			for _, r := range c.Past {
				past = append(past, only(r, state.PartAll))
			}
		} else if r, ok := rows[a]; ok && (c.Delete || r.Generation != c.Row.Generation) {
			past = kept(past, r)
		}
		if c.Delete {
			delete(rows, a)
		} else {
			rows[a] = only(c.Row, state.PartAll)
		}
	}
	if len(conflict.Changes) > 0 {
		return conflict
	}
	if b.Complete {
		for a := range m.rows {
			if !touched[a] {
				return fmt.Errorf("%w: %s is not in the batch", state.ErrConflict, a)
			}
		}
	}
	m.rows, m.past = rows, trimmed(past, rows)
	if b.Past != nil {
		m.past = nil
		for _, r := range b.Past {
			m.past = append(m.past, only(r, state.PartAll))
		}
	}
	m.writes++
	if b.Header != nil {
		h := *b.Header
		h.Bytes = slices.Clone(h.Bytes)
		m.header = &h
	}
	return nil
}

// kept adds a row to those that are kept.
func kept(past []state.Row, r state.Row) []state.Row {
	past = slices.DeleteFunc(past, func(p state.Row) bool { return p.Addr == r.Addr && p.Generation == r.Generation })
	return append(past, r)
}

// trimmed leaves out what is too much: all but the last generations of a record, all but the
// last generation of a removed one, and the records that were removed first.
func trimmed(past []state.Row, rows map[addr.Addr]state.Row) []state.Row {
	of, removed := map[addr.Addr]int{}, 0
	var out []state.Row
	for _, r := range slices.Backward(past) {
		of[r.Addr]++
		if _, there := rows[r.Addr]; there && of[r.Addr] > state.KeptGenerations {
			continue
		} else if !there {
			if of[r.Addr] > 1 {
				continue
			}
			if removed++; removed > state.KeptRemoved {
				continue
			}
		}
		out = append(out, r)
	}
	slices.Reverse(out)
	return out
}

// checkHeader checks the conditions of a batch on the header; m.mu is held.
func (m *Memory) checkHeader(b state.Batch) error {
	if b.Header != nil {
		var version uint64
		if m.header != nil {
			version = m.header.Version
		}
		if b.Header.Version != version+1 {
			return fmt.Errorf("write the header: %w", state.ErrConflict)
		}
		return nil
	}
	if m.header == nil {
		return state.ErrNoState
	}
	if m.header.Epoch != b.Epoch {
		return state.ErrRekeyed
	}
	return nil
}

// Probe implements [state.Backend].
func (m *Memory) Probe(ctx context.Context) error { return m.begin(ctx, "probe") }

// Lock implements [state.Backend].
func (m *Memory) Lock(ctx context.Context, a addr.Addr, who state.Holder) (state.Unlock, error) {
	return m.hold(ctx, claim{addr: a}, who)
}

// Lease implements [state.Backend].
func (m *Memory) Lease(ctx context.Context, a addr.Addr, who state.Holder) (state.Unlock, error) {
	return m.hold(ctx, claim{addr: a, lease: true}, who)
}

// claim is what somebody can hold.
type claim struct {
	addr  addr.Addr
	lease bool
}

func (m *Memory) hold(ctx context.Context, c claim, who state.Holder) (state.Unlock, error) {
	if m.Fail != nil {
		if err := m.Fail("lock"); err != nil {
			return nil, err
		}
	}
	for {
		holder, ok := m.tryLock(c, who)
		if ok {
			var once sync.Once
			return func() { once.Do(func() { m.unlock(c) }) }, nil
		}
		t := time.NewTimer(time.Millisecond + rand.N(2*time.Millisecond)) // jitter
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, &state.BusyError{Addr: c.addr, Lease: c.lease, Holder: holder, Cause: context.Cause(ctx)}
		case <-t.C:
		}
	}
}

func (m *Memory) tryLock(c claim, who state.Holder) (state.Holder, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h, held := m.holders[c]; held {
		return h, false
	}
	if m.holders == nil {
		m.holders = map[claim]state.Holder{}
	}
	m.holders[c] = who
	return who, true
}

func (m *Memory) unlock(c claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.holders, c)
}

// Held implements [state.Backend].
func (m *Memory) Held(context.Context, []addr.Addr) ([]state.Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []state.Held
	for c, who := range m.holders {
		out = append(out, state.Held{Addr: c.addr, Lease: c.lease, Holder: who})
	}
	return out, nil
}

// Location implements [state.Backend].
func (m *Memory) Location() string { return "memory" }

// Close implements [state.Backend]; what is kept stays.
func (m *Memory) Close() error { return nil }

package state_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// liar is a backend that gives out another row, or another header, than it has.
type liar struct {
	state.Backend
	row    *state.Row
	header *state.Header
}

func (l *liar) Get(ctx context.Context, a addr.Addr, parts state.Part) (state.Row, error) {
	if l.row != nil {
		return *l.row, nil
	}
	return l.Backend.Get(ctx, a, parts)
}

func (l *liar) Header(ctx context.Context) (state.Header, error) {
	if l.header != nil {
		return *l.header, nil
	}
	return l.Backend.Header(ctx)
}

func (l *liar) Close() error { return nil }

// damaged is a state with three connections, each of which has an older
// generation, and what came of reading it after it was changed.
type damaged struct {
	t        *testing.T
	alice    person
	liar     *liar
	store    *state.Store
	now, old []state.Row

	cases, detected, harmless, wrong, panics int
}

func newDamaged(t *testing.T) *damaged {
	t.Helper()
	d := &damaged{t: t, alice: newPerson(t), liar: &liar{Backend: backendtest.NewMemory()}}
	d.store = create(t, openStore(t, d.liar, d.alice))
	for _, name := range []string{"graph", "mail", "print"} {
		r := record(name)
		must(t, d.store.Put(t.Context(), r))
		d.old = append(d.old, d.row(r.Addr))
		r.Tokens.AccessToken, r.Tokens.RefreshToken = "at2-"+r.Tokens.AccessToken, "rt2-"+r.Tokens.RefreshToken
		must(t, d.store.Put(t.Context(), r))
		d.now = append(d.now, d.row(r.Addr))
	}
	return d
}

func (d *damaged) row(a addr.Addr) state.Row {
	d.t.Helper()
	row, err := d.liar.Backend.Get(d.t.Context(), a, state.PartAll)
	must(d.t, err)
	return row
}

// reads reads a row that was changed, as token does: the change is detected, or
// what is read is what was written.
func (d *damaged) reads(what string, store *state.Store, asked state.Row, right string) {
	d.cases++
	defer func() {
		if r := recover(); r != nil {
			d.panics++
			d.t.Errorf("%s: panic: %v", what, r)
		}
	}()
	got, err := store.Get(d.t.Context(), asked.Addr, state.PartAll)
	switch {
	case errors.Is(err, state.ErrTampered), errors.Is(err, state.ErrFormat), errors.Is(err, state.ErrNoKey):
		d.detected++
	case err == nil && got.Tokens.AccessToken.Reveal() == right && got.Summary == asked.Summary:
		d.harmless++
	default:
		d.wrong++
		d.t.Errorf("%s: read as %v, %v", what, got, err)
	}
}

// instead reads bad in the place of the ith connection.
func (d *damaged) instead(what string, i int, bad state.Row) {
	d.liar.row = &bad
	d.reads(what, d.store, d.now[i], "at2-at-"+d.now[i].Addr.Name)
	d.liar.row = nil
}

// sealed visits the two sealed parts of a row.
func sealed(row state.Row, f func(name string, part []byte, with func([]byte) state.Row)) {
	f("info", row.Info, func(b []byte) state.Row { row := row; row.Info = b; return row })
	f("tokens", row.Tokens, func(b []byte) state.Row { row := row; row.Tokens = b; return row })
}

func (d *damaged) flip() {
	for i, row := range d.now {
		sealed(row, func(name string, part []byte, with func([]byte) state.Row) {
			for bit := range 8 * len(part) {
				b := slices.Clone(part)
				b[bit/8] ^= 1 << (bit % 8)
				d.instead(fmt.Sprintf("%s: bit %d of %s", row.Addr, bit, name), i, with(b))
			}
		})
	}
}

func (d *damaged) cut() {
	for i, row := range d.now {
		sealed(row, func(name string, part []byte, with func([]byte) state.Row) {
			for n := range len(part) {
				d.instead(fmt.Sprintf("%s: %s cut to %d", row.Addr, name, n), i, with(part[:n]))
			}
			for n := range 64 {
				d.instead(fmt.Sprintf("%s: %s longer by %d", row.Addr, name, n+1), i, with(append(slices.Clone(part), make([]byte, n+1)...)))
			}
		})
	}
}

// swap puts every part that was ever written into the place of every other.
func (d *damaged) swap() {
	var parts [][]byte
	for _, row := range slices.Concat(d.now, d.old) {
		parts = append(parts, row.Info, row.Tokens)
	}
	for i, row := range d.now {
		sealed(row, func(name string, part []byte, with func([]byte) state.Row) {
			for j, other := range parts {
				if !slices.Equal(other, part) {
					d.instead(fmt.Sprintf("%s: part %d as %s", row.Addr, j, name), i, with(other))
				}
			}
		})
		for j, other := range slices.Concat(d.now, d.old) {
			if other.Addr != row.Addr {
				other.Summary = row.Summary
				d.instead(fmt.Sprintf("row %d as %s", j, row.Addr), i, other)
			}
		}
		older := d.old[i]
		older.Summary = row.Summary
		d.instead(fmt.Sprintf("%s: the older generation", row.Addr), i, older)
	}
}

// relabel changes what stands in clear.
func (d *damaged) relabel() {
	for i, row := range d.now {
		for what, change := range map[string]func(*state.Row){
			"provider":   func(r *state.Row) { r.Provider += "x" },
			"status":     func(r *state.Row) { r.Status = state.StatusUnknown },
			"end":        func(r *state.Row) { r.ExpiresAt = r.ExpiresAt.Add(time.Hour) },
			"consent":    func(r *state.Row) { r.RefreshExpiresAt = r.ExpiresAt },
			"update":     func(r *state.Row) { r.UpdatedAt = r.UpdatedAt.Add(time.Second) },
			"generation": func(r *state.Row) { r.Generation++ },
			"address":    func(r *state.Row) { r.Addr = addr.Connection("other") },
		} {
			bad := row
			change(&bad)
			d.instead(fmt.Sprintf("%s: %s", row.Addr, what), i, bad)
		}
	}
}

// heads changes every bit of the header that says which key opens the rows.
func (d *damaged) heads() {
	h, err := d.liar.Backend.Header(d.t.Context())
	must(d.t, err)
	for bit := range 8 * len(h.Bytes) {
		bad := h
		bad.Bytes = slices.Clone(h.Bytes)
		bad.Bytes[bit/8] ^= 1 << (bit % 8)
		d.liar.header = &bad
		d.reads(fmt.Sprintf("bit %d of the header", bit), openStore(d.t, d.liar, d.alice), d.now[0], "at2-at-graph")
	}
	d.liar.header = nil
}

// Every bit of a state with three connections is changed, every part is cut,
// lengthened, and put in the place of every other: nothing that was changed is
// read as a token.
func TestEveryByteOfAState(t *testing.T) {
	d := newDamaged(t)
	for i, row := range d.now {
		d.instead("as it is", i, row)
	}
	if d.harmless != 3 {
		t.Fatalf("unchanged, %d of 3 are read", d.harmless)
	}
	d.cases, d.harmless = 0, 0
	var lines []string
	for _, kind := range []struct {
		what string
		do   func()
	}{{"bits of sealed rows", d.flip}, {"cut or longer", d.cut}, {"swapped or older", d.swap}, {"changed in clear", d.relabel}, {"bits of the header", d.heads}} {
		before := d.cases
		kind.do()
		lines = append(lines, fmt.Sprintf("%d %s", d.cases-before, kind.what))
	}
	t.Logf("proof: records: %d changes of a state with three connections (%s): %d detected, %d harmless (the right token), %d wrong, %d panics",
		d.cases, strings.Join(lines, ", "), d.detected, d.harmless, d.wrong, d.panics)
}

// Package backendtest has the suite that every state.Backend must pass, and a
// backend in memory for the tests of others.
//
// It does not know how a backend stores what it is given.
package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Run runs the suite. open gives an empty backend with every call. reopen, if
// not nil, opens again what a backend of open has stored, as another process would.
func Run(t *testing.T, open func(t *testing.T) state.Backend, reopen func(t *testing.T, b state.Backend) state.Backend) {
	tests := []struct {
		name string
		f    func(*testing.T, state.Backend)
	}{
		{"nothing is there before the first header", testEmpty},
		{"a header is written only over the version before it", testHeaderVersions},
		{"the first header may come with rows", testFirstRows},
		{"rows of another epoch are refused", testEpoch},
		{"a row comes back as it was put", testRoundTrip},
		{"only the parts asked for come back", testParts},
		{"a write needs the generation that is there", testGenerations},
		{"a batch is all or nothing and names every conflict", testAtomic},
		{"changes of one batch see each other in order", testOrderInBatch},
		{"a complete batch covers every row", testComplete},
		{"a list is in the order of the addresses", testList},
		{"an error of the callback ends a list", testListError},
		{"large values and unusual addresses", testUnusual},
		{"earlier generations are kept, and not for ever", testPast},
		{"the last generation of a removed record is kept", testPastRemoved},
		{"the records that were removed first are forgotten", testPastBounded},
		{"a batch can replace all that is kept", testPastReplaced},
		{"a change can replace what is kept of its address", testPastMoved},
		{"a change can leave nothing of what is kept", testPastForgotten},
		{"what is refused keeps nothing", testPastOfConflict},
		{"a probe changes nothing", testProbe},
		{"what is returned does not share memory", testIsolation},
		{"a context that has ended stops an operation", testContext},
		{"one of many writers of a generation wins", testRace},
		{"a lock keeps others out until it is released", testLock},
		{"locks of different addresses do not meet", testLocksIndependent},
		{"waiting for a lock ends with the context", testLockWait},
		{"many goroutines count under a lock", testLockCounter},
		{"a lease keeps out leases and no locks", testLease},
		{"who holds what can be listed", testHeld},
		{"a location is told", func(t *testing.T, b state.Backend) {
			if b.Location() == "" {
				t.Error("no location")
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := open(t)
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.f(t, b)
		})
	}
	if reopen != nil {
		t.Run("what was written is there after opening again", func(t *testing.T) { testReopen(t, open(t), reopen) })
	}
}

// begin writes the first header.
func begin(t *testing.T, b state.Backend) {
	t.Helper()
	h := state.Header{Version: 1, Epoch: 1, Bytes: []byte("header 1")}
	if err := b.Write(t.Context(), state.Batch{Header: &h}); err != nil {
		t.Fatalf("first header: %v", err)
	}
}

// row is a row with every column set.
func row(a addr.Addr, generation uint64) state.Row {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return state.Row{
		Summary: state.Summary{
			Addr: a, Provider: "microsoft", Status: state.StatusOK, Generation: generation,
			ExpiresAt: at, RefreshExpiresAt: at.Add(90 * 24 * time.Hour), UpdatedAt: at.Add(-time.Hour),
		},
		Info:   []byte(fmt.Sprintf("info of %s at %d", a, generation)),
		Tokens: []byte(fmt.Sprintf("tokens of %s at %d", a, generation)),
	}
}

func put(r state.Row) state.Change { return state.Change{Row: r, Was: r.Generation - 1} }

func write(t *testing.T, b state.Backend, changes ...state.Change) {
	t.Helper()
	if err := b.Write(t.Context(), state.Batch{Epoch: 1, Changes: changes}); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func get(t *testing.T, b state.Backend, a addr.Addr) state.Row {
	t.Helper()
	r, err := b.Get(t.Context(), a, state.PartAll)
	if err != nil {
		t.Fatalf("get %s: %v", a, err)
	}
	return r
}

func list(t *testing.T, b state.Backend, parts state.Part) []state.Row {
	t.Helper()
	var out []state.Row
	err := b.List(t.Context(), parts, func(r state.Row) error {
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return out
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func wantRow(t *testing.T, got, want state.Row) {
	t.Helper()
	if bytes.Equal(got.Info, want.Info) && bytes.Equal(got.Tokens, want.Tokens) {
		got.Info, got.Tokens, want.Info, want.Tokens = nil, nil, nil, nil // cmp is slow on large values
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("row (-want +got):\n%s", d)
	}
}

var graph, mail = addr.Connection("graph"), addr.Connection("mail")

func testEmpty(t *testing.T, b state.Backend) {
	_, err := b.Header(t.Context())
	wantIs(t, err, state.ErrNoState)
	_, err = b.Get(t.Context(), graph, state.PartAll)
	if !errors.Is(err, state.ErrNoState) && !errors.Is(err, state.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{put(row(graph, 1))}}), state.ErrNoState)
	h := state.Header{Version: 2, Epoch: 1, Bytes: []byte("x")}
	if err := b.Write(t.Context(), state.Batch{Header: &h}); err == nil {
		t.Error("a second header was written before the first")
	}
}

func testHeaderVersions(t *testing.T, b state.Backend) {
	begin(t, b)
	first := state.Header{Version: 1, Epoch: 1, Bytes: []byte("another first")}
	wantIs(t, b.Write(t.Context(), state.Batch{Header: &first}), state.ErrConflict)
	skip := state.Header{Version: 3, Epoch: 1, Bytes: []byte("skips one")}
	wantIs(t, b.Write(t.Context(), state.Batch{Header: &skip}), state.ErrConflict)
	second := state.Header{Version: 2, Epoch: 7, Bytes: []byte("header 2")}
	if err := b.Write(t.Context(), state.Batch{Header: &second}); err != nil {
		t.Fatal(err)
	}
	wantIs(t, b.Write(t.Context(), state.Batch{Header: &second}), state.ErrConflict)
	got, err := b.Header(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(second, got); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
}

func testFirstRows(t *testing.T, b state.Backend) {
	h := state.Header{Version: 1, Epoch: 1, Bytes: []byte("header 1")}
	bad := state.Batch{Header: &h, Epoch: 1, Changes: []state.Change{put(row(graph, 1)), put(row(mail, 2))}}
	wantIs(t, b.Write(t.Context(), bad), state.ErrConflict)
	_, err := b.Header(t.Context())
	wantIs(t, err, state.ErrNoState)
	good := state.Batch{Header: &h, Epoch: 1, Changes: []state.Change{put(row(graph, 1)), put(row(mail, 1))}}
	if err := b.Write(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	wantRow(t, get(t, b, mail), row(mail, 1))
}

func testEpoch(t *testing.T, b state.Backend) {
	begin(t, b)
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 2, Changes: []state.Change{put(row(graph, 1))}}), state.ErrRekeyed)
	_, err := b.Get(t.Context(), graph, state.PartAll)
	wantIs(t, err, state.ErrNotFound)
}

func testRoundTrip(t *testing.T, b state.Backend) {
	begin(t, b)
	want := row(graph, 1)
	write(t, b, put(want))
	wantRow(t, get(t, b, graph), want)

	bare := state.Row{Summary: state.Summary{Addr: mail, Status: state.StatusUnknown, Generation: 1}, Info: []byte{0}, Tokens: []byte{0xff}}
	write(t, b, put(bare))
	wantRow(t, get(t, b, mail), bare)

	write(t, b, state.Change{Row: state.Row{Summary: state.Summary{Addr: graph}}, Was: 1, Delete: true})
	_, err := b.Get(t.Context(), graph, state.PartAll)
	wantIs(t, err, state.ErrNotFound)
}

func testParts(t *testing.T, b state.Backend) {
	begin(t, b)
	full := row(graph, 1)
	write(t, b, put(full))
	for _, parts := range []state.Part{0, state.PartInfo, state.PartTokens, state.PartAll} {
		got, err := b.Get(t.Context(), graph, parts)
		if err != nil {
			t.Fatal(err)
		}
		want := only(full, parts)
		wantRow(t, got, want)
		if rows := list(t, b, parts); len(rows) != 1 {
			t.Errorf("list: %d rows", len(rows))
		} else {
			wantRow(t, rows[0], want)
		}
	}
}

func testGenerations(t *testing.T, b state.Backend) {
	begin(t, b)
	one, two := row(graph, 1), row(graph, 2)
	write(t, b, put(one), put(row(mail, 1)))
	stale := []struct {
		name   string
		change state.Change
	}{
		{"new, but it exists", state.Change{Row: one}},
		{"a generation ahead", state.Change{Row: row(graph, 6), Was: 5}},
		{"change of what is not there", state.Change{Row: row(addr.Connection("none"), 2), Was: 1}},
		{"delete of another generation", state.Change{Row: one, Was: 2, Delete: true}},
		{"delete of what is not there", state.Change{Row: row(addr.Connection("none"), 1), Was: 1, Delete: true}},
	}
	for _, c := range stale {
		err := b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{c.change}})
		if !errors.Is(err, state.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", c.name, err)
		}
		wantRow(t, get(t, b, graph), one)
	}
	write(t, b, put(two))
	wantRow(t, get(t, b, graph), two)
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{put(two)}}), state.ErrConflict)
	wantRow(t, get(t, b, mail), row(mail, 1))
}

func testAtomic(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	err := b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{
		put(row(addr.Connection("a"), 1)),
		{Row: row(graph, 5), Was: 4},
		put(row(mail, 2)),
		{Row: row(addr.Connection("none"), 3), Was: 2, Delete: true},
	}})
	var conflict *state.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("error %v, want a *ConflictError", err)
	}
	if d := cmp.Diff([]int{1, 3}, conflict.Changes); d != "" {
		t.Errorf("conflicts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]addr.Addr{graph, addr.Connection("none")}, conflict.Addrs); d != "" {
		t.Errorf("addresses (-want +got):\n%s", d)
	}
	if rows := list(t, b, 0); len(rows) != 2 {
		t.Errorf("%d rows after a batch that failed", len(rows))
	}
	wantRow(t, get(t, b, mail), row(mail, 1))

	h := state.Header{Version: 2, Epoch: 2, Bytes: []byte("header 2")}
	err = b.Write(t.Context(), state.Batch{Header: &h, Epoch: 2, Changes: []state.Change{{Row: row(graph, 5), Was: 4}}})
	wantIs(t, err, state.ErrConflict)
	if got, err := b.Header(t.Context()); err != nil || got.Version != 1 {
		t.Errorf("the header of a batch that failed was written: %v, %v", got, err)
	}
}

func testOrderInBatch(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(graph, 2)), put(row(mail, 1)),
		state.Change{Row: row(mail, 1), Was: 1, Delete: true})
	wantRow(t, get(t, b, graph), row(graph, 2))
	_, err := b.Get(t.Context(), mail, 0)
	wantIs(t, err, state.ErrNotFound)
}

func testComplete(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	h := state.Header{Version: 2, Epoch: 2, Bytes: []byte("header 2")}
	again := func(a addr.Addr) state.Change {
		r := row(a, 1) // sealed again: the generation stays
		r.Info = []byte("sealed again")
		return state.Change{Row: r, Was: 1}
	}
	err := b.Write(t.Context(), state.Batch{Header: &h, Epoch: 2, Complete: true, Changes: []state.Change{again(graph)}})
	wantIs(t, err, state.ErrConflict)
	wantRow(t, get(t, b, graph), row(graph, 1))
	err = b.Write(t.Context(), state.Batch{Header: &h, Epoch: 2, Complete: true, Changes: []state.Change{again(graph), again(mail)}})
	if err != nil {
		t.Fatal(err)
	}
	wantRow(t, get(t, b, mail), again(mail).Row)
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{put(row(graph, 2))}}), state.ErrRekeyed)
}

func testList(t *testing.T, b state.Backend) {
	begin(t, b)
	if rows := list(t, b, state.PartAll); len(rows) != 0 {
		t.Errorf("%d rows in an empty state", len(rows))
	}
	addrs := []addr.Addr{ // in the byte order of their text
		addr.Connection("B"), addr.Connection("a"), addr.Connection("a-b"),
		addr.Connection("a").Instance(""), addr.Connection("a").Instance("x"), addr.Connection("a_"),
		addr.Connection("b"),
	}
	for i := range addrs { // written in another order
		a := addrs[(i*3)%len(addrs)]
		write(t, b, put(row(a, 1)))
	}
	var got []addr.Addr
	for _, r := range list(t, b, state.PartInfo) {
		got = append(got, r.Addr)
		wantRow(t, r, only(row(r.Addr, 1), state.PartInfo))
	}
	if d := cmp.Diff(addrs, got); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
}

func testListError(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	stop := errors.New("enough")
	n := 0
	err := b.List(t.Context(), state.PartAll, func(state.Row) error { n++; return stop })
	wantIs(t, err, stop)
	if n != 1 {
		t.Errorf("called %d times", n)
	}
	write(t, b, put(row(graph, 2))) // the list has let go of everything
}

func testUnusual(t *testing.T, b state.Backend) {
	begin(t, b)
	keys := []string{"", " ", `"`, `\`, "'; DROP TABLE record; --", "a]b", "ä", "日本", "\x00", "\n", "\u202e", "%", "_", "A", "a", string(bytes.Repeat([]byte("k"), 2000))}
	for _, k := range keys {
		a := addr.Connection("c").Instance(k)
		write(t, b, put(row(a, 1)))
	}
	if n := len(list(t, b, 0)); n != len(keys) {
		t.Errorf("%d rows, want %d", n, len(keys))
	}
	for _, k := range keys {
		a := addr.Connection("c").Instance(k)
		wantRow(t, get(t, b, a), row(a, 1))
	}
	big := row(graph, 1)
	big.Info, big.Tokens = bytes.Repeat([]byte{0, 1, 2, 0xff}, 256<<10), bytes.Repeat([]byte("t"), 3<<20)
	big.Provider = "名前 with spaces"
	write(t, b, put(big))
	wantRow(t, get(t, b, graph), big)
	big.Generation, big.Info = 2, []byte("small again")
	write(t, b, put(big))
	wantRow(t, get(t, b, graph), big)
}

func testProbe(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)))
	before, err := b.Header(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := b.Probe(t.Context()); err != nil {
			t.Fatalf("probe: %v", err)
		}
	}
	after, err := b.Header(t.Context())
	if d := cmp.Diff(before, after); d != "" || err != nil {
		t.Errorf("header (-before +after): %v\n%s", err, d)
	}
	wantRow(t, get(t, b, graph), row(graph, 1))
}

func testIsolation(t *testing.T, b state.Backend) {
	begin(t, b)
	r := row(graph, 1)
	write(t, b, put(r))
	r.Info[0] = 'X'
	got := get(t, b, graph)
	wantRow(t, got, row(graph, 1))
	got.Tokens[0] = 'X'
	wantRow(t, get(t, b, graph), row(graph, 1))
}

func testReopen(t *testing.T, b state.Backend, reopen func(*testing.T, state.Backend) state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	other := reopen(t, b) // while the first is still open
	defer other.Close()   // only read
	wantRow(t, get(t, other, graph), row(graph, 1))
	write(t, b, put(row(graph, 2)))
	wantRow(t, get(t, other, graph), row(graph, 2))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, b)
	defer again.Close() // only read
	wantRow(t, get(t, again, graph), row(graph, 2))
	if h, err := again.Header(t.Context()); err != nil || string(h.Bytes) != "header 1" {
		t.Errorf("header %v, %v", h, err)
	}
	if n := len(list(t, again, 0)); n != 2 {
		t.Errorf("%d rows", n)
	}
}

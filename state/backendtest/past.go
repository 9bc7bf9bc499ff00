package backendtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// past is what is kept, as ADDRESS/GENERATION; every row has to be what it was.
func past(t *testing.T, b state.Backend, a addr.Addr) []string {
	t.Helper()
	out := []string{}
	err := b.Past(t.Context(), a, state.PartAll, func(r state.Row) error {
		wantRow(t, r, row(r.Addr, r.Generation))
		out = append(out, fmt.Sprintf("%s/%d", r.Addr.Name, r.Generation))
		return nil
	})
	if err != nil {
		t.Fatalf("past: %v", err)
	}
	return out
}

func wantPast(t *testing.T, b state.Backend, a addr.Addr, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if d := cmp.Diff(want, past(t, b, a)); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
}

// remove deletes a record of a generation.
func remove(a addr.Addr, generation uint64) state.Change {
	return state.Change{Row: state.Row{Summary: state.Summary{Addr: a}}, Was: generation, Delete: true}
}

func testPast(t *testing.T, b state.Backend) {
	begin(t, b)
	wantPast(t, b, graph)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	wantPast(t, b, addr.Addr{})
	write(t, b, put(row(graph, 2)))
	write(t, b, put(row(mail, 2)), put(row(graph, 3)))
	wantPast(t, b, graph, "graph/1", "graph/2")
	wantPast(t, b, addr.Addr{}, "graph/1", "mail/1", "graph/2")
	write(t, b, state.Change{Row: row(graph, 3), Was: 3}) // sealed again
	wantPast(t, b, graph, "graph/1", "graph/2")
	for g := uint64(4); g < 10; g++ {
		write(t, b, put(row(graph, g)))
	}
	wantPast(t, b, graph, "graph/4", "graph/5", "graph/6", "graph/7", "graph/8")
	wantPast(t, b, mail, "mail/1")
	err := b.Past(t.Context(), graph, 0, func(r state.Row) error {
		if r.Info != nil || r.Tokens != nil {
			t.Error("parts came that nobody asked for")
		}
		return errStop
	})
	wantIs(t, err, errStop)
}

var errStop = errors.New("stop")

func testPastRemoved(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)))
	write(t, b, put(row(graph, 2)))
	write(t, b, put(row(graph, 3)))
	write(t, b, remove(graph, 3))
	wantPast(t, b, graph, "graph/3")
	write(t, b, state.Change{Row: row(graph, 4)}) // it comes back
	wantPast(t, b, graph, "graph/3")
	write(t, b, put(row(graph, 5)))
	wantPast(t, b, graph, "graph/3", "graph/4")
}

func testPastBounded(t *testing.T, b state.Backend) {
	begin(t, b)
	const more = 3
	var made, gone []state.Change
	for i := range state.KeptRemoved + more {
		a := addr.Connection(fmt.Sprintf("c%03d", i))
		made, gone = append(made, put(row(a, 1))), append(gone, remove(a, 1))
	}
	write(t, b, made...)
	write(t, b, put(row(addr.Connection("c000"), 2))) // lives on: its past is not among the removed
	write(t, b, gone[1:]...)
	got := past(t, b, addr.Addr{})
	if len(got) != state.KeptRemoved+1 || got[0] != "c000/1" || got[1] != fmt.Sprintf("c%03d/1", more) {
		t.Errorf("%d kept: %v", len(got), got)
	}
}

func testPastReplaced(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	write(t, b, put(row(graph, 2)), remove(mail, 1))
	h := state.Header{Version: 2, Epoch: 2, Bytes: []byte("header 2")}
	batch := state.Batch{Header: &h, Epoch: 2, Past: []state.Row{row(mail, 1), row(graph, 1)}, Changes: []state.Change{put(row(graph, 3))}}
	if err := b.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	wantPast(t, b, addr.Addr{}, "mail/1", "graph/1")
	h.Version, batch.Past, batch.Changes = 3, []state.Row{}, nil
	if err := b.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	wantPast(t, b, addr.Addr{})
	wantRow(t, get(t, b, graph), row(graph, 3))
}

func testPastMoved(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	write(t, b, put(row(graph, 2)), put(row(mail, 2)))
	write(t, b, remove(mail, 2))
	gone := remove(graph, 2)
	gone.Past = []state.Row{}
	write(t, b, gone, state.Change{Row: row(mail, 5), Past: []state.Row{row(mail, 2), row(mail, 3)}})
	wantPast(t, b, graph)
	wantPast(t, b, mail, "mail/2", "mail/3")
	write(t, b, put(row(mail, 6)))
	wantPast(t, b, mail, "mail/2", "mail/3", "mail/5")
	write(t, b, remove(mail, 6))
	wantPast(t, b, addr.Addr{}, "mail/6")
	again := state.Change{Row: row(graph, 1), Was: 9, Past: []state.Row{row(graph, 8)}}
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{again}}), state.ErrConflict)
	wantPast(t, b, graph)
}

func testPastForgotten(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)), put(row(mail, 1)))
	write(t, b, put(row(graph, 2)), put(row(mail, 2)))
	write(t, b, state.Change{Row: row(graph, 3), Was: 2, Past: []state.Row{}}) // nothing else stays
	wantPast(t, b, addr.Addr{}, "mail/1")
	write(t, b, state.Change{Row: row(mail, 2), Was: 2, Past: []state.Row{}}) // as it is
	wantPast(t, b, addr.Addr{})
	wantRow(t, get(t, b, mail), row(mail, 2))
	write(t, b, put(row(graph, 4)))

	gone := remove(graph, 4) // another row stands for what was removed
	gone.Past = []state.Row{row(graph, 5)}
	write(t, b, gone)
	wantPast(t, b, graph, "graph/5")
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: row(mail, 2), Delete: true, Past: []state.Row{}}}}), state.ErrConflict)
	write(t, b, state.Change{Row: row(graph, 0), Delete: true, Past: []state.Row{}}) // nothing of it stays
	wantPast(t, b, addr.Addr{})

	var made, buried []state.Change // what stands for removed records is bounded as they are
	for i := range state.KeptRemoved + 1 {
		a := addr.Connection(fmt.Sprintf("c%03d", i))
		c := remove(a, 1)
		c.Past = []state.Row{row(a, 1), row(a, 2)}
		made, buried = append(made, put(row(a, 1))), append(buried, c)
	}
	write(t, b, made...)
	write(t, b, buried...)
	if got := past(t, b, addr.Addr{}); len(got) != state.KeptRemoved || got[0] != "c001/2" {
		t.Errorf("%d kept: %v", len(got), got)
	}
}

func testPastOfConflict(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)))
	wantIs(t, b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{put(row(graph, 2)), put(row(mail, 7))}}), state.ErrConflict)
	wantPast(t, b, addr.Addr{})
}

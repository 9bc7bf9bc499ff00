package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// history is a configuration that people rename things in, writing moved blocks.
// Every connection has a client id that never changes, so that it can be known again.
type history struct {
	now    map[string]addr.Addr // client id → present address
	moved  []schema.Moved
	names  int
	states []map[string]addr.Addr // addresses after each step: what some state may hold
}

func (h *history) fresh(what string) string {
	h.names++
	return fmt.Sprintf("%s%03d", what, h.names)
}

func (h *history) ids() []string {
	var ids []string
	for id := range h.now {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (h *history) move(from, to addr.Addr) {
	h.moved = append(h.moved, schema.Moved{From: from, To: to})
}

// step renames a block or a key, or gives or takes a for_each.
func (h *history) step(t *rapid.T) {
	a := h.now[rapid.SampledFrom(h.ids()).Draw(t, "which")]
	switch kind := rapid.SampledFrom([]string{"block", "key", "for_each"}).Draw(t, "kind"); {
	case kind == "block":
		to := addr.Connection(h.fresh("c"))
		for id, b := range h.now {
			if b.Block() == a.Block() {
				h.now[id] = to
				if b.Keyed {
					h.now[id] = to.Instance(b.Key)
				}
			}
		}
		h.move(a.Block(), to)
	case kind == "key" && a.Keyed:
		h.rename(a, a.Block().Instance(h.fresh("k")))
	case kind == "for_each" && !a.Keyed:
		h.rename(a, a.Instance(h.fresh("k")))
	case kind == "for_each": // out of its block
		h.rename(a, addr.Connection(h.fresh("c")))
	}
	at := map[string]addr.Addr{}
	for id, b := range h.now {
		at[id] = b
	}
	h.states = append(h.states, at)
}

func (h *history) rename(from, to addr.Addr) {
	for id, b := range h.now {
		if b == from {
			h.now[id] = to
		}
	}
	h.move(from, to)
}

// Renaming never costs a consent, whoever has seen how much of the history: a
// plan moves every record to the connection that it belongs to, asks nobody,
// and revokes nothing.
func TestRenamingNeverCostsAConsent(tb *testing.T) {
	rapid.Check(tb, func(t *rapid.T) {
		h := &history{now: map[string]addr.Addr{}}
		for i := range rapid.IntRange(1, 4).Draw(t, "blocks") {
			block := addr.Connection(h.fresh("c"))
			n := rapid.IntRange(0, 3).Draw(t, "instances")
			for j := range n {
				h.now[fmt.Sprintf("client-%d-%d", i, j)] = block.Instance(h.fresh("k"))
			}
			if n == 0 {
				h.now[fmt.Sprintf("client-%d", i)] = block
			}
		}
		h.states = append(h.states, map[string]addr.Addr{})
		for id, a := range h.now {
			h.states[0][id] = a
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			h.step(t)
		}
		in := plan.Input{Now: now, Lineage: "L", Serial: 1}
		for _, id := range h.ids() {
			w := wantOf(tb, line{name: h.now[id].String()})
			w.ClientID = id
			in.Wants = append(in.Wants, w)
		}
		held := rapid.SampledFrom(h.states).Draw(t, "state")
		for id, a := range held {
			r := recordOf(tb, line{name: a.String()})
			r.Info.Client.ClientID = id
			in.Records = append(in.Records, r)
		}
		slices.SortFunc(in.Wants, func(a, b plan.Want) int { return addr.Compare(a.Addr, b.Addr) })
		slices.SortFunc(in.Records, func(a, b *state.Record) int { return addr.Compare(a.Addr, b.Addr) })
		var err error
		if in.Records, in.Moved, err = plan.MoveRecords(in.Records, h.moved); err != nil {
			t.Fatal(err)
		}
		p, err := plan.Compute(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Changes {
			if c.Action != plan.NoOp && c.Action != plan.Move || c.NeedsUser {
				t.Errorf("%s: %s %v\nmoved: %v", c.Addr, c.Action, c.Reasons, h.moved)
			}
		}
		if len(p.Changes) != len(h.now) {
			t.Errorf("%d changes for %d connections", len(p.Changes), len(h.now))
		}
	})
}

package plan

import (
	"fmt"
	"slices"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// MoveRecords gives the records that have moved their new addresses, sorted, and
// says from where they came. Nothing is changed in the records given. It fails if moves lead in a
// circle, or if two records would end at one address: one of them is a consent
// that would be lost.
func MoveRecords(records []*state.Record, list []schema.Moved) ([]*state.Record, map[addr.Addr]addr.Addr, error) {
	if len(list) == 0 {
		return records, nil, nil
	}
	ms := schema.NewMoves(list)
	var from map[addr.Addr]addr.Addr
	out := slices.Clone(records)
	for i, r := range records {
		a, ok := ms.End(r.Addr)
		if !ok {
			return nil, nil, fmt.Errorf("the moved blocks lead %s in a circle", r.Addr)
		}
		if a == r.Addr {
			continue
		}
		if from == nil {
			from = map[addr.Addr]addr.Addr{}
		}
		from[a] = r.Addr
		moved := *r
		moved.Addr = a
		out[i] = &moved
	}
	if from == nil {
		return records, nil, nil
	}
	slices.SortStableFunc(out, func(a, b *state.Record) int { return addr.Compare(a.Addr, b.Addr) })
	for i := range out[1:] {
		if a := out[i].Addr; a == out[i+1].Addr {
			return nil, nil, fmt.Errorf("%s has moved to %s, but the state has something there already: "+
				"to keep what is there, run: oauthctl state rm '%s'", from[a], a, from[a])
		}
	}
	return out, from, nil
}

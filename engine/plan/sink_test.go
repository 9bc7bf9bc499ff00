package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// sinkWantOf reads a sink. An ordinary one publishes TOKEN, whose digest is 1, to
// "the place"; it gets the value from connection.a.
func sinkWantOf(t testing.TB, l line) plan.Want {
	t.Helper()
	w := plan.Want{Addr: address(t, l.name), Provider: address(t, l.name).Type, DependsOn: []addr.Addr{addr.Connection("a")}}
	s := &plan.SinkWant{Place: "the place", Settings: "s", Names: []string{"TOKEN"}, From: w.DependsOn, Digests: digests("TOKEN:1")}
	w.Sink = s
	l.each(func(k, v string) {
		switch k {
		case "place":
			s.Place, s.Settings = v, v
		case "settings":
			s.Settings = v
		case "digests":
			s.Digests = digests(v)
			s.Names = slices.Sorted(maps.Keys(s.Digests))
		case "unknown":
			w.Unknown = words(v)
			for _, name := range w.Unknown {
				delete(s.Digests, name)
			}
		case "state": // the value is the whole state
			s.State, s.From, w.DependsOn = true, nil, nil
		case "due":
			s.Due = addresses(t, v)
		case "deps":
			w.DependsOn = addresses(t, v)
			s.From = w.DependsOn
		case "only-after": // depends_on: nothing comes from it
			w.DependsOn = append(slices.Clone(w.DependsOn), addresses(t, v)...)
		default:
			t.Fatalf("want: unknown word %q of a sink", k)
		}
	})
	return w
}

// sinkRecordOf reads what an ordinary sink has published.
func sinkRecordOf(t testing.TB, l line) *state.Record {
	t.Helper()
	p := &state.Published{Place: "the place", Settings: "s", Names: []string{"TOKEN"}, Digests: digests("TOKEN:1")}
	r := &state.Record{
		Summary: state.Summary{Addr: address(t, l.name), Provider: address(t, l.name).Type, Status: state.StatusOK, Generation: 2},
		Info:    &state.Info{DependsOn: []string{"connection.a"}, Published: p},
	}
	l.each(func(k, v string) {
		switch k {
		case "digests":
			p.Digests = digests(v)
			p.Names = slices.Sorted(maps.Keys(p.Digests))
		case "perhaps": // written half-way
			for _, name := range words(v) {
				p.Names = append(p.Names, name)
				delete(p.Digests, name)
			}
			slices.Sort(p.Names)
			p.Names = slices.Compact(p.Names)
		default:
			t.Fatalf("state: unknown word %q of a sink", k)
		}
	})
	return r
}

func publication(b *strings.Builder, p *plan.Publication) {
	if p == nil {
		return
	}
	fmt.Fprintf(b, " [%s", p.Place)
	for _, name := range p.Names {
		fmt.Fprintf(b, " >%s", name)
	}
	for _, name := range p.Removed {
		fmt.Fprintf(b, " -%s", name)
	}
	for _, a := range p.From {
		fmt.Fprintf(b, " from=%s", a.Short())
	}
	b.WriteByte(']')
}

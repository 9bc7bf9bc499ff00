package view

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// split tells what has a token to end from the places that tokens are published to.
func split(rows []state.Summary) (connections, sinks []state.Summary) {
	for _, r := range rows {
		if r.Addr.Kind == addr.KindSink {
			sinks = append(sinks, r)
		} else {
			connections = append(connections, r)
		}
	}
	return connections, sinks
}

func isSink(r *state.Record) bool { return r.Addr.Kind == addr.KindSink }

// sinkLine says that there are sinks, which have no place in a table of ends.
func (p *page) sinkLine(sinks []state.Summary) {
	if len(sinks) > 0 {
		p.toDo(p.Dim, count(len(sinks), "sink")+" besides. What is published where", "oauthctl show")
	}
}

// sink writes the record of a sink.
func (p *page) sink(r *state.Record, now time.Time) {
	pub := &state.Published{}
	if r.Info != nil && r.Info.Published != nil {
		pub = r.Info.Published
	}
	sign, paint, words := "✓", p.Good, "published"
	if halfway(pub) {
		sign, paint, words = "!", p.Warn, "published in part"
	}
	p.line(paint.On(sign), " ", p.Strong.On(Safe(r.Addr.String())), " ", paint.On(words))
	p.field("place", Safe(pub.Place))
	label := "values"
	for _, name := range pub.Names {
		_, whole := pub.Digests[name]
		if whole {
			p.field(label, Safe(name))
		} else {
			p.paintField(label, p.Warn, Safe(name)+" (perhaps)")
		}
		label = " "
	}
	p.field("hosts", Safe(strings.Join(pub.Hosts, ", ")))
	p.field("published", stamp(pub.At, now))
	if r.Info == nil {
		return
	}
	p.field("depends on", Safe(strings.Join(r.Info.DependsOn, ", ")))
	p.field("generation", strconv.FormatUint(r.Generation, 10)+" (configuration serial "+strconv.FormatUint(r.Info.ConfigSerial, 10)+")")
}

// halfway: of some value nobody knows whether it has been written.
func halfway(p *state.Published) bool {
	return slices.ContainsFunc(p.Names, func(name string) bool { _, whole := p.Digests[name]; return !whole })
}

// jsonSink is one sink of the state.
type jsonSink struct {
	Address      string     `json:"address"`
	Type         string     `json:"type"`
	Place        string     `json:"place,omitempty"`
	Names        []string   `json:"names,omitempty"`
	Complete     *bool      `json:"complete,omitempty"`
	Hosts        []string   `json:"hosts,omitempty"`
	PublishedAt  *time.Time `json:"published_at,omitempty"`
	DependsOn    []string   `json:"depends_on,omitempty"`
	UpdatedAt    *time.Time `json:"updated_at"`
	Generation   uint64     `json:"generation"`
	ConfigSerial uint64     `json:"config_serial,omitempty"`
}

func jsonSinkOf(s *state.Summary) jsonSink {
	return jsonSink{Address: s.Addr.String(), Type: s.Provider, UpdatedAt: at(s.UpdatedAt), Generation: s.Generation}
}

// jsonSinksOf are the sinks among rows, nil if there are none.
func jsonSinksOf(sinks []state.Summary) []jsonSink {
	var out []jsonSink
	for i := range sinks {
		out = append(out, jsonSinkOf(&sinks[i]))
	}
	return out
}

// jsonSinkRecord is a sink in full. Values are not kept, and their digests are nobody's business.
func jsonSinkRecord(r *state.Record) jsonSink {
	out := jsonSinkOf(&r.Summary)
	if r.Info == nil {
		return out
	}
	out.DependsOn, out.ConfigSerial = r.Info.DependsOn, r.Info.ConfigSerial
	if p := r.Info.Published; p != nil {
		whole := !halfway(p)
		out.Place, out.Names, out.Hosts, out.PublishedAt, out.Complete = p.Place, p.Names, p.Hosts, at(p.At), &whole
	}
	return out
}

package plan

import (
	"slices"
	"strings"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// SinkWant is what a sink publishes, and where.
type SinkWant struct {
	Place    string      // in one line
	Settings string      // keyed digest of what says where the place is; "": there is no state to compare with
	Names    []string    // sorted
	From     []addr.Addr // connections that values come from
	State    bool        // the value is the whole state: decided on when everything else is
	// Digests are keyed digests of the values that are known, by name. A value
	// without one is known when it is published: see Due.
	Digests map[string]string
	// Due are connections whose access token is due, and which are renewed so that
	// what is published is worth something.
	Due []addr.Addr
}

// Publication is what a change of a sink does at its place.
type Publication struct {
	Place   string
	Names   []string    // that are written
	Removed []string    // that are taken away
	From    []addr.Addr // connections that values come from
}

// sink decides about a place that tokens are published to.
func (d *decider) sink(it *item) Change {
	o := &d.in.Options
	switch {
	case o.Destroy && it.rec == nil:
		return Change{}
	case o.Destroy:
		return unpublish(it, ReasonDestroy)
	case it.want == nil:
		return unpublish(it, ReasonRemoved)
	case o.RefreshOnly && (!it.want.Sink.State || !d.changing): // of the state, what was refreshed must not be lost
		return noOp(fromSink(it.want))
	}
	c := fromSink(it.want)
	x := &difference{w: it.want, c: &c}
	c.Action = NoOp
	if from, gone := d.handedOver(it); gone {
		c.Notes = append(c.Notes, "what is published stays: the consent of "+from.String()+" was handed over, and there is nothing here to publish in its place")
		return c
	}
	x.published(it, d)
	if contained(o.Replace, it.addr) {
		x.add(Publish, ReasonRequested)
	}
	if c.Action == NoOp {
		return c
	}
	c.Publication = &Publication{Place: it.want.Sink.Place, Names: it.want.Sink.Names, From: it.want.Sink.From}
	if it.rec != nil {
		leave(&c, published(it.rec), it.want)
	}
	return c
}

// handedOver finds a connection that a sink has values from, and whose tokens are
// in another state.
func (d *decider) handedOver(it *item) (addr.Addr, bool) {
	for _, i := range it.deps {
		from := &d.graph.items[i]
		if slices.Contains(it.want.Sink.From, from.addr) && from.rec != nil && from.rec.Status == state.StatusHandedOver && d.changes[i].Action == NoOp {
			return from.addr, true
		}
	}
	return addr.Addr{}, false
}

// published compares what is to be at the place with what has been put there.
func (x *difference) published(it *item, d *decider) {
	w := it.want.Sink
	if it.rec == nil {
		x.add(Publish, ReasonNew)
		x.c.Unknown = it.want.Unknown
		if w.State {
			x.c.Unknown = w.Names
		}
		return
	}
	x.c.Generation = it.rec.Generation
	p := published(it.rec)
	if p.Place != w.Place {
		x.show("place", p.Place, w.Place)
	}
	if p.Place != w.Place || p.Settings != w.Settings {
		x.add(Publish, ReasonTargetChanged)
	}
	halfway := slices.ContainsFunc(p.Names, func(name string) bool { _, ok := p.Digests[name]; return !ok })
	if halfway {
		x.add(Publish, ReasonIncomplete)
	}
	if !halfway && !slices.Equal(p.Names, w.Names) {
		x.add(Publish, ReasonNamesChanged)
	}
	for _, name := range w.Names {
		was, had := p.Digests[name]
		is, known := w.Digests[name]
		switch {
		case had && known && was != is:
			x.add(Publish, ReasonValueChanged)
		}
	}
	for _, i := range it.deps {
		a := d.graph.items[i].addr
		if !slices.Contains(w.From, a) {
			continue
		}
		switch d.changes[i].Action {
		case Authorize, Reauthorize, Refresh:
			x.add(Publish, ReasonDependencyChanged)
			x.c.Unknown = w.Names
		}
	}
	if w.State && d.changing {
		x.add(Publish, ReasonStateChanges)
		x.c.Unknown = w.Names
	}
	if len(w.Due) > 0 {
		x.add(Publish, ReasonTokenDue)
	}
	if x.c.Action == Publish {
		if x.c.Unknown == nil {
			x.c.Unknown = it.want.Unknown
		}
		return
	}
	if len(it.want.Unknown) > 0 { // a value that nobody knows may be another
		x.add(Publish, ReasonValueChanged)
		x.c.Unknown = it.want.Unknown
	}
}

// leave says what becomes of names that are not published any more. A place
// that was changed cannot be reached any more: its settings are gone.
func leave(c *Change, p *state.Published, w *Want) {
	if p.Place != w.Sink.Place {
		c.Notes = append(c.Notes, stays(p))
		return
	}
	c.Publication.Removed = minus(p.Names, w.Sink.Names)
}

func stays(p *state.Published) string {
	if len(p.Names) == 0 {
		return "nothing was published to " + p.Place
	}
	return "what was published to " + p.Place + " stays there: " + strings.Join(p.Names, ", ")
}

// unpublish takes away what was published, where the configuration still says
// how to get there, and else forgets it.
func unpublish(it *item, why Reason) Change {
	p := published(it.rec)
	c := Change{Addr: it.addr, Provider: it.rec.Provider, Generation: it.rec.Generation, DependsOn: recordDeps(it.rec), Reasons: []Reason{why}}
	c.Publication = &Publication{Place: p.Place}
	if it.want != nil && it.want.Sink.Place == p.Place {
		c.Action, c.Hosts = Remove, it.want.Hosts
		c.Publication.Removed = p.Names
		return c
	}
	c.Action = Forget
	c.Notes = append(c.Notes, stays(p))
	return c
}

// published is what the record of a sink says, and nothing if it says nothing.
func published(r *state.Record) *state.Published {
	if r.Info == nil || r.Info.Published == nil {
		return &state.Published{}
	}
	return r.Info.Published
}

func fromSink(w *Want) Change {
	return Change{Addr: w.Addr, Provider: w.Provider, Hosts: w.Hosts, DependsOn: w.DependsOn, Notes: slices.Clip(w.Notes)}
}

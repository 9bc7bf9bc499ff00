package plan

import (
	"slices"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// triggered asks for a new grant where replace_triggered_by names a connection
// that gets one.
func (d *decider) triggered(it *item, x *difference) {
	for _, i := range it.deps {
		if !slices.Contains(x.w.TriggeredBy, d.graph.items[i].addr) {
			continue
		}
		if a := d.changes[i].Action; begins(a) {
			x.add(Reauthorize, ReasonTriggered)
		}
	}
}

// prevent finds the changes that prevent_destroy forbids: the grant would be
// revoked, forgotten, or replaced by one of another server or client. A new
// consent for the same client at the same server destroys nothing.
func (p *Plan) prevent(protected func(addr.Addr) bool) {
	if protected == nil {
		return
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		if (c.Action == Revoke || c.Action == Forget || c.Replaces) && protected(c.Addr) {
			p.Prevented = append(p.Prevented, c.Addr)
		}
	}
}

// letGo reports whether a removed block says to forget what is not declared any
// more. A block about the instance comes before one about all of them.
func (d *decider) letGo(a addr.Addr) bool {
	forget := false
	for _, r := range d.in.Removed {
		switch {
		case r.From == a:
			return !r.Destroy
		case r.From.Contains(a):
			forget = !r.Destroy
		}
	}
	return forget
}

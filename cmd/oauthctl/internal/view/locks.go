package view

import (
	"cmp"
	"fmt"
	"time"

	"github.com/oauthctl/oauthctl/state"
)

// Locks implements View.
func (h *human) Locks(held []state.Held) {
	p := h.out()
	defer p.flush()
	if len(held) == 0 {
		p.text(0, Paint{}, "Nobody is at work.")
		return
	}
	for _, l := range held {
		what := "locked"
		if l.Lease {
			what = "consent under way"
		}
		p.flow(0, 2, seg{paint: p.Strong, text: Safe(l.Addr.String())}, seg{text: "  " + what})
		who := ""
		if l.Holder.PID != 0 {
			who = fmt.Sprintf("process %d", l.Holder.PID)
			if l.Holder.User != "" {
				who += " of " + l.Holder.User
			}
			if l.Holder.Host != "" {
				who += " on " + l.Holder.Host
			}
		}
		p.row(2, "who", cmp.Or(Safe(who), "not known"))
		p.row(2, "for", Safe(l.Holder.Operation))
		if since, err := time.Parse(time.RFC3339, l.Holder.Since); err == nil {
			p.row(2, "since", Safe(l.Holder.Since)+" ("+ago(since, h.o.Now())+")")
		}
	}
}

// Locks implements View.
func (j *programs) Locks(held []state.Held) {
	type lock struct {
		Address   string `json:"address"`
		Kind      string `json:"kind"`
		PID       int    `json:"pid,omitempty"`
		Host      string `json:"host,omitempty"`
		User      string `json:"user,omitempty"`
		Operation string `json:"operation,omitempty"`
		Since     string `json:"since,omitempty"`
	}
	out := make([]lock, len(held))
	for i, l := range held {
		kind := "lock"
		if l.Lease {
			kind = "consent"
		}
		out[i] = lock{
			Address: l.Addr.String(), Kind: kind, PID: l.Holder.PID, Host: l.Holder.Host, User: l.Holder.User,
			Operation: l.Holder.Operation, Since: l.Holder.Since,
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Locks []lock `json:"locks"`
	}{j.head(), out})
}

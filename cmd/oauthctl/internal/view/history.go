package view

import (
	"time"

	"github.com/oauthctl/oauthctl/engine"
)

// made says in words what made a generation.
func made(w engine.What) string {
	switch w {
	case engine.WhatAuthorized:
		return "authorized"
	case engine.WhatRefreshed:
		return "refreshed"
	case engine.WhatBegun:
		return "refresh begun"
	case engine.WhatFailed:
		return "refresh failed"
	case engine.WhatRefused:
		return "refused"
	case engine.WhatUnknown:
		return "no answer"
	case engine.WhatHandedOver:
		return "handed over"
	case engine.WhatRevoked:
		return "revoked"
	case engine.WhatMoved:
		return "moved"
	case engine.WhatRestored:
		return "restored"
	}
	return "changed"
}

// History implements View.
func (h *human) History(all []engine.Generation) {
	p := h.out()
	defer p.flush()
	if len(all) == 0 {
		p.line("The state keeps nothing.")
		return
	}
	now := h.o.Now()
	heads := []string{"GENERATION", "CONNECTION", "WHAT", "WHEN", "STATUS", "ACCESS TOKEN"}
	cells := make([][]string, len(all))
	var t table
	for _, when := range []func(t, now time.Time) string{date, ago} { // the short way where the long one has no room
		for i, g := range all {
			cells[i] = generationCells(g, now, when)
		}
		if t, _ = fit(heads, cells, p.width, []int{1}); t.total() <= p.width {
			break
		}
	}
	if t.total() > p.width {
		p.historyNarrow(cells)
		return
	}
	p.line(p.Dim.On(t.row(heads)))
	for i, g := range all {
		p.line(t.cells(cells[i], func(col int, s string) string {
			if g.Present && col < 2 {
				return p.Strong.On(s)
			}
			return s
		}))
	}
}

func generationCells(g engine.Generation, now time.Time, when func(t, now time.Time) string) []string {
	n := number(int(g.Generation))
	if g.Present {
		n += " (now)"
	}
	return []string{n, Safe(g.Addr.Short()), made(g.What), when(g.UpdatedAt, now), condition(g.Status), expiry(g.ExpiresAt, now)}
}

// historyNarrow writes some lines a generation.
func (p *page) historyNarrow(cells [][]string) {
	for _, c := range cells {
		p.line(p.Strong.On(c[1]), " generation ", c[0])
		p.text(2, Paint{}, c[2]+", "+c[4])
		p.text(2, p.Dim, c[3])
		p.text(2, p.Dim, "access "+c[5])
	}
}

// jsonGeneration is a generation without tokens.
type jsonGeneration struct {
	jsonSummary
	What         engine.What `json:"what"`
	Present      bool        `json:"present"`
	ConfigSerial uint64      `json:"config_serial"`
	AuthorizedAt *time.Time  `json:"authorized_at,omitempty"`
	RefreshedAt  *time.Time  `json:"refreshed_at,omitempty"`
	Account      string      `json:"account,omitempty"`
	Granted      []string    `json:"scopes_granted"`
	CanRefresh   bool        `json:"has_refresh_token"`
}

// History implements View.
func (j *programs) History(all []engine.Generation) {
	out := make([]jsonGeneration, len(all))
	for i, g := range all {
		out[i] = jsonGeneration{
			jsonSummary: j.summary(g.Summary), What: g.What, Present: g.Present, ConfigSerial: g.Info.ConfigSerial,
			AuthorizedAt: at(g.Info.AuthorizedAt), RefreshedAt: at(g.Info.RefreshedAt), Account: g.Info.Account,
			Granted: list(g.Info.Granted), CanRefresh: g.Info.HasRefresh,
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Generations []jsonGeneration `json:"generations"`
	}{j.head(), out})
}

package view

import (
	"time"

	"github.com/oauthctl/oauthctl/engine"
)

// Orphans implements View.
func (h *human) Orphans(list []engine.Orphan, location string) {
	p := h.out()
	defer p.flush()
	p.text(0, Paint{}, "Without a key that it is sealed for, nobody can open "+Safe(location)+": there is no other way. "+
		"If there is a backup of the key, put it back: oauthctl key restore FILE")
	p.line()
	if len(list) == 0 {
		p.text(0, Paint{}, "No server has given anything that is kept there.")
		return
	}
	p.text(0, Paint{}, "These are at their servers until they end, or somebody ends them there:")
	for _, o := range list {
		p.line()
		p.flow(0, 2, seg{paint: p.Strong, text: Safe(o.Addr.String())})
		server := Safe(o.Title)
		if o.Host != "" && o.Host != o.Title {
			server += ", " + Safe(o.Host)
		}
		p.row(2, "server", server)
		p.row(2, "revoke", revokeAt(o))
		p.row(2, "see", Safe(o.Docs))
		p.row(2, "ends", endsAt(o.Ends, h.o.Now()))
	}
	p.line()
	p.text(0, Paint{}, "Then begin again: move the state away, and run: oauthctl apply")
}

// revokeAt is what a person can do at the server.
func revokeAt(o engine.Orphan) string {
	switch {
	case o.Revoke != "":
		return Safe(o.Revoke)
	case o.Host != "":
		return "look in the settings of the account there for applications that have access"
	}
	return "at that server; the configuration that says more of it is not here"
}

func endsAt(t, now time.Time) string {
	switch {
	case t.IsZero():
		return "not known"
	case t.After(now):
		return "in " + Span(t.Sub(now)) + ", by itself"
	}
	return ago(t, now)
}

// Orphans implements View.
func (j *programs) Orphans(list []engine.Orphan, location string) {
	type orphan struct {
		Address string     `json:"address"`
		Title   string     `json:"provider_title"`
		Host    string     `json:"host,omitempty"`
		Revoke  string     `json:"revoke,omitempty"`
		Docs    string     `json:"docs,omitempty"`
		EndsAt  *time.Time `json:"refresh_expires_at"`
	}
	out := make([]orphan, len(list))
	for i, o := range list {
		out[i] = orphan{o.Addr.String(), o.Title, o.Host, o.Revoke, o.Docs, at(o.Ends)}
	}
	write(j.o.Out, struct {
		jsonHead
		Location    string   `json:"location"`
		Connections []orphan `json:"connections"`
	}{j.head(), location, out})
}

package view

import (
	"strings"

	"github.com/oauthctl/oauthctl/providers"
)

// Scopes implements View.
func (h *human) Scopes(rows []providers.ScopeRow) {
	p := h.out()
	defer p.flush()
	for i, r := range rows {
		if i > 0 {
			p.line()
		}
		p.flow(0, 2, seg{paint: p.Strong, text: Safe(r.Scope)}, seg{paint: p.Dim, text: " " + Safe("("+r.URI+")")})
		p.row(2, "rights", Safe(strings.Join(r.Rights, ", ")))
		p.row(2, "became", successor(r.Delegated))
		p.row(2, "app-only", successor(r.Application))
		p.row(2, "wider", Safe(r.Wider))
		p.row(2, "narrower", Safe(r.Narrower))
		p.row(2, "caveat", Safe(r.Caveat))
	}
}

// successor is a scope of Microsoft Entra ID in words.
func successor(s *providers.Successor) string {
	switch {
	case s == nil:
		return "nothing"
	case s.Admin:
		return Safe(s.Name) + " (an administrator consents), " + Safe(s.ID)
	}
	return Safe(s.Name) + ", " + Safe(s.ID)
}

// Scopes implements View.
func (j *programs) Scopes(rows []providers.ScopeRow) {
	type permission struct {
		Name  string `json:"name"`
		ID    string `json:"id"`
		Admin bool   `json:"admin"`
	}
	type scope struct {
		Scope       string      `json:"scope"`
		Alias       string      `json:"alias"`
		Right       string      `json:"right"`
		URI         string      `json:"uri"`
		Rights      []string    `json:"rights"`
		Delegated   *permission `json:"delegated,omitempty"`
		Application *permission `json:"application,omitempty"`
		Wider       string      `json:"wider,omitempty"`
		Narrower    string      `json:"narrower,omitempty"`
		Caveat      string      `json:"caveat,omitempty"`
	}
	out := make([]scope, len(rows))
	for i, r := range rows {
		out[i] = scope{
			Scope: r.Scope, Alias: r.Alias, Right: r.Right, URI: r.URI, Rights: list(r.Rights),
			Wider: r.Wider, Narrower: r.Narrower, Caveat: r.Caveat,
			Delegated: (*permission)(r.Delegated), Application: (*permission)(r.Application),
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Scopes []scope `json:"scopes"`
	}{j.head(), out})
}

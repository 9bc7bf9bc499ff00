package view

import (
	"strings"

	"github.com/oauthctl/oauthctl/providers"
)

// KnownErrors implements View.
func (h *human) KnownErrors(found []providers.KnownError, unknown []providers.UnknownCode) {
	p := h.out()
	defer p.flush()
	for i, e := range found {
		if i > 0 {
			p.line()
		}
		p.flow(0, 2, seg{paint: p.Strong, text: Safe(e.Code)}, seg{text: ": " + Safe(e.Name)}, seg{paint: p.Dim, text: " " + Safe("("+e.Server+")")})
		p.text(2, Paint{}, Safe(e.Meaning))
		p.line()
		if e.Cause != e.Meaning {
			p.row(2, "cause", Safe(e.Cause))
		}
		p.row(2, "do now", Safe(e.Remedy))
		p.row(2, "needs", needsWords(e.Needs))
		p.row(2, "source", Safe(e.Source))
		p.row(2, "more", Safe(e.More))
	}
	for i, u := range unknown {
		if i > 0 || len(found) > 0 {
			p.line()
		}
		p.flow(0, 2, seg{paint: p.Strong, text: codeOf(u.Code)}, seg{text: " is not a code that oauthctl knows."})
		p.row(2, "similar", strings.Join(u.Similar, ", "))
		p.row(2, "more", Safe(u.More))
	}
}

// needsWords says who or what can help.
func needsWords(needs string) string {
	switch needs {
	case "person":
		return "a person, who consents or signs in"
	case "administrator":
		return "an administrator of the server"
	case "configuration":
		return "a change of the configuration or of the client's registration"
	case "retry":
		return "time: the same request may work later"
	}
	return Safe(needs)
}

// codeOf is a code of a message: untrusted, and perhaps long.
func codeOf(s string) string {
	const limit = 80
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return Safe(s)
}

// KnownErrors implements View.
func (j *programs) KnownErrors(found []providers.KnownError, unknown []providers.UnknownCode) {
	type known struct {
		Code    string `json:"code"`
		Family  string `json:"family"`
		Server  string `json:"server"`
		Name    string `json:"name"`
		Meaning string `json:"meaning"`
		Cause   string `json:"cause"`
		Remedy  string `json:"remedy"`
		Needs   string `json:"needs"`
		Source  string `json:"source"`
		More    string `json:"more,omitempty"`
	}
	type other struct {
		Code    string   `json:"code"`
		Similar []string `json:"similar"`
		More    string   `json:"more,omitempty"`
	}
	errs, others := make([]known, len(found)), make([]other, len(unknown))
	for i, e := range found {
		errs[i] = known{e.Code, e.Family, e.Server, e.Name, e.Meaning, e.Cause, e.Remedy, e.Needs, e.Source, e.More}
	}
	for i, u := range unknown {
		others[i] = other{u.Code, list(u.Similar), u.More}
	}
	write(j.o.Out, struct {
		jsonHead
		Errors  []known `json:"errors"`
		Unknown []other `json:"unknown"`
	}{j.head(), errs, others})
}

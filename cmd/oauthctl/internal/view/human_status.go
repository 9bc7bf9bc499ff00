package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// urgency orders rows: what needs a person first.
type urgency int

const (
	urgentPerson  urgency = iota // nothing but a new consent helps
	urgentUnknown                // a refresh was sent and no answer came
	urgentSoon                   // a consent will be due within a week
	calm
	away // its tokens are in another state
)

// A consent that ends within this time is shown as work for this week, unless a
// person gives another.
const soon = 7 * 24 * time.Hour

// condition of a row, from what is readable without a key.
func urgencyOf(s state.Summary, now time.Time, within time.Duration) urgency {
	left := s.RefreshExpiresAt.Sub(now)
	switch {
	case s.Status == state.StatusHandedOver:
		return away
	case s.Status == state.StatusNeedsConsent:
		return urgentPerson
	case s.Status == state.StatusUnknown:
		return urgentUnknown
	case !s.RefreshExpiresAt.IsZero() && left <= 0:
		return urgentPerson
	case !s.RefreshExpiresAt.IsZero() && left <= within:
		return urgentSoon
	}
	return calm
}

// standing is one row of the table, in words.
type standing struct {
	addr                             addr.Addr
	urgency                          urgency
	ends                             time.Time // of the consent
	sign                             string
	name, provider, condition        string
	access, accessAt, consent, dueAt string
}

func standingOf(s state.Summary, now time.Time, within time.Duration) standing {
	r := standing{
		addr: s.Addr, urgency: urgencyOf(s, now, within), ends: s.RefreshExpiresAt,
		name: Safe(s.Addr.Short()), provider: Safe(s.Provider), condition: condition(s.Status),
		access: expiry(s.ExpiresAt, now), consent: due(s.RefreshExpiresAt, now),
	}
	switch r.urgency {
	case urgentPerson:
		r.sign, r.condition = "✗", "needs consent"
	case urgentUnknown:
		r.sign = "!"
	case urgentSoon:
		r.sign, r.condition = "!", "ends soon"
	case away:
		r.sign = "→"
	default:
		r.sign = "✓"
	}
	if !s.ExpiresAt.IsZero() {
		r.accessAt = date(s.ExpiresAt, now)
	}
	if !s.RefreshExpiresAt.IsZero() {
		r.dueAt = date(s.RefreshExpiresAt, now)
	}
	return r
}

func (p *page) urgency(u urgency) Paint {
	switch u {
	case urgentPerson:
		return p.Bad
	case urgentUnknown, urgentSoon:
		return p.Warn
	case away:
		return p.Dim
	}
	return p.Good
}

// Due lists the connections that need a person: those whose consent has ended,
// or whose fate is unknown, and those whose consent will end within a time.
func Due(rows []state.Summary, now time.Time, within time.Duration) (ended, ending []addr.Addr) {
	for _, r := range rows {
		switch u := urgencyOf(r, now, within); {
		case u <= urgentUnknown:
			ended = append(ended, r.Addr)
		case u == urgentSoon:
			ending = append(ending, r.Addr)
		}
	}
	return ended, ending
}

// Status implements View.
func (h *human) Status(rows []state.Summary, location string, warn time.Duration, copies []string) {
	p := h.out()
	defer p.flush()
	if h.o.Sandbox {
		p.sandbox()
	}
	rows, sinks := split(rows)
	if len(rows) == 0 {
		p.sinkLine(sinks)
		p.copiesLine(copies)
		p.toDo(Paint{}, "No connections in "+Safe(location)+". Create them", "oauthctl apply")
		return
	}
	now := h.o.Now()
	all := make([]standing, len(rows))
	for i, r := range rows {
		all[i] = standingOf(r, now, cmp.Or(warn, soon))
	}
	slices.SortStableFunc(all, func(a, b standing) int {
		byEnd := 0
		if a.urgency == urgentSoon {
			byEnd = a.ends.Compare(b.ends)
		}
		return cmp.Or(cmp.Compare(a.urgency, b.urgency), byEnd, addr.Compare(a.addr, b.addr))
	})
	if !p.statusTable(all) {
		p.statusNarrow(all)
	}
	p.line()
	p.statusSummary(all, warn)
	p.sinkLine(sinks)
	p.copiesLine(copies)
	p.text(0, p.Dim, "State: "+Safe(location))
}

// copiesLine says that tokens wait outside the state.
func (p *page) copiesLine(copies []string) {
	if len(copies) > 0 {
		p.toDo(p.Warn, EmergencyCopies(copies)+" Put them back", "oauthctl recover")
	}
}

// How much the table says of times, from much to little.
const (
	timesDated  = iota // with the date
	timesWorded        // "(will be refreshed)" in words
	timesSigned        // the same as a sign, explained below
)

const renews = "↻"

// statusTable writes columns: as much of them as the width has room for, and
// false if not even the least fits.
func (p *page) statusTable(all []standing) bool {
	heads := []string{"", "CONNECTION", "PROVIDER", "STATUS", "ACCESS TOKEN", "CONSENT"}
	for level := timesDated; level <= timesSigned; level++ {
		cells := make([][]string, len(all))
		for i, r := range all {
			cells[i] = r.cells(level)
		}
		t, natural := fit(heads, cells, p.width, []int{1, 2})
		if natural > p.width && level < timesSigned {
			continue
		}
		if t.total() > p.width {
			return false
		}
		p.statusRows(t, heads, cells, all)
		return true
	}
	return false
}

// cells is a row of the table.
func (r *standing) cells(level int) []string {
	access, consent := r.access, r.consent
	if r.urgency != urgentPerson && strings.HasPrefix(access, "expired") {
		if level == timesSigned {
			access += " " + renews
		} else {
			access += " (will be refreshed)"
		}
	}
	if level == timesDated {
		access, consent = dated(access, r.accessAt), dated(consent, r.dueAt)
	}
	return []string{r.sign, r.name, r.provider, r.condition, access, consent}
}

func (p *page) statusRows(t table, heads []string, cells [][]string, all []standing) {
	p.line(p.Dim.On(t.row(heads)))
	signed := false
	for i, r := range all {
		paint := p.urgency(r.urgency)
		p.line(t.cells(cells[i], func(col int, s string) string {
			switch {
			case col == 0, col == 3, col == 5 && (r.urgency == urgentPerson || r.urgency == urgentSoon):
				return paint.On(s)
			case col == 1:
				return p.Strong.On(s)
			case s == "–":
				return p.Dim.On(s)
			}
			return s
		}))
		signed = signed || strings.HasSuffix(cells[i][4], renews)
	}
	if signed {
		p.line(p.Dim.On(renews + " refreshed when a token is asked for next"))
	}
}

func dated(words, at string) string {
	if at == "" {
		return words
	}
	return words + " · " + at
}

// statusNarrow writes two lines a connection.
func (p *page) statusNarrow(all []standing) {
	for _, r := range all {
		paint := p.urgency(r.urgency)
		p.line(paint.On(r.sign), " ", p.Strong.On(r.name), " ", paint.On(r.condition))
		p.text(2, p.Dim, r.provider)
		p.text(2, p.Dim, "access "+r.access+", consent "+r.consent)
	}
}

// statusSummary counts, and says what to type.
func (p *page) statusSummary(all []standing, warn time.Duration) {
	of := map[urgency][]standing{}
	for _, r := range all {
		of[r.urgency] = append(of[r.urgency], r)
	}
	parts := []string{number(len(of[calm])+len(of[urgentSoon])) + " ok"}
	switch k := len(of[urgentPerson]); k {
	case 0:
	case 1:
		parts = append(parts, "1 needs a person")
	default:
		parts = append(parts, number(k)+" need a person")
	}
	if k := len(of[urgentUnknown]); k > 0 {
		parts = append(parts, number(k)+" with an unknown outcome")
	}
	if k := len(of[away]); k > 0 {
		parts = append(parts, number(k)+" handed over")
	}
	command := ""
	if now := append(of[urgentPerson], of[urgentUnknown]...); len(now) == 1 {
		command = "oauthctl apply" + flagged("target", now)
	} else if len(now) > 1 {
		command = "oauthctl apply"
	}
	p.toDo(Paint{}, count(len(all), "connection")+": "+strings.Join(parts, ", "), command)
	if week := of[urgentSoon]; len(week) > 0 {
		when := "this week"
		if warn > 0 {
			when = "within " + schema.FormatDuration(warn)
		}
		words := "1 consent ends " + when
		if len(week) > 1 {
			words = number(len(week)) + " consents end " + when
		}
		p.toDo(p.Warn, words, "oauthctl apply"+flagged("replace", week[:min(len(week), 3)]))
	}
}

// flagged writes one flag for each connection.
func flagged(flag string, all []standing) string {
	var b strings.Builder
	for _, r := range all {
		b.WriteString(" -" + flag + "=" + shellWord(r.addr.String()))
	}
	return b.String()
}

// toDo writes a sentence and the command that goes with it, in one line if that
// has room for both.
func (p *page) toDo(paint Paint, words, command string) {
	command = p.o.commands(command)
	switch {
	case command == "":
		p.text(0, paint, words)
	case Width(words)+Width(command)+2 <= p.width:
		p.line(paint.On(words+":"), " ", p.Info.On(command))
	default:
		p.text(0, paint, words+":")
		p.line("  ", p.Info.On(command))
	}
}

// shellWord quotes an address with a for_each key for the shell.
func shellWord(s string) string {
	s = Safe(s)
	if strings.ContainsAny(s, `["' $&;|<>()*?`+"`\\") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

package view

import (
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

const (
	knownAfter = "(known after apply)"
	byRule     = "(added by the provider's rules)"
)

// Plan implements View.
func (h *human) Plan(pl *plan.Plan) {
	p := h.out()
	defer p.flush()
	if h.o.Sandbox {
		p.sandbox()
	}
	counts := pl.Counts()
	if pl.Empty() && pl.Recipients.Empty() {
		p.planWarnings(pl)
		p.line(p.Good.On("No changes."), " ", nothing(pl))
		return
	}
	if counts.NoOp < len(pl.Changes) {
		p.legend(counts)
	}
	groups := group(pl.Changes)
	for i, g := range groups {
		p.group(g)
		if g[0].Action == plan.Move && (i+1 == len(groups) || groups[i+1][0].Action != plan.Move) {
			p.line() // moves are one line each and stand together
		}
	}
	p.recipients(&pl.Recipients)
	if counts.NoOp > 0 {
		p.line(p.Dim.On(unchanged(pl) + " unchanged."))
		p.line()
	}
	p.outputChanges(pl.Outputs)
	p.planWarnings(pl)
	p.line(p.Strong.On("Plan:"), " ", planSummary(counts))
	if counts.NoOp == len(pl.Changes) && pl.Recipients.Empty() {
		p.text(0, Paint{}, "Applying this records the outputs in the state; no connection is changed.")
	}
	h.planned = true
}

// unchanged counts what stays as it is.
func unchanged(pl *plan.Plan) string {
	sinks, all := 0, pl.Counts().NoOp
	for i := range pl.Changes {
		if c := &pl.Changes[i]; c.Action == plan.NoOp && c.Addr.Kind == addr.KindSink {
			sinks++
		}
	}
	switch sinks {
	case 0:
		return count(all, "connection")
	case all:
		return count(sinks, "sink")
	}
	return count(all-sinks, "connection") + " and " + count(sinks, "sink")
}

// recipients says for whom the state will be encrypted from now on.
func (p *page) recipients(r *plan.Recipients) {
	if r.Empty() {
		return
	}
	p.flow(0, 2, seg{p.Strong, "The state", false}, seg{Paint{}, " will be encrypted for other recipients:", false})
	for _, name := range r.Added {
		p.flow(6, 8, seg{p.Good, "+ " + clip(Safe(name), p.width-8), false})
	}
	for _, name := range r.Removed {
		p.flow(6, 8, seg{p.Bad, "- " + clip(Safe(name), p.width-8), false})
	}
	if len(r.Removed) > 0 {
		p.text(6, Paint{}, sealedAgain(r.Resealed)+" under a new data key, which keeps out who is removed.")
		p.text(6, p.Dim, "What they have read already they still have.")
	}
	p.line()
}

// outputChanges writes what will be recorded of outputs, in Terraform's words.
func (p *page) outputChanges(list []plan.OutputChange) {
	if len(list) == 0 {
		return
	}
	p.line(p.Strong.On("Changes to Outputs:"))
	wide := 0
	for _, c := range list {
		wide = max(wide, Width(Safe(c.Name)))
	}
	for _, c := range list {
		sign, sides := p.outputSides(c)
		text := " " + strings.Join(sides, " ")
		if first, _, _ := strings.Cut(text, "\n"); 6+wide+Width(first) > p.width {
			text = "\n      " + strings.Join(sides, "\n      ")
		}
		p.line("  ", sign, " ", pad(Safe(c.Name), wide), " =", text)
	}
	p.line()
}

// outputSides is the sign of a change, and what it leads from and to.
func (p *page) outputSides(c plan.OutputChange) (sign string, sides []string) {
	side := func(v cty.Value) string {
		if c.Sensitive {
			return secret.Placeholder
		}
		return value(v, "    ")
	}
	before := side(c.Before)
	if !c.Sensitive && !c.Before.IsKnown() { // an apply does not tell what was
		before = "(not known)"
	}
	switch {
	case c.Action == plan.CreateOutput:
		return p.Good.On("+"), []string{side(c.After)}
	case c.Action == plan.DeleteOutput:
		return p.Bad.On("-"), []string{before, "-> null"}
	case c.Sensitive, !c.Before.IsKnown() && !c.After.IsKnown(): // that it changes is all that there is to show
		return p.Warn.On("~"), []string{side(c.After)}
	}
	return p.Warn.On("~"), []string{before, "-> " + side(c.After)}
}

// sealedAgain says how much a new data key is going to rewrite.
func sealedAgain(n int) string {
	if n == 1 {
		return "1 record will be sealed again"
	}
	return number(n) + " records will be sealed again"
}

func (p *page) sandbox() {
	p.text(0, p.Warn, "Sandbox: the servers are imitated inside this process. Nothing real is touched.")
	p.line()
}

// nothing is the second sentence of an empty plan.
func nothing(pl *plan.Plan) string {
	switch {
	case pl.Options.Destroy:
		return "There is nothing to destroy."
	case len(pl.Options.Targets) > 0 || len(pl.Options.Excludes) > 0:
		return "Every connection selected matches the configuration."
	}
	return "Every connection matches the configuration."
}

// planSummary is the closing line. Its first three numbers are always there:
// scripts look for them.
func planSummary(c plan.Counts) string {
	parts := []string{number(c.Authorize) + " to authorize"}
	add := func(n int, words string) {
		if n > 0 {
			parts = append(parts, number(n)+words)
		}
	}
	add(c.Import, " to import")
	add(c.Reauthorize, " to reauthorize")
	parts = append(parts, number(c.Refresh)+" to refresh")
	add(c.Update, " to update")
	parts = append(parts, number(c.Revoke)+" to revoke")
	add(c.Forget, " to forget")
	add(c.Publish, " to publish")
	add(c.Remove, " to remove")
	add(c.Move, " to move")
	s := strings.Join(parts, ", ") + "."
	switch c.NeedUser {
	case 0:
		return s + " No person is needed."
	case 1:
		return s + " 1 needs a person."
	}
	return s + " " + number(c.NeedUser) + " need a person."
}

func (p *page) legend(c plan.Counts) {
	used := map[plan.Action]int{
		plan.Authorize: c.Authorize, plan.Import: c.Import, plan.Reauthorize: c.Reauthorize, plan.Refresh: c.Refresh, plan.Update: c.Update,
		plan.Revoke: c.Revoke, plan.Forget: c.Forget, plan.Publish: c.Publish, plan.Remove: c.Remove, plan.Move: c.Move,
	}
	p.text(0, Paint{}, "oauthctl will perform the actions below. The signs mean:")
	for _, l := range legend {
		if used[l.action] == 0 || l.action == plan.Update && used[plan.Refresh] > 0 {
			continue
		}
		words := l.words
		if l.action == plan.Refresh && used[plan.Update] > 0 {
			words += ", or update settings"
		}
		p.flow(2, 4, seg{p.action(l.action), l.action.Symbol() + " ", false}, seg{Paint{}, words, false})
	}
	p.line()
}

func (p *page) group(g changes) {
	c := g[0]
	paint := p.action(c.Action)
	if c.Action == plan.Move {
		p.moved(g)
		return
	}
	if len(g) == 1 {
		p.flow(2, 4, seg{paint, c.Action.Symbol() + " ", false}, seg{p.Strong, Safe(c.Addr.String()), true}, seg{Paint{}, " " + heading(c), false})
		p.details(c, Safe)
		p.line()
		return
	}
	p.flow(2, 4, seg{paint, c.Action.Symbol() + " ", false},
		seg{p.Strong, number(len(g)) + " instances of " + Safe(c.Addr.Block().String()), false}, seg{Paint{}, " " + headings(c), false})
	p.details(c, func(s string) string { return Safe(template(c, s)) })
	sign := "      " + paint.On(c.Action.Symbol()) + " "
	for _, c := range g {
		p.line(sign, Safe(c.Addr.String()))
	}
	p.line()
}

// moved writes what changes its address and nothing else, in Terraform's words.
func (p *page) moved(g changes) {
	for _, c := range g {
		p.flow(2, 4, seg{p.action(c.Action), c.Action.Symbol() + " ", false}, seg{p.Strong, Safe(c.MovedFrom.String()), true},
			seg{Paint{}, " has moved to ", false}, seg{p.Strong, Safe(c.Addr.String()), true})
	}
}

// details writes everything under the heading of a change.
func (p *page) details(c *plan.Change, show func(string) string) {
	const in = 6
	label := "because"
	for _, r := range c.Reasons {
		p.row(in, label, reason(r))
		label = ""
	}
	if !c.MovedFrom.IsZero() {
		p.row(in, "moved", "from "+show(c.MovedFrom.String())+", with its tokens")
	}
	if c.NeedsUser {
		p.paintRow(in, "needs", p.Warn, way(c))
		p.paintRow(in, "", p.Dim, show(c.WayReason))
	}
	if c.Replaces {
		p.paintRow(in, "replaces", p.Warn, "another server or client: the tokens and the secret of the old one are never sent to the new one")
	}
	p.publication(in, c, show)
	if c.Addr.Kind != addr.KindSink {
		p.row(in, "provider", provider(show(c.Provider), show(c.Title)))
	}
	asks := c.Action == plan.Authorize || c.Action == plan.Reauthorize
	if asks || c.Action == plan.Import {
		p.row(in, "grant", show(c.Grant))
	}
	p.settings(in, c, show)
	p.scopes(in, c, show, asks)
	if c.Action == plan.Import {
		p.row(in, "scopes", wanted(show(strings.Join(c.Scopes, ", "))))
	}
	p.row(in, "account", show(c.Account))
	p.row(in, "redirect", show(c.RedirectURI))
	p.row(in, "hosts", show(strings.Join(c.Hosts, ", ")))
	p.row(in, "handed to", show(strings.Join(c.TokenHosts, ", ")))
	if asks || c.Action == plan.Import || c.Action == plan.Refresh || c.Action == plan.Update {
		p.row(in, "lifetimes", lifetimes(c.Access, c.Refresh))
	}
	if len(c.DependsOn) > 0 {
		names := make([]string, len(c.DependsOn))
		for i, a := range c.DependsOn {
			names[i] = a.String()
		}
		if c.Publication != nil { // from whom a value comes has been said
			names = slices.DeleteFunc(names, func(name string) bool {
				return slices.ContainsFunc(c.Publication.From, func(a addr.Addr) bool { return a.String() == name })
			})
		}
		p.row(in, "after", show(strings.Join(names, ", ")))
	}
	for _, u := range c.Unknown {
		p.row(in, show(u), knownAfter)
	}
	for _, n := range c.Notes {
		p.row(in, "note", sentence(show(n)))
	}
}

// publication writes what goes where, and from whom it comes.
func (p *page) publication(in int, c *plan.Change, show func(string) string) {
	pub := c.Publication
	if pub == nil {
		return
	}
	p.row(in, "place", show(pub.Place))
	label := "values"
	item := func(paint Paint, sign, name string) {
		p.paintRow(in, label, paint, sign+" "+show(name))
		label = ""
	}
	for _, name := range pub.Names {
		item(p.Good, ">", name)
	}
	for _, name := range pub.Removed {
		item(p.Bad, "-", name)
	}
	p.row(in, "from", show(strings.Join(names(pub.From), ", ")))
}

func (p *page) settings(in int, c *plan.Change, show func(string) string) {
	for _, k := range settings(c) {
		before, after := c.Before[k], c.After[k]
		p.row(in, "changes", show(k)+": "+orNone(show(before))+" → "+orNone(show(after)))
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// scopes writes the differences one a line, and what stays in one paragraph.
func (p *page) scopes(in int, c *plan.Change, show func(string) string, asks bool) {
	label := "scopes"
	item := func(paint Paint, sign, scope, tail string) {
		p.lead(in, label)
		label = ""
		scope = sign + " " + show(scope)
		if in+labelWidth+Width(scope)+Width(tail) > p.width {
			tail = ""
		}
		p.line(paint.On(scope), p.Dim.On(tail))
	}
	for _, s := range c.ScopesAdded {
		tail := ""
		if slices.Contains(c.ScopesByRule, s) {
			tail = "  " + byRule
		}
		name := show(c.ScopeNames[s])
		if name != "" && in+labelWidth+Width(show(s)+name)+4 <= p.width {
			tail, name = "  "+name, ""
		}
		item(p.Good, "+", s, tail)
		if name != "" {
			p.paintRow(in, "", p.Dim, "  "+name)
		}
	}
	for _, s := range c.ScopesRemoved {
		item(p.Bad, "-", s, "")
	}
	if !asks {
		return
	}
	var kept []string
	for _, s := range c.Scopes {
		if !slices.Contains(c.ScopesAdded, s) {
			kept = append(kept, s)
		}
	}
	if len(kept) > 0 {
		p.paintRow(in, label, p.Dim, "unchanged: "+show(strings.Join(kept, ", ")))
	}
}

// wanted: the server says which scopes an imported token has.
func wanted(scopes string) string {
	if scopes == "" {
		return ""
	}
	return "wanted: " + scopes
}

func provider(name, title string) string {
	if title == "" || title == name {
		return name
	}
	if name == "" {
		return title
	}
	return name + " (" + title + ")"
}

// lifetimes says what is expected to end when.
func lifetimes(access, refresh time.Duration) string {
	var parts []string
	if access > 0 {
		parts = append(parts, "access token "+schema.FormatDuration(access))
	}
	if refresh > 0 {
		parts = append(parts, "next consent after "+schema.FormatDuration(refresh))
	}
	return strings.Join(parts, ", ")
}

func (p *page) planWarnings(pl *plan.Plan) {
	if (len(pl.Warnings) > 0 || slices.ContainsFunc(pl.Checks, failed)) && p.Theme != (Theme{}) {
		defer p.line() // without colour, a box ends with a blank line by itself
	}
	p.checks(pl.Checks)
	for _, w := range pl.Warnings {
		p.box(p.Warn, "Warning", Safe(w.Summary), func(b *page) {
			if !w.Addr.IsZero() {
				b.line("  with ", Safe(w.Addr.String()))
				b.line()
			}
			words, line := commandIn(w.Detail)
			b.text(0, Paint{}, SafeText(words))
			if line != "" {
				b.line("  ", b.Info.On(Safe(b.o.commands(line))))
			}
		})
	}
}

package view

import (
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// Event implements View.
func (h *human) Event(e engine.Event) {
	switch {
	case e.Type == engine.EventWarning:
		return // it stands in the summary
	case e.Asked != nil:
		return // whoever is asked sees it
	case e.Type == engine.EventStart && !h.o.Live:
		return
	}
	p := h.err()
	defer p.flush()
	if h.planned {
		p.line()
		h.planned = false
	}
	name := Safe(e.Addr.String()) + ":"
	if e.Addr.IsZero() {
		name = "oauthctl:"
	}
	word, paint, rest := happening(p.Theme, e, h.o.Sandbox)
	p.flow(0, 2, seg{p.Strong, name, true}, seg{text: " "}, seg{paint, word, false}, seg{Paint{}, rest, false})
}

// happening is an event in words: the word that matters, its paint, the rest.
func happening(t Theme, e engine.Event, sandbox bool) (word string, paint Paint, rest string) {
	switch e.Type {
	case engine.EventStart:
		return ing(e.Action) + "…", Paint{}, ""
	case engine.EventDone:
		if e.Action == plan.Publish {
			return published(sandbox), t.Good, led(" to ", Safe(e.Text)) + after(e.Elapsed)
		}
		return ed(e.Action), t.Good, after(e.Elapsed) + comma(Safe(e.Text)) + comma(lasts(e))
	case engine.EventFailed:
		return "failed", t.Bad, after(e.Elapsed) + colon(short(e))
	case engine.EventSkipped:
		return "skipped", t.Dim, colon(short(e))
	case engine.EventWaiting:
		if e.Asked != nil {
			return asks(e.Asked), t.Warn, ""
		}
		return "waits for a person", t.Warn, colon(short(e))
	case engine.EventWarning:
		return "warning", t.Warn, colon(short(e))
	}
	return Safe(e.Text), t.Dim, ""
}

// published says what became of values: from a sandbox, nothing leaves.
func published(sandbox bool) string {
	if sandbox {
		return "noted, not published"
	}
	return ed(plan.Publish)
}

// lasts says when the token that was saved ends; "" if nobody knows.
func lasts(e engine.Event) string {
	if e.ExpiresAt.IsZero() {
		return ""
	}
	return expiry(e.ExpiresAt, e.At)
}

// after says how long something took, if that is worth saying.
func after(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return " after " + Span(d)
}

func comma(s string) string { return led(", ", s) }
func colon(s string) string { return led(": ", s) }

// led puts a sign before s, if there is an s.
func led(sign, s string) string {
	if s == "" {
		return ""
	}
	return sign + s
}

// short is one line about an event's error; the whole of it follows at the end.
func short(e engine.Event) string {
	if e.Text != "" {
		return Safe(e.Text)
	}
	if fs := failures(e.Err); len(fs) > 0 {
		if w := fs[0].what(); w != "" {
			return Safe(w)
		}
		return Safe(fs[0].Title)
	}
	return ""
}

// Applied implements View.
func (h *human) Applied(out *engine.Outcome, verb string) {
	p := h.out()
	defer p.flush()
	now := h.o.Now()
	p.line()
	for _, s := range []struct {
		state engine.ResultState
		paint Paint
		title string
	}{
		{engine.Failed, p.Bad, "Failed:"},
		{engine.Skipped, p.Dim, "Skipped:"},
		{engine.Waiting, p.Warn, "Waiting for a person:"},
	} {
		p.results(out.Results, s.state, s.paint, s.title, now)
	}
	if ends(out.Results)[engine.Done] < len(out.Results) {
		p.results(out.Results, engine.Done, p.Good, "Done:", now)
	}
	p.resultWarnings(out.Results)
	p.checks(out.Checks)
	complete := p.appliedSummary(out.Results, verb)
	if h.o.Sandbox {
		p.text(0, p.Warn, "Sandbox: nothing real was touched.")
	}
	if complete && len(out.Outputs) > 0 {
		p.line()
		p.line(p.Strong.On("Outputs:"))
		p.line()
		p.outputs(out.Outputs)
	}
}

// results lists the changes that ended in one way.
func (p *page) results(all []engine.Result, state engine.ResultState, paint Paint, title string, now time.Time) {
	any := false
	for _, r := range all {
		if r.State != state {
			continue
		}
		if !any {
			p.line(paint.On(title))
			any = true
		}
		p.result(r, now)
	}
	if any {
		p.line()
	}
}

func (p *page) result(r engine.Result, now time.Time) {
	words := ""
	if r.State == engine.Done {
		words = ed(r.Action)
		if !r.MovedFrom.IsZero() {
			if r.Action != plan.Move {
				words += ", moved"
			}
			words += " from " + Safe(r.MovedFrom.String())
		}
		if r.Action == plan.Publish {
			words = published(p.o.Sandbox) + " to " + Safe(r.Place)
		}
		if r.Account != "" {
			words += " as " + Safe(r.Account)
		}
		if !r.ExpiresAt.IsZero() {
			words = join(words, expiry(r.ExpiresAt, now))
		}
	}
	p.flow(2, 6, seg{p.action(r.Action), r.Action.Symbol() + " ", false}, seg{p.Strong, Safe(r.Addr.String()), true}, seg{Paint{}, led(" ", words), false})
	for _, f := range failures(r.Err) {
		if f.what() == "" {
			f.Cause = f.Title
		}
		p.failure(6, f)
	}
}

// resultWarnings says each thing once, with everything that it is true of.
func (p *page) resultWarnings(all []engine.Result) {
	of := map[string][]string{}
	var texts []string
	for _, r := range all {
		for _, w := range r.Warnings {
			if of[w] == nil {
				texts = append(texts, w)
			}
			of[w] = append(of[w], Safe(r.Addr.String()))
		}
	}
	const most = 10
	for _, w := range texts {
		what, why, _ := strings.Cut(w, ": ")
		p.box(p.Warn, "Warning", capital(Safe(what)), func(b *page) {
			names := of[w]
			for _, name := range names[:min(len(names), most)] {
				b.line("  with ", name)
			}
			if more := len(names) - most; more > 0 {
				b.line("  and " + count(more, "other"))
			}
			if why != "" {
				b.line()
				b.text(0, Paint{}, sentence(Safe(why)))
			}
		})
	}
}

// appliedSummary ends an apply. When everything is done it is one line of fixed
// form; else it says how many ended in which way.
func (p *page) appliedSummary(all []engine.Result, verb string) (complete bool) {
	head, rest, complete := closing(all, verb)
	if complete {
		p.line(p.Good.On(head), " ", rest)
		return true
	}
	p.flow(0, 2, seg{p.Bad, head, false}, seg{Paint{}, " " + rest, false})
	if ends(all)[engine.Done] > 0 {
		p.text(0, p.Dim, "What is done is saved. Run it again to go on with the rest.")
	}
	return false
}

// closing is the last line of an apply.
func closing(all []engine.Result, verb string) (head, rest string, complete bool) {
	verb = capital(Safe(verb))
	n := ends(all)
	if n[engine.Done] == len(all) {
		did := map[plan.Action]int{}
		for _, r := range all {
			did[r.Action]++
		}
		return verb + " complete!", didSummary(did), true
	}
	parts := []string{number(n[engine.Done]) + " done", number(n[engine.Failed]) + " failed", number(n[engine.Skipped]) + " skipped"}
	switch w := n[engine.Waiting]; w {
	case 0:
	case 1:
		parts = append(parts, "1 waits for a person")
	default:
		parts = append(parts, number(w)+" wait for a person")
	}
	return verb + " incomplete:", strings.Join(parts, ", ") + ".", false
}

// ends counts results by how they ended.
func ends(all []engine.Result) map[engine.ResultState]int {
	n := map[engine.ResultState]int{}
	for _, r := range all {
		n[r.State]++
	}
	return n
}

// didSummary counts what was done. Its three numbers are always there: scripts
// look for them.
func didSummary(did map[plan.Action]int) string {
	parts := []string{number(did[plan.Authorize]) + " authorized"}
	add := func(a plan.Action) {
		if did[a] > 0 {
			parts = append(parts, number(did[a])+" "+ed(a))
		}
	}
	add(plan.Import)
	add(plan.Reauthorize)
	parts = append(parts, number(did[plan.Refresh])+" refreshed")
	add(plan.Update)
	parts = append(parts, number(did[plan.Revoke])+" revoked")
	add(plan.Forget)
	add(plan.Publish)
	add(plan.Remove)
	add(plan.Move)
	return strings.Join(parts, ", ") + "."
}

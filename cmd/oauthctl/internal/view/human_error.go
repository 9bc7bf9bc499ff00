package view

import "strings"

// Error implements View.
func (h *human) Error(err error) {
	p := h.err()
	defer p.flush()
	for _, f := range failures(err) {
		title, rest, _ := strings.Cut(SafeText(f.Title), "\n")
		p.box(p.Bad, "Error", capital(title), func(b *page) {
			b.text(0, Paint{}, strings.TrimSpace(rest))
			b.failure(0, f)
		})
	}
}

// failure writes what is below the title: what went wrong and why, in
// sentences; where; and what to do now.
func (p *page) failure(indent int, f failure) {
	p.text(indent, Paint{}, sentence(SafeText(f.what())))
	p.text(indent, Paint{}, sentence(SafeText(f.Hint)))
	if indent == 0 && (f.what() != "" || f.Hint != "") && (f.Step != "" && !f.brief || f.Retry > 0 || f.Remedy != "") {
		p.line()
	}
	if !f.brief {
		p.row(indent, "step", Safe(f.Step))
	}
	if f.Retry > 0 {
		p.row(indent, "retry", "after "+Span(f.Retry))
	}
	p.command(indent, "do now", f.Remedy)
}

// command writes a remedy; one that is a command line stays in one line, to be
// copied.
func (p *page) command(indent int, label, remedy string) {
	if strings.HasSuffix(remedy, "?") {
		p.text(indent, Paint{}, sentence(SafeText(remedy)))
		return
	}
	line, ok := strings.CutPrefix(remedy, "run: ")
	if !ok {
		if line, ok = strings.CutPrefix(remedy, "see: "); ok {
			label = "see"
		}
	}
	if !ok {
		p.row(indent, label, SafeText(remedy))
		return
	}
	p.lead(indent, label)
	p.line(p.Info.On(Safe(p.o.commands(line))))
}

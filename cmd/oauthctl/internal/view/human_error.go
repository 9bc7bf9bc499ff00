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

// command writes a remedy. A command line in it stays in one line, to be copied.
func (p *page) command(indent int, label, remedy string) {
	if strings.HasSuffix(remedy, "?") {
		p.text(indent, Paint{}, sentence(SafeText(remedy)))
		return
	}
	if line, ok := strings.CutPrefix(remedy, "see: "); ok {
		p.lead(indent, "see")
		p.line(p.Info.On(Safe(p.o.commands(line))))
		return
	}
	words, line := commandIn(remedy)
	if words != "" {
		p.row(indent, label, SafeText(words))
		label = ""
	}
	if line != "" {
		p.lead(indent, label)
		p.line(p.Info.On(Safe(p.o.commands(line))))
	}
}

// commandIn splits a text that ends with a command to run: "on another machine,
// run: oauthctl apply" is "on another machine:" and "oauthctl apply".
func commandIn(text string) (words, line string) {
	words, line, ok := strings.Cut(text, "run: ")
	switch {
	case !ok || strings.Contains(line, "; ") || strings.Contains(line, "\n"):
		return text, ""
	case words == "":
		return "", line
	}
	return strings.TrimRight(words, ", ") + ":", line
}

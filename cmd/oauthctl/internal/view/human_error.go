package view

// Error implements View.
func (h *human) Error(err error) {
	p := h.err()
	defer p.flush()
	for _, f := range failures(err) {
		p.box(p.Bad, "Error", capital(Safe(f.Title)), func(b *page) { b.failure(0, f) })
	}
}

// failure writes what is below the title, one thing a line.
func (p *page) failure(indent int, f failure) {
	p.row(indent, "what", sentence(SafeText(f.what())))
	p.row(indent, "during", Safe(f.During))
	p.row(indent, "why", sentence(SafeText(f.Hint)))
	if f.Retry > 0 {
		p.row(indent, "again", "in "+Span(f.Retry))
	}
	p.paintRow(indent, "do now", p.Info, SafeText(f.Remedy))
}

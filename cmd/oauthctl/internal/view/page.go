package view

import (
	"bufio"
	"io"
	"strings"
)

// page writes lines of one screen. It buffers; flush sends.
type page struct {
	Theme
	o     *Options
	w     *bufio.Writer
	width int
}

func newPage(w io.Writer, t Theme, o *Options, size int) *page {
	return &page{Theme: t, o: o, w: bufio.NewWriterSize(w, size), width: o.Width}
}

// prose is the width of running text: long lines are hard to read.
func (p *page) prose() int { return min(p.width, 100) }

func (p *page) flush() { _ = p.w.Flush() }

// line writes parts and ends the line.
func (p *page) line(parts ...string) {
	for _, s := range parts {
		_, _ = p.w.WriteString(s)
	}
	_ = p.w.WriteByte('\n')
}

// text writes text wrapped behind indent columns, every line in one paint.
func (p *page) text(indent int, paint Paint, text string) {
	margin := strings.Repeat(" ", indent)
	for _, l := range Wrap(p.o.commands(text), max(p.prose()-indent, 20)) {
		if l == "" {
			p.line()
			continue
		}
		p.line(margin, paint.On(l))
	}
}

// The column of labels in details: two spaces wider than the longest label.
const labelWidth = 11

// row writes a label and its value, wrapped under itself.
func (p *page) row(indent int, label, value string) { p.paintRow(indent, label, Paint{}, value) }

func (p *page) paintRow(indent int, label string, paint Paint, value string) {
	if value == "" {
		return
	}
	lead := indent + labelWidth
	for i, l := range Wrap(p.o.commands(value), max(p.prose()-lead, 20)) {
		if i > 0 {
			label = ""
		}
		p.lead(indent, label)
		p.line(paint.On(l))
	}
}

// lead writes the margin and the label without ending the line.
func (p *page) lead(indent int, label string) {
	_, _ = p.w.WriteString(strings.Repeat(" ", indent))
	_, _ = p.w.WriteString(p.Dim.On(label))
	_, _ = p.w.WriteString(strings.Repeat(" ", max(labelWidth-Width(label), 1)))
}

// seg is a piece of a line: its text may be broken at spaces unless it is whole.
type seg struct {
	paint Paint
	text  string
	whole bool
}

// flow writes pieces one after the other, wrapped; lines after the first begin
// at column hang.
func (p *page) flow(indent, hang int, segs ...seg) {
	limit := p.prose()
	margin, used := strings.Repeat(" ", indent), indent
	first := true
	for _, word := range words(segs) {
		w := 0
		for _, s := range word {
			w += Width(s.text)
		}
		switch {
		case first:
			_, _ = p.w.WriteString(margin)
			first = false
		case used+1+w > limit:
			_ = p.w.WriteByte('\n')
			_, _ = p.w.WriteString(strings.Repeat(" ", hang))
			used = hang
		default:
			_ = p.w.WriteByte(' ')
			used++
		}
		for _, s := range word {
			_, _ = p.w.WriteString(s.paint.On(s.text))
		}
		used += w
	}
	p.line()
}

// words splits pieces at spaces; what stands together without a space stays
// together.
func words(segs []seg) [][]seg {
	var out [][]seg
	glue := false
	put := func(s seg) {
		if glue && len(out) > 0 {
			out[len(out)-1] = append(out[len(out)-1], s)
			return
		}
		out = append(out, []seg{s})
	}
	for _, s := range segs {
		if s.text == "" {
			continue
		}
		if s.whole {
			put(s)
			glue = true
			continue
		}
		if strings.HasPrefix(s.text, " ") {
			glue = false
		}
		for w := range strings.FieldsSeq(s.text) {
			put(seg{paint: s.paint, text: w})
			glue = false
		}
		glue = !strings.HasSuffix(s.text, " ")
	}
	return out
}

package view

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// box writes a message as Terraform does: with colour behind a bar on the left,
// without colour as plain lines.
func (p *page) box(paint Paint, kind, title string, body func(b *page)) {
	bar := p.Theme != Theme{}
	var buf bytes.Buffer
	in := newPage(&buf, p.Theme, p.o, 4<<10)
	in.width = p.prose()
	if bar {
		in.width -= 2
	}
	for i, l := range Wrap(kind+": "+title, in.width) {
		if rest, ok := strings.CutPrefix(l, kind+":"); ok && i == 0 {
			in.line(paint.On(kind+":"), p.Strong.On(rest))
			continue
		}
		in.line(p.Strong.On(l))
	}
	head := buffered(in, &buf)
	body(in)
	text := head
	if rest := buffered(in, &buf)[len(head):]; strings.TrimSpace(rest) != "" {
		text += "\n" + strings.Trim(rest, "\n") + "\n"
	}
	if !bar {
		p.line(text)
		return
	}
	p.line(paint.On("╷"))
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if l == "" {
			p.line(paint.On("│"))
			continue
		}
		p.line(paint.On("│"), " ", l)
	}
	p.line(paint.On("╵"))
}

func buffered(p *page, buf *bytes.Buffer) string {
	p.flush()
	return buf.String()
}

// Diagnostics implements View.
func (h *human) Diagnostics(diags hcl.Diagnostics, src *schema.Sources) {
	p := h.err()
	defer p.flush()
	for _, d := range consolidate(sorted(diags)) {
		p.diagnostic(d, src)
	}
}

// Validated implements View.
func (h *human) Validated(diags hcl.Diagnostics, src *schema.Sources) {
	h.Diagnostics(diags, src)
	errs, warns := tally(diags)
	if errs > 0 {
		p := h.err()
		defer p.flush()
		p.flow(0, 0, seg{p.Bad, "The configuration is not valid:", false}, seg{Paint{}, " " + join(count(errs, "error"), countIf(warns, "warning")) + ".", false})
		return
	}
	p := h.out()
	defer p.flush()
	words := " The configuration is valid."
	if warns > 0 {
		words = " The configuration is valid, with " + count(warns, "warning") + "."
	}
	p.flow(0, 0, seg{p.Good, "Success!", false}, seg{Paint{}, words, false})
}

func countIf(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return count(n, noun)
}

func (p *page) diagnostic(d shown, src *schema.Sources) {
	paint, kind := p.Bad, "Error"
	if d.Severity == hcl.DiagWarning {
		paint, kind = p.Warn, "Warning"
	}
	p.box(paint, kind, Safe(d.Summary), func(b *page) {
		b.place(d.Diagnostic, src, paint)
		if d.Detail != "" {
			b.text(0, Paint{}, SafeText(d.Detail))
		}
		if d.more > 0 {
			b.line()
			b.line(b.Dim.On("(and " + count(d.more, "more similar warning") + " elsewhere)"))
		}
	})
}

// place writes address, file, line and the source with the range marked.
func (p *page) place(d *hcl.Diagnostic, src *schema.Sources, paint Paint) {
	a := schema.AddrOf(d)
	if !a.IsZero() {
		tail := ""
		if d.Subject != nil {
			tail = ","
		}
		p.line("  with ", Safe(a.String()), tail)
	}
	if d.Subject == nil {
		if !a.IsZero() {
			p.line()
		}
		return
	}
	r := d.Subject
	var code schema.Snippet
	ok := false
	if src != nil {
		code, ok = src.Snippet(*r)
	}
	where := "on " + Safe(r.Filename) + " line " + itoa(r.Start.Line)
	if in := enclosing(src, r); ok && in != "" {
		where += ", in " + Safe(in)
	}
	if ok {
		where += ":"
	}
	p.text(2, Paint{}, where)
	if ok {
		p.snippet(code, r.Start.Line, paint)
	}
	for _, v := range schema.ValuesOf(d) {
		p.text(4, Paint{}, Safe(v.Expr)+" "+statement(v.Value))
	}
	p.line()
}

// statement says what a value is, on one line.
func statement(v cty.Value) string {
	switch {
	case schema.IsSensitive(v):
		return "has a sensitive value"
	case !v.IsWhollyKnown():
		return "is known only after apply"
	}
	return "is " + clip(strings.Join(strings.Fields(value(v, "")), " "), 120)
}

// snippet writes one line of source with the range marked below it.
func (p *page) snippet(code schema.Snippet, line int, paint Paint) {
	from, to := span(code)
	before, marked, after := untab(code.Text[:from]), untab(code.Text[from:to]), untab(code.Text[to:])
	number := pad("", 4-min(len(itoa(line)), 4)) + itoa(line) + ": "
	room := max(p.width-Width(number), 20)
	if Width(before)+Width(marked)+Width(after) > room {
		before, marked, after = window(before, marked, after, room)
	}
	p.line(p.Dim.On(number), before, paint.On(marked), after)
	n := max(Width(marked), 1)
	p.line(strings.Repeat(" ", Width(number)+Width(before)), paint.On(strings.Repeat("^", n)))
}

// span is the part of a snippet that is marked: without blanks at its end.
func span(code schema.Snippet) (from, to int) {
	marked := strings.TrimRight(code.Text[code.From:code.To], " \t")
	return code.From, code.From + len(marked)
}

// untab makes columns countable.
func untab(s string) string { return Safe(strings.ReplaceAll(s, "\t", "    ")) }

// window keeps the marked part of a long line in sight.
func window(before, marked, after string, room int) (string, string, string) {
	marked = clip(marked, room-2)
	left := room - Width(marked) - 2
	if Width(before) > left {
		keep := max(left-min(Width(after), left/3), 0)
		runes := []rune(before)
		for Width(string(runes)) > keep && len(runes) > 0 {
			runes = runes[1:]
		}
		before = "…" + string(runes)
	}
	return before, marked, clip(after, max(room-Width(before)-Width(marked), 0))
}

// header matches the first line of a block: connection "graph" {
var header = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z_][\w-]*)((?:\s+"[^"]*")*)\s*\{\s*(.*)`)
})

// enclosing names the top-level block around a range, by its header's text.
func enclosing(src *schema.Sources, r *hcl.Range) string {
	if src == nil {
		return ""
	}
	for n := r.Start.Line; n > 0 && n > r.Start.Line-100; n-- {
		l, ok := src.Line(r.Filename, n)
		if !ok || strings.HasPrefix(l, "}") {
			return ""
		}
		m := header().FindStringSubmatch(l)
		if m == nil {
			continue
		}
		// What stands behind the brace is the whole of the block, or a remark.
		whole := m[3] != "" && !strings.HasPrefix(m[3], "#") && !strings.HasPrefix(m[3], "//") && !strings.HasPrefix(m[3], "/*")
		inLine := r.Start.Column > strings.Index(l, "{")+1
		if n == r.Start.Line && !inLine || n < r.Start.Line && whole {
			return ""
		}
		return strings.Join(strings.Fields(m[1]+" "+m[2]), " ")
	}
	return ""
}

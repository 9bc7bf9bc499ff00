package schema

import (
	"bufio"
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// layout sets the spaces of a text in native syntax, and nothing else: two
// columns for every bracket that is left open, one space or none between words,
// and the equals signs and the comments of neighbouring lines in one column.
//
// It gives what hclwrite.Format gives, and a test holds it to that. The program
// does without that package, which formats by way of its tree, because
// what it imports for one debugging method would cost every run of token its start.
func layout(src []byte) []byte {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	words := make([]word, len(tokens))
	end := 0
	for i, t := range tokens {
		words[i] = word{Token: t, gap: t.Range.Start.Byte - end}
		end = t.Range.End.Byte
	}
	lines := cutLines(words)
	indent(lines)
	for _, l := range lines {
		space(l.lead)
		space(l.value)
	}
	align(lines, func(l line) (int, []word) { return width(l.lead), l.value })
	align(lines, func(l line) (int, []word) { return width(l.lead) + width(l.value), l.comment })
	var out bytes.Buffer
	out.Grow(len(src) + len(src)/8)
	for _, w := range words {
		for range w.gap {
			out.WriteByte(' ')
		}
		out.Write(w.Bytes)
	}
	return out.Bytes()
}

// word is a token and the spaces before it.
type word struct {
	hclsyntax.Token
	gap int
}

// bracket is 1 for what opens, -1 for what closes, and 0 for the rest.
func bracket(t hclsyntax.TokenType) int {
	switch t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return 1
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		return -1
	}
	return 0
}

// endsLine: a comment with # or // brings its line break along.
func (w *word) endsLine() bool {
	return w.Type == hclsyntax.TokenNewline || w.Type == hclsyntax.TokenComment && bytes.HasSuffix(w.Bytes, []byte("\n"))
}

// opens is how many brackets words open and do not close.
func opens(words []word) int {
	n := 0
	for i := range words {
		n += bracket(words[i].Type)
	}
	return n
}

// width counts the columns of words with their gaps: grapheme clusters, of which
// a line break inside a word is one.
func width(words []word) int {
	n := 0
	for i := range words {
		n += words[i].gap + graphemes(&words[i])
	}
	return n
}

func graphemes(w *word) int {
	if w.Range.Start.Line == w.Range.End.Line {
		return w.Range.End.Column - w.Range.Start.Column
	}
	n := bytes.Count(w.Bytes, []byte("\n"))
	for s := hcl.NewRangeScanner(w.Bytes, "", bufio.ScanLines); s.Scan(); {
		n += s.Range().End.Column - s.Range().Start.Column
	}
	return n
}

// line is what stands between two line breaks outside of templates and comments.
type line struct {
	lead    []word // of an attribute, its name
	value   []word // of an attribute whose value ends in the line: from the equals sign on
	comment []word // after something else
}

func cutLines(words []word) []line {
	var lines []line
	for i, start := 0, 0; i < len(words); i++ {
		switch {
		case words[i].Type == hclsyntax.TokenEOF:
			return append(lines, cutLine(words[start:i]))
		case words[i].endsLine():
			lines = append(lines, cutLine(words[start:i+1]))
			start = i + 1
		}
	}
	return lines
}

func cutLine(words []word) line {
	l := line{lead: words}
	if last := len(words) - 1; last > 0 && words[last].Type == hclsyntax.TokenComment {
		l.lead, l.comment = words[:last], words[last:]
	}
	for i := 1; i < len(l.lead); i++ {
		if l.lead[i].Type != hclsyntax.TokenEqual {
			continue
		}
		if opens(l.lead[i:]) == 0 {
			l.lead, l.value = l.lead[:i], l.lead[i:]
		}
		break
	}
	return l
}

// indent sets the gap before each line. A line that leaves brackets open, however
// many, moves the following ones by one level, until as many are closed.
func indent(lines []line) {
	var levels []int // brackets that a line has left open and nobody has closed
	for _, l := range lines {
		if len(l.lead) == 0 {
			continue
		}
		first := &l.lead[0]
		if first.Type == hclsyntax.TokenNewline {
			first.gap = 0
			continue
		}
		n := opens(l.lead[:heredoc(l.lead)]) + opens(l.value)
		for ; n < 0 && len(levels) > 0; levels = levels[:len(levels)-1] {
			top := &levels[len(levels)-1]
			if n += *top; n > 0 {
				*top, n = n, 0
				break
			}
		}
		first.gap = 2 * len(levels)
		if n > 0 {
			levels = append(levels, n)
		}
	}
}

// heredoc is the index at which a heredoc begins: its brackets are text.
func heredoc(words []word) int {
	for i := range words {
		if words[i].Type == hclsyntax.TokenOHeredoc {
			return i
		}
	}
	return len(words)
}

// align puts the cells of neighbouring lines into one column: one space after
// the widest text before them.
func align(lines []line, split func(line) (before int, cell []word)) {
	for start := 0; start < len(lines); start++ {
		end, column := start, 0
		for ; end < len(lines); end++ {
			before, cell := split(lines[end])
			if len(cell) == 0 {
				break
			}
			column = max(column, before+1)
		}
		for _, l := range lines[start:end] {
			before, cell := split(l)
			cell[0].gap = column - before
		}
		start = end
	}
}

// space sets the gaps between the words of a cell.
func space(words []word) {
	for i := 1; i < len(words); i++ {
		before := hclsyntax.TokenNil
		if i > 1 {
			before = words[i-2].Type
		}
		words[i].gap = 0
		if apart(before, &words[i-1].Token, words[i].Type) {
			words[i].gap = 1
		}
	}
}

// apart reports whether a space stands between two words. before is what stands
// before left.
func apart(before hclsyntax.TokenType, left *hclsyntax.Token, right hclsyntax.TokenType) bool {
	l := left.Type
	switch right {
	case hclsyntax.TokenNewline, hclsyntax.TokenDot, hclsyntax.TokenComma, hclsyntax.TokenEllipsis:
		return false
	case hclsyntax.TokenOParen: // a call
		if l == hclsyntax.TokenIdent {
			return false
		}
	case hclsyntax.TokenDoubleColon:
		if l == hclsyntax.TokenIdent {
			return false
		}
	case hclsyntax.TokenIdent:
		if l == hclsyntax.TokenDoubleColon {
			return false
		}
	}
	switch {
	case l == hclsyntax.TokenDot:
		return false
	case l == hclsyntax.TokenComma:
		return true
	case inTemplate(l, right):
		return false
	case l == hclsyntax.TokenIdent && before == hclsyntax.TokenIdent && string(left.Bytes) == "in":
		return true // for x in [ … ]
	case right == hclsyntax.TokenOBrack && endsValue(l): // an index
		return false
	case l == hclsyntax.TokenBang:
		return false
	case l == hclsyntax.TokenMinus:
		return !expectsValue(before) // else it is a sign
	}
	return apartBrackets(l, right)
}

// inTemplate: between these words every space is text.
func inTemplate(l, r hclsyntax.TokenType) bool {
	switch l {
	case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		return true
	}
	switch r {
	case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		return true
	}
	return false
}

// endsValue: what follows in brackets is an index of it.
func endsValue(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit:
		return true
	}
	return bracket(t) < 0
}

// expectsValue: a minus after it is a sign.
func expectsValue(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenNil, hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack,
		hclsyntax.TokenEqual, hclsyntax.TokenColon, hclsyntax.TokenComma, hclsyntax.TokenQuestion,
		hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
		hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
		hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
		hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenBang:
		return true
	}
	return false
}

// apartBrackets: braces keep their distance, "{}" excepted; other brackets hug
// what is inside.
func apartBrackets(l, r hclsyntax.TokenType) bool {
	template := l == hclsyntax.TokenTemplateInterp || l == hclsyntax.TokenTemplateControl
	switch {
	case l == hclsyntax.TokenOBrace && r == hclsyntax.TokenCBrace:
		return false
	case l == hclsyntax.TokenOBrace, r == hclsyntax.TokenCBrace,
		template && r == hclsyntax.TokenOBrace, l == hclsyntax.TokenCBrace && r == hclsyntax.TokenTemplateSeqEnd:
		return true
	case l == hclsyntax.TokenTemplateSeqEnd && (r == hclsyntax.TokenTemplateInterp || r == hclsyntax.TokenTemplateControl):
		return false
	}
	return bracket(l) <= 0 && bracket(r) >= 0
}

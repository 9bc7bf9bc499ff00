package schema

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The parsers of hcl, and the evaluation of what they make, recurse as deep as
// the text is nested. A stack that overflows ends the process and cannot be
// recovered from, so text is measured before a parser sees it. The lexer is not
// recursive.
const (
	maxDepth     = 100  // brackets, blocks, templates and their directives inside each other
	maxOperators = 1000 // operators and indexes of one expression, and of those around it
	maxExponent  = 4    // digits of a number's exponent, "e" included: 1e400 is a number, 1e1000000000 a gigabyte when printed
)

// checkText refuses text that the parsers must not see, of whatever size.
func checkText(name string, text []byte) hcl.Diagnostics {
	_, diags := checkParts(name, text)
	return diags
}

// checkParts is checkText that gives the places where the text can be cut into
// parts, if it knows any.
func checkParts(name string, text []byte) ([]hcl.Pos, hcl.Diagnostics) {
	if d := checkEncoding(name, text); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	var d *hcl.Diagnostic
	if isJSON(name) {
		d = checkJSON(name, text)
	} else {
		parts, ok := plainlyShallow(text)
		if ok {
			return parts, nil
		}
		tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos) // what is wrong here, the parser says better
		d = checkTokens(tokens)
	}
	if d != nil {
		return nil, hcl.Diagnostics{d}
	}
	return nil, nil
}

func checkBytes(name string, text []byte) *hcl.Diagnostic {
	if d := checkSize(name, text); d != nil {
		return d
	}
	return checkEncoding(name, text)
}

func checkSize(name string, text []byte) *hcl.Diagnostic {
	if len(text) <= maxFile {
		return nil
	}
	return errorAt(hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.Pos{Byte: 1, Line: 1, Column: 2}}, "File too large",
		"The file %s is larger than %d MiB. Split it into several files in the same directory.", name, maxFile>>20)
}

func checkEncoding(name string, text []byte) *hcl.Diagnostic {
	at := func(i int) hcl.Range {
		pos := hcl.Pos{Byte: i, Line: 1 + bytes.Count(text[:i], []byte("\n")), Column: 1}
		pos.Column += utf8.RuneCount(text[bytes.LastIndexByte(text[:i], '\n')+1 : i])
		end := pos
		end.Byte, end.Column = min(i+1, len(text)), pos.Column+1
		return hcl.Range{Filename: name, Start: pos, End: end}
	}
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return errorAt(at(0), "File is in UTF-16", "The file %s is written in UTF-16. Save it as UTF-8 without a byte order mark.", name)
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return errorAt(at(0), "File starts with a byte order mark", "The file %s starts with a byte order mark, an invisible character. Save it as UTF-8 without a byte order mark.", name)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return errorAt(at(i), "NUL byte in file", "The file %s has a NUL byte in it, so it is no text, or is damaged. Save it as UTF-8.", name)
	}
	if !utf8.Valid(text) {
		i := 0
		for i < len(text) {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		return errorAt(at(i), "File is not in UTF-8", "Here the file %s has a byte that is not UTF-8. Save it as UTF-8.", name)
	}
	return nil
}

// frame is one open bracket, quote or block.
type frame struct {
	open       hclsyntax.TokenType
	block      bool // the braces of a block, not of an object
	forExpr    bool // newlines mean nothing inside
	lines      bool // has had a newline
	expression bool // in a block: the = of an argument has been seen on this line
	operators  int  // of the expression that is being read
	directives int  // %{if} and %{for} that are open, in a template
}

// nesting counts how deep the parser would recurse. Where text is broken it
// counts too much rather than too little: the parser, when it recovers, may
// stay inside of what looks closed.
type nesting struct {
	stack      []frame
	operators  int
	directives int
}

// checkTokens reports text that is nested too deep.
func checkTokens(tokens hclsyntax.Tokens) *hcl.Diagnostic {
	n := nesting{stack: []frame{{open: hclsyntax.TokenEOF, block: true}}}
	prev := hclsyntax.TokenNewline
	for i := range tokens {
		tok := &tokens[i]
		next := hclsyntax.TokenEOF
		if i+1 < len(tokens) {
			next = tokens[i+1].Type
		}
		if tok.Type == hclsyntax.TokenNumberLit && hugeExponent(tok.Bytes) {
			return errorAt(tok.Range, "Number out of range", "The exponent of this number is too large.")
		}
		n.step(tok, prev, next, tokens, i)
		if len(n.stack)-1+n.directives > maxDepth {
			return errorAt(tok.Range, "Nested too deep", "Brackets, blocks and templates may stand inside each other up to %d levels deep. Use locals to give names to the inner parts.", maxDepth)
		}
		if n.operators > maxOperators {
			return errorAt(tok.Range, "Expression too long", "An expression may have up to %d operators and indexes. Use locals to give names to its parts.", maxOperators)
		}
		if tok.Type != hclsyntax.TokenComment || bytes.HasSuffix(tok.Bytes, []byte("\n")) {
			prev = tok.Type
		}
	}
	return nil
}

func (n *nesting) step(tok *hclsyntax.Token, prev, next hclsyntax.TokenType, tokens hclsyntax.Tokens, i int) {
	top := &n.stack[len(n.stack)-1]
	switch tok.Type {
	case hclsyntax.TokenOBrace:
		n.push(frame{
			open:    tok.Type,
			block:   top.block && !top.expression,
			forExpr: startsFor(tokens[i+1:]),
		})
	case hclsyntax.TokenOBrack:
		n.operator(top) // perhaps an index
		n.push(frame{open: tok.Type})
	case hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp:
		n.push(frame{open: tok.Type})
	case hclsyntax.TokenTemplateControl:
		if next == hclsyntax.TokenIdent {
			n.directive(top, string(tokens[i+1].Bytes))
		}
		n.push(frame{open: tok.Type})
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		n.pop(top, tok.Type, prev)
	case hclsyntax.TokenNewline:
		n.newline(top)
	case hclsyntax.TokenComment:
		if bytes.HasSuffix(tok.Bytes, []byte("\n")) {
			n.newline(top)
		}
	case hclsyntax.TokenComma:
		n.reset(top)
	case hclsyntax.TokenEqual:
		top.expression = true
	default:
		if slices.Contains(operatorTokens, tok.Type) {
			n.operator(top)
		}
	}
}

var operatorTokens = []hclsyntax.TokenType{
	hclsyntax.TokenMinus, hclsyntax.TokenBang, hclsyntax.TokenQuestion, hclsyntax.TokenStar, hclsyntax.TokenPlus,
	hclsyntax.TokenSlash, hclsyntax.TokenPercent, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
	hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
}

// startsFor reports whether a for expression follows; newlines and comments may
// stand before the word.
func startsFor(tokens hclsyntax.Tokens) bool {
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenNewline && t.Type != hclsyntax.TokenComment {
			return t.Type == hclsyntax.TokenIdent && string(t.Bytes) == "for"
		}
	}
	return false
}

func (n *nesting) push(f frame) { n.stack = append(n.stack, f) }

// closes reports whether closer is the other end of what open began.
func closes(closer, open hclsyntax.TokenType) bool {
	switch closer {
	case hclsyntax.TokenCBrace:
		return open == hclsyntax.TokenOBrace
	case hclsyntax.TokenCBrack:
		return open == hclsyntax.TokenOBrack
	case hclsyntax.TokenCParen:
		return open == hclsyntax.TokenOParen
	case hclsyntax.TokenCQuote:
		return open == hclsyntax.TokenOQuote
	case hclsyntax.TokenCHeredoc:
		return open == hclsyntax.TokenOHeredoc
	case hclsyntax.TokenTemplateSeqEnd:
		return open == hclsyntax.TokenTemplateInterp || open == hclsyntax.TokenTemplateControl
	}
	return false
}

func (n *nesting) pop(top *frame, closer, prev hclsyntax.TokenType) {
	if len(n.stack) == 1 || !closes(closer, top.open) {
		return
	}
	// The brace of a block stands at the start of a line, or on the line where
	// the block began. Elsewhere it is a mistake, and the parser skips it.
	if top.block && top.lines && prev != hclsyntax.TokenNewline && prev != hclsyntax.TokenComment {
		return
	}
	n.reset(top)
	n.directives -= top.directives
	n.stack = n.stack[:len(n.stack)-1]
}

func (n *nesting) newline(top *frame) {
	top.lines = true
	if top.open == hclsyntax.TokenEOF || top.open == hclsyntax.TokenOBrace && !top.forExpr {
		n.reset(top)
	}
}

// reset ends an expression.
func (n *nesting) reset(top *frame) {
	n.operators -= top.operators
	top.operators, top.expression = 0, false
}

func (n *nesting) operator(top *frame) {
	top.operators++
	n.operators++
}

func (n *nesting) directive(top *frame, keyword string) {
	switch {
	case keyword == "if" || keyword == "for":
		top.directives++
		n.directives++
	case (keyword == "endif" || keyword == "endfor") && top.directives > 0:
		top.directives--
		n.directives--
	}
}

func hugeExponent(number []byte) bool {
	i := bytes.IndexAny(number, "eE")
	return i >= 0 && len(bytes.TrimLeft(number[i+1:], "+-0")) >= maxExponent
}

// checkExpression refuses the text of an expression that stands alone.
func checkExpression(text string) error {
	tokens, _ := hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos)
	if d := checkTokens(tokens); d != nil {
		return fmt.Errorf("%s: %s", d.Summary, d.Detail)
	}
	return nil
}

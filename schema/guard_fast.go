package schema

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// partSize is the length in bytes from which a text is parsed in parts. The lexer
// keeps all tokens of what it is given in one slice that it grows by a quarter at
// a time: of a large text that costs more than its syntax tree does.
const partSize = 4 << 10

// plain reads ordinary blocks, arguments, lists and strings, and gives up at
// whatever is not ordinary.
type plain struct {
	text      []byte
	i         int
	line      int
	blank     bool // nothing but spaces on this line so far
	opened    bool // the last thing but spaces and comments was a brace
	stack     []plainBracket
	operators int // of one expression, or a few
	parts     []hcl.Pos
}

type plainBracket struct {
	open byte
	line int
}

// plainlyShallow reports whether text is certainly not nested deep, at a small
// part of what the lexer costs. False means only that the tokens have to be
// looked at. It gives the places where the text can be cut into parts, its start
// among them: nothing goes on from one line to the next there.
func plainlyShallow(text []byte) (parts []hcl.Pos, ok bool) {
	const deep, long = 50, 200 // well below maxDepth and maxOperators
	p := &plain{text: text, blank: true, parts: []hcl.Pos{hcl.InitialPos}}
	for ; p.i < len(text); p.i++ {
		switch text[p.i] {
		case ' ', '\t', '\r':
			continue
		case '\n':
			p.newline()
			continue
		case '#', '/':
			if end := comment(text, p.i); end > p.i {
				p.i = end - 1 // the newline comes next
				continue
			}
		}
		if !p.step(text[p.i]) || len(p.stack) > deep || p.operators > long {
			return nil, false
		}
		p.blank = false
	}
	return p.parts, len(p.stack) == 0
}

func (p *plain) newline() {
	p.line++
	p.blank = true
	if n := len(p.stack); n == 0 || p.stack[n-1].open == '{' {
		p.operators = 0
	}
	next := p.i + 1
	if len(p.stack) == 0 && next-p.parts[len(p.parts)-1].Byte >= partSize && next < len(p.text) && p.text[next] < utf8.RuneSelf { // no byte order mark
		p.parts = append(p.parts, hcl.Pos{Line: p.line + 1, Column: 1, Byte: next})
	}
}

// step reads what starts with c. It is false for what is not ordinary.
func (p *plain) step(c byte) bool {
	afterBrace := p.opened
	p.opened = c == '{'
	switch c {
	case '"':
		end := plainString(p.text, p.i)
		if end < 0 {
			return false
		}
		p.i = end
	case '{', '[', '(':
		p.operators++
		p.stack = append(p.stack, plainBracket{c, p.line})
	case '}', ']', ')':
		return p.pop(c)
	case '/':
		p.operators++
		return !p.follows('*') // a comment over several lines
	case '<':
		p.operators++
		return !p.follows('<') // a heredoc
	case '=':
		if p.follows('=') {
			p.operators++
		}
	case '-', '!', '?', '+', '*', '%', '>', '&', '|':
		p.operators++
	case 'e', 'E': // perhaps the exponent of a number
		return p.i == 0 || p.text[p.i-1] < '0' || p.text[p.i-1] > '9'
	case 'f': // perhaps a for expression, in which newlines end nothing
		return !afterBrace || !bytes.HasPrefix(p.text[p.i:], []byte("for"))
	case '$', '~', '\'', '`':
		return false
	}
	return true
}

func (p *plain) follows(c byte) bool { return p.i+1 < len(p.text) && p.text[p.i+1] == c }

// pop closes a bracket. A brace has to stand where the parser takes it for the
// end of a block, and not for a mistake: see nesting.pop.
func (p *plain) pop(c byte) bool {
	n := len(p.stack) - 1
	if n < 0 {
		return false
	}
	top := p.stack[n]
	fits := top.open+2 == c || top.open == '(' && c == ')'
	if !fits || c == '}' && !p.blank && top.line != p.line {
		return false
	}
	p.stack = p.stack[:n]
	return true
}

// plainString is the index of the quote that ends the string at i, or -1 if it
// does not end on its line, or has more in it than references.
func plainString(text []byte, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '"':
			return j
		case '\\':
			j++
			if j < len(text) && (text[j] == '\n' || text[j] == '\r') {
				return -1
			}
		case '\n', '\r':
			return -1
		case '$', '%':
			if j+1 < len(text) && text[j+1] == '{' {
				if text[j] == '%' || j > 0 && text[j-1] == '$' {
					return -1
				}
				if j = plainReference(text, j+2); j < 0 {
					return -1
				}
			}
		}
	}
	return -1
}

// plainReference is the index of the brace that ends the reference at i, such as
// each.key}, or -1 if it is anything else.
func plainReference(text []byte, i int) int {
	for start := true; i < len(text); i++ {
		switch c := text[i] | 0x20; { // a small letter, if it is one
		case c >= 'a' && c <= 'z':
			start = false
		case text[i] == '}' && !start:
			return i
		case start:
			return -1
		case text[i] == '.':
			start = true
		case text[i] != '_' && (text[i] < '0' || text[i] > '9'):
			return -1
		}
	}
	return -1
}

// comment is the index after the comment on one line that starts at i, or i if
// none does.
func comment(text []byte, i int) int {
	if text[i] == '/' && (i+1 == len(text) || text[i+1] != '/') {
		return i
	}
	if end := bytes.IndexByte(text[i:], '\n'); end >= 0 {
		return i + end
	}
	return len(text)
}

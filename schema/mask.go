package schema

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// masker marks the bytes of a file that must not be shown.
type masker struct {
	text           []byte
	mask           []bool
	values, broken bool
}

// SensitiveName reports whether an attribute of this name holds a secret as far
// as its name tells, misspelt names included.
func SensitiveName(name string) bool { return sensitiveName(name) }

func sensitiveName(name string) bool {
	n := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	for _, harmless := range []string{"_endpoint", "_url", "_uri", "_uris", "_type", "_lifetime", "_lifetimes", "_params", "_auth", "_auth_method", "_file", "_env", "_expires_at", "_expires_in"} {
		if strings.HasSuffix(n, harmless) {
			return false
		}
	}
	for _, part := range []string{"secret", "password", "passwd", "passphrase", "token", "private_key", "privatekey", "api_key", "apikey", "credential", "assertion"} {
		if strings.Contains(n, part) {
			return true
		}
	}
	return Suggest(n, []string{"client_secret", "private_key", "passphrase", "password"}) != ""
}

func (m *masker) sensitive(name string) bool {
	return m.values || sensitiveName(name) || m.broken && name == "default"
}

// tokens masks the values of sensitive attributes and of the defaults of
// sensitive variables, in native syntax and in JSON.
func (m *masker) tokens(toks hclsyntax.Tokens) {
	var groups [][2]int // defaults in the blocks that are open: first token and last of the value
	var hidden []bool   // whether the open block is of something sensitive
	var found [][2]int  // values to mask: one lies inside the other, or beside it
	ends := valueEnds(toks)
	for i, t := range toks {
		switch t.Type {
		case hclsyntax.TokenOBrace:
			groups, hidden = append(groups, [2]int{}), append(hidden, headerSensitive(toks, i))
		case hclsyntax.TokenCBrace:
			if n := len(groups); n > 0 {
				if hidden[n-1] {
					found = append(found, groups[n-1])
				}
				groups, hidden = groups[:n-1], hidden[:n-1]
			}
		}
		name, sep := key(toks, i)
		if name == "" {
			continue
		}
		end := ends[sep+1]
		if m.sensitive(name) {
			found = append(found, [2]int{sep + 1, end})
		}
		if n := len(groups); n > 0 {
			switch {
			case name == "default":
				groups[n-1] = [2]int{sep + 1, end}
			case name == "sensitive" && sep+1 < len(toks) && string(toks[sep+1].Bytes) != "false":
				hidden[n-1] = true
			}
		}
	}
	for i, g := range groups { // of blocks that are not closed
		if hidden[i] {
			found = append(found, g)
		}
	}
	m.expressions(toks, found)
}

// expressions masks ranges of tokens, each token once: text that is nested as deep
// as it is long would otherwise take minutes.
func (m *masker) expressions(toks hclsyntax.Tokens, ranges [][2]int) {
	slices.SortFunc(ranges, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], b[1]-a[1]) })
	done := 0
	for _, r := range ranges {
		if r[1] > done {
			m.expression(toks[r[0]:r[1]])
			done = r[1]
		}
	}
}

// headerSensitive looks at the label before a brace: variable "client_secret" {
// or "client_secret": {.
func headerSensitive(toks hclsyntax.Tokens, brace int) bool {
	for i := brace - 1; i >= 0 && i > brace-4; i-- {
		switch toks[i].Type {
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenIdent:
			return sensitiveName(string(toks[i].Bytes))
		case hclsyntax.TokenCQuote, hclsyntax.TokenColon:
		default:
			return false
		}
	}
	return false
}

// key reads NAME = or "NAME": at token i and gives the name and the index of the
// separator.
func key(toks hclsyntax.Tokens, i int) (string, int) {
	isSep := func(j int) bool {
		return j < len(toks) && (toks[j].Type == hclsyntax.TokenEqual || toks[j].Type == hclsyntax.TokenColon)
	}
	switch {
	case toks[i].Type == hclsyntax.TokenIdent && isSep(i+1) && (i == 0 || toks[i-1].Type != hclsyntax.TokenDot):
		return string(toks[i].Bytes), i + 1
	case toks[i].Type == hclsyntax.TokenQuotedLit && i+1 < len(toks) && toks[i+1].Type == hclsyntax.TokenCQuote && isSep(i+2):
		return string(toks[i].Bytes), i + 2
	}
	return "", 0
}

// valueEnds gives for each token the index after the value that starts there, in
// one pass from the end: a bracket leads to what stands behind its partner.
func valueEnds(toks hclsyntax.Tokens) []int {
	ends := make([]int, len(toks)+1)
	ends[len(toks)] = len(toks)
	var closed []int // closing brackets whose partner is still to come
	for i := len(toks) - 1; i >= 0; i-- {
		ends[i] = ends[i+1]
		switch t := toks[i]; t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			ends[i] = len(toks)
			if n := len(closed); n > 0 {
				ends[i], closed = ends[closed[n-1]+1], closed[:n-1]
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			ends[i], closed = i, append(closed, i)
		case hclsyntax.TokenNewline, hclsyntax.TokenComma:
			ends[i] = i
		case hclsyntax.TokenComment:
			if bytes.HasSuffix(t.Bytes, []byte("\n")) {
				ends[i] = i
			}
		}
	}
	return ends
}

// roots are names that say where a value comes from, and so may be shown.
var roots = []string{"var", "local", "each", "connection", "arg", "true", "false", "null", "for", "in", "if", "else", "endif", "endfor"}

// expression masks what a value says by itself: literals, and words that are no
// reference. References, functions and the names given to env and file stay.
func (m *masker) expression(toks hclsyntax.Tokens) {
	reference := false // the last name was one
	named := 0         // quotes that open at this many tokens from now are shown
	for i, t := range toks {
		next := hclsyntax.TokenEOF
		if i+1 < len(toks) {
			next = toks[i+1].Type
		}
		switch t.Type {
		case hclsyntax.TokenIdent:
			word := string(t.Bytes)
			afterDot := i > 0 && toks[i-1].Type == hclsyntax.TokenDot
			call := next == hclsyntax.TokenOParen || next == hclsyntax.TokenDoubleColon
			if !afterDot {
				reference = call || slices.Contains(roots, word) || next == hclsyntax.TokenEqual
			}
			if call && (word == "env" || word == "file" || word == "fileexists") {
				named = i + 3
			}
			if !reference {
				m.hide(t.Range.Start.Byte, t.Range.End.Byte)
			}
		case hclsyntax.TokenQuotedLit:
			if named > 0 && i == named {
				continue
			}
			m.hide(t.Range.Start.Byte, t.Range.End.Byte)
		case hclsyntax.TokenNumberLit, hclsyntax.TokenStringLit, hclsyntax.TokenInvalid, hclsyntax.TokenBadUTF8, hclsyntax.TokenComment:
			m.hide(t.Range.Start.Byte, t.Range.End.Byte)
		}
	}
}

func (m *masker) hide(from, to int) {
	for i := max(from, 0); i < to && i < len(m.mask); i++ {
		m.mask[i] = true
	}
}

// literals masks what stands between two offsets like the value of a sensitive attribute.
func (m *masker) literals(from, to int) {
	if from >= to {
		return
	}
	toks, _ := hclsyntax.LexExpression(m.text[from:to], "", hcl.Pos{Byte: from, Line: 1, Column: 1})
	m.expression(toks)
}

var keyPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([A-Za-z_][\w-]*)"?\s*[=:]`)
})

// linewise goes through text that starts at an offset line by line, so that a
// quote that is not closed on one line does not turn the rest inside out.
func (m *masker) linewise(text []byte, start int) {
	var goesOn *continuation
	for line := range bytes.Lines(text) {
		end := start + len(line)
		switch {
		case goesOn != nil && goesOn.marker != nil && !goesOn.ends(line):
			m.hide(start, end)
		case goesOn != nil:
			m.literals(start, end)
			if goesOn.marker != nil || goesOn.ends(line) {
				goesOn = nil
			}
		default:
			for _, at := range keyPattern().FindAllSubmatchIndex(line, -1) {
				if m.sensitive(string(line[at[2]:at[3]])) {
					m.literals(start+at[1], end)
					goesOn = continues(line[at[1]:])
					break
				}
			}
		}
		start = end
	}
}

// continuation is a value that goes on after the line where it starts.
type continuation struct {
	marker []byte // of a heredoc
	depth  int    // or brackets that are open
}

func continues(value []byte) *continuation {
	if i := bytes.Index(value, []byte("<<")); i >= 0 {
		if marker := bytes.TrimSpace(bytes.TrimPrefix(value[i+2:], []byte("-"))); len(marker) > 0 {
			return &continuation{marker: marker}
		}
	}
	c := &continuation{}
	if c.count(value); c.depth > 0 {
		return c
	}
	return nil
}

func (c *continuation) count(line []byte) {
	for _, b := range line {
		switch b {
		case '{', '[', '(':
			c.depth++
		case '}', ']', ')':
			c.depth--
		}
	}
}

func (c *continuation) ends(line []byte) bool {
	if c.marker != nil {
		return bytes.Equal(bytes.TrimSpace(line), c.marker)
	}
	c.count(line)
	return c.depth <= 0
}

// jsonTokens gives JSON that has parsed as the tokens of native syntax. What
// looks like a template in a string would lead the lexer astray.
func jsonTokens(text []byte) hclsyntax.Tokens {
	var out hclsyntax.Tokens
	add := func(ty hclsyntax.TokenType, from, to int) {
		out = append(out, hclsyntax.Token{Type: ty, Bytes: text[from:to], Range: hcl.Range{Start: hcl.Pos{Byte: from}, End: hcl.Pos{Byte: to}}})
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '{', '}', '[', ']', ':', ',':
			add(hclsyntax.TokenType(c), i, i+1)
		case '"':
			end := jsonStringEnd(text, i)
			add(hclsyntax.TokenOQuote, i, i+1)
			if inner := text[i+1 : end-1]; bytes.HasPrefix(inner, []byte("${")) && !bytes.ContainsRune(inner, '\\') {
				toks, _ := hclsyntax.LexTemplate(inner, "", hcl.Pos{Byte: i + 1})
				out = append(out, toks[:len(toks)-1]...) // without the end of the file
			} else {
				add(hclsyntax.TokenQuotedLit, i+1, end-1)
			}
			add(hclsyntax.TokenCQuote, end-1, end)
			i = end - 1
		case ' ', '\t', '\r', '\n':
		default: // a number or a word
			end := i + 1
			for end < len(text) && bytes.IndexByte([]byte("{}[]:,\" \t\r\n"), text[end]) < 0 {
				end++
			}
			add(hclsyntax.TokenNumberLit, i, end)
			i = end - 1
		}
	}
	return out
}

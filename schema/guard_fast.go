package schema

import "bytes"

// plainlyShallow reports whether text is certainly not nested deep, at a small
// part of what the lexer costs: it reads ordinary blocks, arguments, lists and
// strings, and gives up at whatever is not ordinary. False means only that the
// tokens have to be looked at.
func plainlyShallow(text []byte) bool {
	const deep, long = 50, 200 // well below maxDepth and maxOperators
	type open struct {
		bracket byte
		line    int
	}
	var stack []open
	line, operators := 0, 0
	blank := true   // nothing but spaces on this line so far
	opened := false // the last thing but spaces and comments was a brace
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == 'f' && opened && bytes.HasPrefix(text[i:], []byte("for")) {
			return false
		}
		switch c {
		case ' ', '\t', '\r':
			continue
		case '\n':
			line++
			blank = true
			if n := len(stack); n == 0 || stack[n-1].bracket == '{' {
				operators = 0
			}
			continue
		case '"':
			end := plainString(text, i)
			if end < 0 {
				return false
			}
			i = end
		case '#', '/':
			end := comment(text, i)
			if end < 0 {
				return false
			}
			if end > i {
				i = end - 1 // the newline comes next
				continue
			}
			operators++
		case '<':
			if i+1 < len(text) && text[i+1] == '<' { // a heredoc
				return false
			}
			operators++
		case '{':
			opened = true
			stack = append(stack, open{c, line})
		case '[', '(':
			operators++
			stack = append(stack, open{c, line})
		case '}', ']', ')':
			n := len(stack) - 1
			if n < 0 || closer(stack[n].bracket) != c || c == '}' && !blank && stack[n].line != line {
				return false
			}
			stack = stack[:n]
		case '-', '!', '?', '+', '*', '%', '>', '&', '|':
			operators++
		case 'e', 'E': // perhaps the exponent of a number
			if i > 0 && (text[i-1] >= '0' && text[i-1] <= '9') {
				return false
			}
		case '$', '~', '\'', '`':
			return false
		}
		if c != '{' {
			opened = false
		}
		blank = false
		if len(stack) > deep || operators > long {
			return false
		}
	}
	return len(stack) == 0
}

func closer(opener byte) byte {
	if opener == '(' {
		return ')'
	}
	return opener + 2
}

// plainString is the index of the quote that ends the string at i, or -1 if it
// is a template or does not end on its line.
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
				return -1
			}
		}
	}
	return -1
}

// comment is the index after the comment on one line that starts at i, i if
// there is none, or -1 for the other kind of comment.
func comment(text []byte, i int) int {
	if text[i] == '/' {
		if i+1 < len(text) && text[i+1] == '*' {
			return -1
		}
		if i+1 >= len(text) || text[i+1] != '/' {
			return i
		}
	}
	if end := bytes.IndexByte(text[i:], '\n'); end >= 0 {
		return i + end
	}
	return len(text)
}

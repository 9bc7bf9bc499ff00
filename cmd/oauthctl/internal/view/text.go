package view

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// Width is the number of terminal columns that s takes; colours count nothing.
func Width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return lipgloss.Width(s)
		}
	}
	return len(s)
}

// pad fills s with spaces up to n columns.
func pad(s string, n int) string {
	if d := n - Width(s); d > 0 {
		return s + strings.Repeat(" ", d)
	}
	return s
}

// clip shortens s to n columns, the last of them an ellipsis.
func clip(s string, n int) string {
	if Width(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	head, _ := cut(s, n-1)
	return head + "…"
}

// cut splits s (without colours) behind as many runes as fit into n columns.
func cut(s string, n int) (head, tail string) {
	end := 0
	for end < len(s) {
		_, size := utf8.DecodeRuneInString(s[end:])
		if Width(s[:end+size]) > n {
			break
		}
		end += size
	}
	return s[:end], s[end:]
}

// Wrap breaks text without colours into lines of at most width columns. It breaks at
// spaces only, so that URLs, addresses and commands' words stay whole and can
// be copied; only text in scripts without spaces is broken inside a word. Lines
// that begin with a space are somebody's layout and stay as they are.
func Wrap(text string, width int) []string {
	if text == "" {
		return nil
	}
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if Width(line) <= width || strings.HasPrefix(line, " ") {
			out = append(out, strings.TrimRight(line, " "))
			continue
		}
		out = append(out, wrapLine(line, width)...)
	}
	return out
}

func wrapLine(line string, width int) []string {
	var out []string
	var cur strings.Builder
	used := 0
	flush := func() {
		if cur.Len() > 0 {
			out = append(out, cur.String())
			cur.Reset()
			used = 0
		}
	}
	for word := range strings.FieldsSeq(line) {
		w := Width(word)
		if used > 0 && used+1+w > width && (w <= width/2 || !isPath(word)) {
			flush()
		}
		for w > width && breakable(word) {
			head, tail := cut(word, max(width, 2))
			out = append(out, head)
			word, w = tail, Width(tail)
		}
		if used > 0 {
			cur.WriteByte(' ')
			used++
		}
		cur.WriteString(word)
		used += w
	}
	flush()
	return out
}

// isPath: a long path stays behind the word before it, so that a line of a log
// says what the path is.
func isPath(word string) bool { return strings.Count(word, "/") > 1 && !strings.Contains(word, "://") }

// breakable reports whether a word that is too long may be broken: only if it
// is not something to copy.
func breakable(word string) bool { return !plain(word) && !strings.Contains(word, "://") }

// sentence makes a sentence of an error text or a note: a capital, a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if strings.ContainsRune(".!?:…", lastRune(s)) {
		return capital(s)
	}
	return capital(s) + "."
}

// capital raises the first letter of a plain word; names such as
// connection.graph or invalid_grant keep their form.
func capital(s string) string {
	word, _, _ := strings.Cut(s, " ")
	for i := 1; i < len(word); i++ {
		c := word[i]
		plain := c >= 'a' && c <= 'z' || c == '\'' || c == ',' || c == ':' && i == len(word)-1 || c == ';' || c == '-'
		if !plain {
			return s
		}
	}
	if s != "" && s[0] >= 'a' && s[0] <= 'z' && !strings.HasPrefix(s, "oauthctl") {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// count writes a number with its noun: "1 connection", "2 connections".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// number writes n with thousands separated, as a person reads it.
func number(n int) string {
	s := itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

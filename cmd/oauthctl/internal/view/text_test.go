package view

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func TestWrapBreaksNothingThatIsCopied(t *testing.T) {
	const path = "/home/somebody/with/a/long/name/identity.txt:"
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"short", 10, []string{"short"}},
		{"one two three four", 9, []string{"one two", "three", "four"}},
		{"see https://a.example/very/long/path now", 12, []string{"see", "https://a.example/very/long/path", "now"}},
		{"an identity in " + path + " keep it", 40, []string{"an identity in " + path, "keep it"}},
		{`use connection.a["north"] here`, 12, []string{"use", `connection.a["north"]`, "here"}},
		{"日本語の説明は空白なしで書かれます", 10, []string{"日本語の説", "明は空白な", "しで書かれ", "ます"}},
		{"grüße an münchen", 9, []string{"grüße an", "münchen"}},
		{"text\n\n    some code that stays as it is\nmore", 12, []string{"text", "", "    some code that stays as it is", "more"}},
	} {
		if diff := cmp.Diff(c.want, Wrap(c.text, c.width)); diff != "" {
			t.Errorf("Wrap(%q, %d) (-want +got):\n%s", c.text, c.width, diff)
		}
	}
}

func TestWidthCountsColumns(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "küche": 5, "日本": 4, "e\u0301": 1, "\x1b[1mbold\x1b[0m": 4, "": 0, "✓": 1, "±": 1} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
	if got := clip("日本語", 4); Width(got) > 4 || !strings.HasSuffix(got, "…") {
		t.Errorf("clip = %q", got)
	}
}

// Lengths of time are rounded to the nearest: what was granted for an hour a moment
// ago has an hour. What is long is overstated by a twentieth at most.
func TestSpansAreRounded(t *testing.T) {
	const second, minute = time.Second, time.Minute
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * second: "59s", hour - second: "1h", hour - 29*second: "1h", hour - 31*second: "59m", hour: "1h",
		hour + 90*second: "1h2m", 90 * minute: "1h30m", 10*hour - second: "10h", 11*hour + 29*minute: "11h", 12*hour - second: "12h",
		day - second: "1d", 47 * hour: "1d23h", 7*day - second: "7d", 89*day + 23*hour: "90d", 89*day + 11*hour: "89d",
		3*year - second: "3y", 3*year - 40*day: "2y", 2*year - second: "2y", -5 * minute: "5m", minute - second/2: "1m",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
	for d := minute; d < 20*year; d += d/7 + 7*second + 13*minute {
		if shown := asSpan(t, Span(d)); shown > d+d/20 || shown < d/2 {
			t.Errorf("%v is shown as %s", d, Span(d))
		}
	}
}

// asSpan reads what [Span] writes.
func asSpan(t *testing.T, text string) (d time.Duration) {
	for text != "" {
		i := strings.IndexAny(text, "smhdy")
		n, err := strconv.Atoi(text[:i])
		if err != nil {
			t.Fatal(err)
		}
		d += time.Duration(n) * map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': hour, 'd': day, 'y': year}[text[i]]
		text = text[i+1:]
	}
	return d
}

func TestSentences(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"the server is busy":            "The server is busy.",
		"invalid_grant: gone":           "invalid_grant: gone.",
		"connection.a failed":           "connection.a failed.",
		"oauthctl cannot":               "oauthctl cannot.",
		"already a sentence.":           "Already a sentence.",
		"interrupted; nothing happened": "Interrupted; nothing happened.",
		"https://a.example is gone":     "https://a.example is gone.",
	} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}

// The block around a place is named, a block of one line too; the header of a block
// is in no other.
func TestEnclosingBlock(t *testing.T) {
	const text = `variable "a" { type = string }
variable "b" {
  type = number
}
connection "c" { # its client
  scopes = []

  lifecycle {
    x = 1
  }
}
locals { d = 1 }

x = 2
`
	src := schema.SourceOf([]byte(text), "main.hcl", nil)
	for at, want := range map[hcl.Pos]string{
		{Line: 1, Column: 1}:  "",
		{Line: 1, Column: 10}: "",
		{Line: 1, Column: 16}: `variable "a"`,
		{Line: 2, Column: 1}:  "",
		{Line: 3, Column: 3}:  `variable "b"`,
		{Line: 6, Column: 3}:  `connection "c"`,
		{Line: 9, Column: 5}:  `connection "c"`,
		{Line: 12, Column: 1}: "",
		{Line: 12, Column: 9}: "locals",
		{Line: 14, Column: 1}: "",
	} {
		if got := enclosing(src, &hcl.Range{Filename: "main.hcl", Start: at}); got != want {
			t.Errorf("line %d, column %d: %q, want %q", at.Line, at.Column, got, want)
		}
	}
}

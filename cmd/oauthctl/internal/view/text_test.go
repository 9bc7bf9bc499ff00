package view

import (
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

func TestSpansAreRoundedDown(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 59*time.Minute + 59*time.Second: "59m", time.Hour: "1h", 90 * time.Minute: "1h30m",
		11*time.Hour + 59*time.Minute: "11h", 47 * time.Hour: "1d", 89*24*time.Hour + 23*time.Hour: "89d", 3 * 365 * 24 * time.Hour: "3y", -5 * time.Minute: "5m",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
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

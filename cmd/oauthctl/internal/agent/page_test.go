package agent

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The lines of the protocol on its page are what is spoken.
func TestPageSpeaksTheProtocol(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(m[1]), "\n")...)
	}
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	r, err := parseRequest([]byte(lines[0]))
	if err != nil {
		t.Fatal(err)
	}
	if line, err := r.encode(); err != nil || string(line) != lines[0]+"\n" {
		t.Errorf("the request is written as\n%s%v, and the page has\n%s", line, err, lines[0])
	}
	for _, line := range lines[1:] {
		a, err := parseAnswer([]byte(line), r.Addr)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if again, err := a.encode(); err != nil || string(again) != line+"\n" {
			t.Errorf("the answer is written as\n%s%v, and the page has\n%s", again, err, line)
		}
	}
	for _, word := range []string{DeclinedNotMine, DeclinedState, DeclinedVersion, DeclinedRequest} {
		if !strings.Contains(string(text), "`"+word+"`") {
			t.Errorf("the page does not have %q", word)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(Metrics(nil, nil, Build{}), -1) {
		if !strings.Contains(string(text), "`"+m[1]) {
			t.Errorf("the page does not have the metric %s", m[1])
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless gives bytes for ever, and counts them.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.n += int64(len(p))
	return len(p), nil
}

// What never ends is read as far as its kind can be long, and refused.
func TestInputIsBoundedWhileItIsRead(t *testing.T) {
	const most = 1 << 16
	in := &endless{}
	c := &cli{App: &App{Stdin: in}}
	_, err := c.readInput("-", most, "document", "oauthctl state pull")
	if err == nil || !strings.Contains(err.Error(), "longer than any document") {
		t.Errorf("error %v", err)
	}
	if in.n > 2*most {
		t.Errorf("%d bytes were read", in.n)
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, make([]byte, most), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := c.readInput(file, most, "document", "oauthctl state pull"); err != nil || len(text) != most {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if err := os.Truncate(file, 1<<40); err == nil { // full of holes
		if _, err := c.readInput(file, most, "document", "oauthctl state pull"); err == nil {
			t.Error("it was read")
		}
	}
}

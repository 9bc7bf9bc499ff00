//go:build unix

package sandbox_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// A journal that is a link, as a repository can hold one, leads to a file of the
// person. It is left as it is: a text without a line break would be cut off.
func TestJournalFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	precious, journal := filepath.Join(dir, "precious"), filepath.Join(dir, "sandbox.journal")
	if err := os.WriteFile(precious, []byte("no line break"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, journal); err != nil {
		t.Fatal(err)
	}
	srv, err := sandbox.New(sandbox.Options{Journal: journal, Now: time.Now, Rand: rand.Reader})
	if err == nil {
		_ = srv.Close()
		t.Error("the journal was opened through a link")
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "no line break" {
		t.Errorf("the file behind the link was changed: %q, %v", text, err)
	}
}

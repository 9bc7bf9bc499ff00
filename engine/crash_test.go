package engine_test

import (
	"io"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// poison panics with something secret.
type poison struct{}

func (poison) Read([]byte) (int, error) { panic("s3cret") }

var _ io.Reader = poison{}

// A crash in the work on one connection is its failure alone: the others are
// done and saved, and nothing of the value that was panicked with is said.
func TestCrashOfOneConnection(t *testing.T) {
	k := newKit(t)
	k.options.Rand = poison{} // which only the consent reads
	k.engine = engine.New(k.options)
	out := k.apply(k.config(one+`
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("SECRET")
  grant "client_credentials" {}
}
`), plan.Options{})
	r := result(t, out, "graph")
	if r.State != engine.Failed || !strings.Contains(r.Err.Error(), "oauthctl crashed, at ") || !strings.Contains(r.Err.Error(), "engine/grant/grant.go:") || strings.Contains(r.Err.Error(), "s3cret") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if r := result(t, out, "worker"); r.State != engine.Done {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if held, err := k.store.Held(k.ctx); err != nil || len(held) != 0 {
		t.Errorf("still held: %v, %v", held, err)
	}
}

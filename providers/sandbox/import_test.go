package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// A token that was given out before is as good as one of the sandbox's own: it
// is rotated, and its reuse is detected, however often it is learned.
func TestLearnedTokenIsOneOfItsOwn(t *testing.T) {
	p := acme()
	r := newRig(t, p)
	given := sandbox.Given{Client: "app", Account: "alice@example.com", Scopes: []string{"files.read"}, Token: "made-up-old"}
	for range 2 {
		if err := r.s.LearnToken(p, given); err != nil {
			t.Fatal(err)
		}
	}
	status, got := r.refresh("made-up-old")
	if status != http.StatusOK || got["scope"] != "files.read" || got["refresh_token"] == nil {
		t.Fatalf("%d %v", status, got)
	}
	if err := r.s.LearnToken(p, given); err != nil { // it does not come to life again
		t.Fatal(err)
	}
	if status, got := r.refresh("made-up-old"); status != http.StatusBadRequest || got["error"] != "invalid_grant" {
		t.Errorf("a second time: %d %v", status, got)
	}
	if st := r.stats(); st.Reuses != 1 {
		t.Errorf("%+v", st)
	}
	other := given
	other.Client, other.Token = "somebody-else", "made-up-other"
	if err := r.s.LearnToken(p, other); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.refresh("made-up-other"); status != http.StatusBadRequest {
		t.Errorf("of another client: %d", status)
	}
}

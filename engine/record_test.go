package engine

import (
	"testing"

	"github.com/oauthctl/oauthctl/state"
)

// Settings that are laid over a record do not take the guard from endpoints
// that a public server named; endpoints of the configuration need none.
func TestMergedClientKeepsItsGuard(t *testing.T) {
	named := state.Client{TokenEndpoint: "https://as.example/token", RevocationEndpoint: "https://as.example/revoke", JWKSURI: "https://as.example/keys", Guarded: true}
	written := named
	written.Guarded = false
	for name, c := range map[string]struct {
		now  state.Client
		want bool
	}{
		"issuer only":    {state.Client{Issuer: "https://as.example"}, true},
		"one endpoint":   {state.Client{TokenEndpoint: named.TokenEndpoint}, true},
		"all endpoints":  {written, false},
		"found just now": {named, true},
	} {
		if got := mergeClient(named, c.now); got.Guarded != c.want || got.RevocationEndpoint != named.RevocationEndpoint {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

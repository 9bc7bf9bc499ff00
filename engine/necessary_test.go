package engine_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// A refresh token that was asked for and did not come is a warning with the
// usual cause. Where the configuration says that there has to be one, the apply
// has failed, and the cause is said all the same.
func TestNecessaryRefreshToken(t *testing.T) {
	for name, tc := range map[string]struct {
		lifecycle string
		want      engine.ResultState
	}{
		"asked for": {"", engine.Done},
		"necessary": {`
  lifecycle {
    postcondition {
      condition     = self.refresh_token != null
      error_message = "The jobs of the night need a refresh token."
    }
  }`, engine.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			for _, bare := range []bool{true, false} {
				k := newKit(t)
				k.server.bare = bare
				cfg := k.config(acme + `
connection "graph" {
  provider  = "acme"
  client_id = "app"
  scopes    = ["read", "offline_access"]` + tc.lifecycle + `
}
`)
				r := result(t, k.apply(cfg, plan.Options{}), "graph")
				want := tc.want
				if !bare {
					want = engine.Done
				}
				if r.State != want {
					t.Errorf("bare %t: %s: %v, want %s", bare, r.State, r.Err, want)
				}
				if said := strings.Join(r.Warnings, "\n"); strings.Contains(said, "no refresh token") != bare || strings.Contains(said, "client's registration") != bare {
					t.Errorf("bare %t: warnings %q", bare, r.Warnings)
				}
				if r.Err != nil && !strings.Contains(r.Err.Error(), "jobs of the night") {
					t.Errorf("the error does not say why: %v", r.Err)
				}
			}
		})
	}
}

package grant_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// Whatever was asked for, a refusal says what it means and what to do; a code
// that is in no list says where to look.
func TestEveryRefusalIsExplained(t *testing.T) {
	ctx := context.Background()
	requests := map[string]struct {
		path string
		do   func(*world) error
	}{
		"code": {"/token", func(w *world) error {
			w.consent(nil)
			_, err := w.client(w.preset(), `scopes = ["a"]`).Authorize(ctx, w.env())
			return err
		}},
		"refresh": {"/token", func(w *world) error {
			_, err := grant.Refresh(ctx, w.env(), w.held(), nil)
			return err
		}},
		"client credentials": {"/token", func(w *world) error {
			_, err := w.client(w.preset(), "client_secret = env(\"X\")\n grant \"client_credentials\" {}").Authorize(ctx, w.env())
			return err
		}},
		"device": {"/device", func(w *world) error {
			_, err := w.client(w.preset(), "scopes = [\"a\"]\n grant \"device_code\" {}").Authorize(ctx, w.env())
			return err
		}},
		"device, polling": {"/token", func(w *world) error {
			_, err := w.client(w.preset(), "scopes = [\"a\"]\n grant \"device_code\" {}").Authorize(ctx, w.env())
			return err
		}},
		"revoke": {"/revoke", func(w *world) error { return grant.Revoke(ctx, w.env(), w.held()) }},
	}
	for name, r := range requests {
		for _, c := range []struct{ code, description, hint string }{
			{"invalid_client", "", "does not know the client"},
			{"invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "The client secret has expired"},
			{"quota_used_up", "", "oauthctl explain quota_used_up"},
			{"$(touch here)", "", ""},
		} {
			t.Run(name+"/"+c.code, func(t *testing.T) {
				w := newWorld(t)
				w.srv.On(r.path, granttest.OAuthError(400, c.code, c.description))
				var e *grant.Error
				if err := r.do(w); !errors.As(err, &e) {
					t.Fatalf("error: %v", err)
				}
				if !strings.Contains(e.Hint, c.hint) || c.hint == "" && e.Hint != "" {
					t.Errorf("hint %q, want %q", e.Hint, c.hint)
				}
				if c.code == "invalid_client" && e.Remedy == "" {
					t.Error("there is no remedy")
				}
			})
		}
	}
}

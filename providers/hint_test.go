package providers_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers"
)

// The error codes of the standards all have cause and remedy.
func TestExplainStandards(t *testing.T) {
	for _, code := range strings.Fields(`
		invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope
		access_denied unsupported_response_type server_error temporarily_unavailable redirect_uri_mismatch
		interaction_required login_required account_selection_required consent_required
		authorization_pending slow_down expired_token invalid_target invalid_token insufficient_scope unsupported_token_type`) {
		h, ok := providers.Explain(nil, code, "")
		if !ok || h.Cause == "" || h.Remedy == "" || h.Needs == "" {
			t.Errorf("Explain(%s) = %+v, %v", code, h, ok)
		}
	}
	if h, ok := providers.Explain(nil, "no_such_error", "nothing known"); ok {
		t.Errorf("an unknown error is explained: %+v", h)
	}
}

func TestExplain(t *testing.T) {
	microsoft := mustResolve(t, "connection \"c\" {\n provider = \"microsoft\"\n client_id = \"x\"\n}")
	github := mustResolve(t, "connection \"c\" {\n provider = \"github-app\"\n client_id = \"x\"\n}")
	for name, tc := range map[string]struct {
		preset            *providers.Preset
		code, description string
		want              string // part of the cause
	}{
		"words of the preset":                  {microsoft, "invalid_request", "AADSTS50011: The redirect URI …", "does not match one that is registered"},
		"whole words only":                     {microsoft, "invalid_request", "AADSTS500113: No reply address", "did not understand"},
		"the code of a longer number":          {microsoft, "invalid_client", "AADSTS7000222: expired", "has expired"},
		"the standard's if nothing fits":       {microsoft, "invalid_grant", "AADSTS99999999", "no longer valid"},
		"words in any case":                    {nil, "invalid_request", "Invalid REDIRECT_URI", "not one of the client's"},
		"a vendor.s code that a quirk renamed": {github, "invalid_grant", "bad_refresh_token: expired", "older than 6 months"},
		"inherited from the preset below":      {github, "redirect_uri_mismatch", "", "callback URL of the app"},
	} {
		t.Run(name, func(t *testing.T) {
			h, ok := providers.Explain(tc.preset, tc.code, tc.description)
			if !ok || !strings.Contains(h.Cause, tc.want) {
				t.Errorf("cause = %q, %v, want %q", h.Cause, ok, tc.want)
			}
		})
	}
}

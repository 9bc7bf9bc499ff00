package quirk_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

// The 401 that means nothing in particular is no failure that passes; a real one is.
func TestCatchAll401(t *testing.T) {
	for _, tc := range []struct {
		status int
		in     string
		want   string
	}{
		{401, `{"error_description":"access_denied","error":"server_error"}`, `{"error":"invalid_request","error_description":"server_error: access_denied"}`},
		{401, `{"error":"server_error"}`, `{"error":"invalid_request","error_description":"server_error"}`},
		{401, `{"error" : "invalid_client"}`, `{"error" : "invalid_client"}`},
		{500, `{"error" : "server_error"}`, `{"error" : "server_error"}`},
		{503, `{"error_description" : "access_denied", "error":"server_error"}`, `{"error_description" : "access_denied", "error":"server_error"}`},
	} {
		status, got := send(t, []string{"catch_all_401"}, &server{status: tc.status, answer: tc.in}, http.MethodPost, "a=b")
		if status != tc.status || got != tc.want {
			t.Errorf("%d %s gives %d %s, want %s", tc.status, tc.in, status, got, tc.want)
		}
	}
}

// A revocation goes by its URL, alone; whatever else is sent stays as it is.
func TestRevokeByURL(t *testing.T) {
	var below *http.Request
	rt, err := quirk.Wrap([]string{"revoke_by_url"}, roundTripper(func(r *http.Request) (*http.Response, error) {
		below = r
		return nil, http.ErrServerClosed
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ form, method, url string }{
		{"client_id=app&client_secret=s&token=a%2Bb%26c&token_type_hint=refresh_token", "GET", "https://dev.example/oauth_revoke_token.do?keep=1&token=a%2Bb%26c"},
		{"grant_type=refresh_token&refresh_token=r", "POST", "https://dev.example/oauth_revoke_token.do?keep=1"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://dev.example/oauth_revoke_token.do?keep=1", strings.NewReader(tc.form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "application/json")
		if tc.method == "GET" {
			req.SetBasicAuth("app", "s")
		}
		if resp, err := rt.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
		if below.Method != tc.method || below.URL.String() != tc.url || below.Header.Get("Accept") == "" {
			t.Errorf("%s becomes %s %s", tc.form, below.Method, below.URL)
		}
		if tc.method == "GET" && (below.Body != nil || below.Header.Get("Authorization")+below.Header.Get("Content-Type") != "" || below.ContentLength != 0) {
			t.Errorf("%s: a body or the client's authentication is left", tc.form)
		}
		if req.Method != http.MethodPost || req.URL.Query().Has("token") {
			t.Error("the caller's request was changed")
		}
	}
	if !quirk.RevokesEach([]string{"accept_json", "revoke_by_url"}) || quirk.RevokesEach([]string{"accept_json"}) {
		t.Error("RevokesEach")
	}
}

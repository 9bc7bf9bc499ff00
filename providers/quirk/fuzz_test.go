package quirk_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/oauthctl/oauthctl/providers/quirk"
)

// Whatever a server answers, all quirks together neither panic nor make JSON of
// what was none, nor of JSON what is none.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, `{"error":"bad_refresh_token","error_description":3}`, `{"scope":["a",null]}`,
		`{"authed_user":{"access_token":"at","scope":"a,b"}}`, `{"error":"x"}{"y":1}`, `error=x&scope=a`, "{\"error\":\"\xff\"}",
	} {
		f.Add(200, seed)
	}
	f.Fuzz(func(t *testing.T, status int, answer string) {
		_, got := send(t, quirk.Names(), &server{status: status, answer: answer}, http.MethodPost, "code=1")
		if json.Valid([]byte(answer)) != json.Valid([]byte(got)) {
			t.Errorf("%q became %q", answer, got)
		}
	})
}

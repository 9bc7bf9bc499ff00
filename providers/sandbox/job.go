package sandbox

import (
	"net/http"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// jobTokenURL is where a made-up job of GitHub Actions asks for its ID token:
// https://docs.github.com/actions/reference/security/oidc.
const jobTokenURL = "https://actions.sandbox.example/idtoken"

// JobToken is what a runner sets for a job that may ask for ID tokens: the value
// of ACTIONS_ID_TOKEN_REQUEST_URL, and that of ACTIONS_ID_TOKEN_REQUEST_TOKEN.
func (s *Server) JobToken() (url string, bearer secret.Secret) {
	return jobTokenURL + "?api-version=2.0", "made-up-ACTIONS_ID_TOKEN_REQUEST_TOKEN"
}

// jobToken answers as the runner's service does.
func (s *Server) jobToken(w http.ResponseWriter, r *http.Request) {
	_, bearer := s.JobToken()
	audience := r.URL.Query().Get("audience")
	switch {
	case r.Method != http.MethodGet:
		http.Error(w, "sandbox: ID tokens are asked for with GET", http.StatusMethodNotAllowed)
		return
	case r.Header.Get("Authorization") != "Bearer "+bearer.Reveal():
		http.Error(w, "sandbox: the Authorization header does not have the job's token", http.StatusUnauthorized)
		return
	case audience == "":
		audience = "https://github.com/sandbox"
	}
	token, err := s.workloadToken(audience)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, struct {
		Value string `json:"value"`
	}{token.Reveal()})
}

package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// refusal is an error as RFC 6749 §5.2 writes it.
type refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int
	// For servers that number their errors.
	why    why
	number int
	fixed  bool // whyRefreshExpired: use could not have extended it
}

func (e *refusal) Error() string { return e.Code + ": " + e.Description }

// refuse is a refusal with status 400, or 401 for invalid_client.
func refuse(code, description string) *refusal {
	e := &refusal{Code: code, Description: describable(description), status: http.StatusBadRequest}
	if code == "invalid_client" {
		e.status = http.StatusUnauthorized
	}
	return e
}

// because says why, for servers that tell more apart than the standards do.
func (e *refusal) because(w why) *refusal {
	e.why = w
	return e
}

// why tells refusals apart that have the same code in RFC 6749.
type why string

// The reasons that servers with numbers of their own tell apart.
const (
	whyCodeUnknown        why = "code_unknown"
	whyCodeUsed           why = "code_used"
	whyCodeExpired        why = "code_expired"
	whyRedirect           why = "redirect" // not the one of the authorization request
	whyVerifier           why = "verifier"
	whyRefreshUnknown     why = "refresh_unknown"
	whyRefreshExpired     why = "refresh_expired"
	whyRefreshRevoked     why = "refresh_revoked"
	whySecretWrong        why = "secret_wrong"
	whySecretExpired      why = "secret_expired"
	whySecretMissing      why = "secret_missing"
	whySecretUnwanted     why = "secret_unwanted"
	whyAssertionMalformed why = "assertion_malformed"
	whyAssertionKey       why = "assertion_key"
	whyAssertionTime      why = "assertion_time"
	whyAssertionAudience  why = "assertion_audience"
	whyTokenAudience      why = "token_audience" // of a federated one
	whyTokenTime          why = "token_time"
	whyDenied             why = "denied"
	whyNobody             why = "nobody" // is signed in, and prompt=none
	whyDeviceUnknown      why = "device_unknown"
	whyDevicePending      why = "device_pending"
	whyDeviceDenied       why = "device_denied"
	whyDeviceExpired      why = "device_expired"
)

// describable keeps to the characters that RFC 6749 §5.2 allows in descriptions.
func describable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, s)
}

// asRefusal makes a refusal of any error; what is none is the sandbox's own failure.
func asRefusal(w http.ResponseWriter, err error) *refusal {
	var e *refusal
	if !errors.As(err, &e) {
		e = refuse("server_error", "sandbox: "+err.Error())
		e.status = http.StatusInternalServerError
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="sandbox"`)
	}
	return e
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	e := asRefusal(w, err)
	answer(w, e.status, e)
}

// answer sends JSON.
func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, status, "application/json", b)
}

// send sends what no cache may keep (RFC 6749 §5.1).
func send(w http.ResponseWriter, status int, mediaType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// allow answers 405 unless the method is one of these.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m || m == http.MethodGet && r.Method == http.MethodHead {
			return true
		}
	}
	for _, m := range methods {
		w.Header().Add("Allow", m)
	}
	answer(w, http.StatusMethodNotAllowed, &refusal{Code: "invalid_request", Description: r.Method + " is not allowed here"})
	return false
}

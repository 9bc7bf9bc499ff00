package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The manner of a ServiceNow instance, by the quirk catch_all_401. Sources:
// https://www.servicenow.com/docs/r/platform-security/authentication/
// (authorization-workflow, r_OAuthAPIRequestParameters, r_OAuthAPIResponseParameters,
// t_CreateEndpointforExternalClients, t_RevokeOAuthToken) and, for the answer to
// every refused request, https://www.servicenow.com/community (m-p/2521408).

// askInstance: state is wanted, in letters and digits; without scopes the token
// may do all that its user may.
func askInstance(_ *visit, req *request) string {
	if req.state == "" {
		return "Missing State parameter in request"
	}
	if strings.ContainsFunc(req.state, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		return "Invalid State parameter in request: special characters are not allowed"
	}
	if len(req.scopes) == 0 {
		req.scopes = []string{"useraccount"}
	}
	return ""
}

// wordInstance: one answer to every refused token request.
func wordInstance(v *visit, e *refusal) (*refusal, any) {
	if v.role == RoleAuthorize || e.status >= http.StatusInternalServerError {
		return e, e
	}
	out := &refusal{Code: "server_error", Description: "access_denied", status: http.StatusUnauthorized}
	return out, out
}

// sameToken: as long as the access token of a person and a client lives, it is
// given out again, with the time that it has left. The book holds digests only,
// so tokens are made from what they are for.
func sameToken(v *visit, t *tx, g consent, scopes []string) (string, time.Duration) {
	key := fmt.Sprintf("access\x00%s\x00%s\x00%s\x00%s", v.ID, g.Client, g.Person.Subject, strings.Join(scopes, " "))
	for n := 0; ; n++ {
		mac := hmac.New(sha256.New, v.s.salt)
		fmt.Fprintf(mac, "%s\x00%d", key, n)
		value := "sandbox_at_" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		row, known := t.accesses[digestOf(value)]
		switch {
		case !known:
			row = access{Hash: digestOf(value), Realm: v.ID, Client: g.Client, Grant: g.ID, Scopes: scopes, At: t.now, Expires: t.now.add(v.Access)}
			t.put.Access = append(t.put.Access, row)
			return value, v.Access
		case !row.Revoked && !row.Expires.passed(t.now) && !t.grants[row.Grant].Revoked:
			return value, time.Duration(row.Expires-t.now) * time.Millisecond
		}
	}
}

// revokeOne marks the token in the query as expired, and no other. It asks for
// no authentication, and says nothing.
func revokeOne(v *visit, w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	err := v.s.book.update(func(t *tx) error {
		hash := digestOf(r.URL.Query().Get("token"))
		if row, ok := t.refreshes[hash]; ok && t.grants[row.Grant].Realm == v.ID {
			row.Expires = t.now
			t.put.Event = eventRevoke
			t.put.Refresh = append(t.put.Refresh, row)
		}
		if row, ok := t.accesses[hash]; ok && row.Realm == v.ID {
			row.Revoked = true
			t.put.Event = eventRevoke
			t.put.Access = append(t.put.Access, row)
		}
		return nil
	})
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

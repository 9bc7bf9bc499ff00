package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// live is what is known of an access token that is valid.
type live struct {
	access
	consent consent // zero for client credentials
}

// lookAccess finds a valid access token of these servers.
func (t *tx) lookAccess(value string, realms []string) (live, bool) {
	row, ok := t.accesses[digestOf(value)]
	g := t.grants[row.Grant]
	valid := ok && !row.Revoked && !g.Revoked && !row.Expires.passed(t.now) && slices.Contains(realms, row.Realm)
	return live{row, g}, valid
}

// revoke is RFC 7009: an unknown token is no error, a refresh token takes its
// family with it.
func (v *visit) revoke(w http.ResponseWriter, r *http.Request) {
	if own := v.manner().revoke; own != nil {
		own(v, w, r)
		return
	}
	if !allow(w, r, http.MethodPost) {
		return
	}
	creds, err := credentialsOf(r)
	if err == nil {
		token := v.known(r.PostForm.Get("token"))
		err = v.s.book.update(func(t *tx) error {
			c, err := v.authenticate(t, creds, false)
			if err != nil {
				return err
			}
			return v.revokeToken(t, c, token)
		})
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (v *visit) revokeToken(t *tx, c client, value string) error {
	if value == "" {
		return refuse("invalid_request", "token is missing")
	}
	hash := digestOf(value)
	foreign := refuse("invalid_client", "the token belongs to another client")
	if row, ok := t.refreshes[hash]; ok {
		g := t.grants[row.Grant]
		if g.Realm != v.ID || g.Client != c.ID {
			return foreign
		}
		g.Revoked = true
		t.put.Event = eventRevoke
		t.put.Grants = append(t.put.Grants, g)
	}
	if row, ok := t.accesses[hash]; ok {
		if row.Realm != v.ID || row.Client != c.ID {
			return foreign
		}
		row.Revoked = true
		t.put.Event = eventRevoke
		t.put.Access = append(t.put.Access, row)
	}
	return nil
}

// introspection is RFC 7662 §2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Exp       int64  `json:"exp,omitempty"`
	Iat       int64  `json:"iat,omitempty"`
	Sub       string `json:"sub,omitempty"`
	Iss       string `json:"iss,omitempty"`
}

// introspect tells a client about its own tokens.
func (v *visit) introspect(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	creds, err := credentialsOf(r)
	var out introspection
	if err == nil {
		token := v.known(r.PostForm.Get("token"))
		err = v.s.book.update(func(t *tx) error {
			if creds.method == "none" { // RFC 7662 §2.1: a protected resource authenticates
				return refuse("invalid_client", "introspection needs a client secret")
			}
			c, err := v.authenticate(t, creds, false)
			if err != nil {
				return err
			}
			out = v.look(t, c, token)
			return nil
		})
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, out)
}

func (v *visit) look(t *tx, c client, value string) introspection {
	if a, ok := t.lookAccess(value, []string{v.ID}); ok && a.Client == c.ID {
		return introspection{
			Active: true, Scope: strings.Join(a.Scopes, " "), ClientID: a.Client, TokenType: "Bearer",
			Username: a.consent.Person.Email, Sub: a.consent.Person.Subject,
			Exp: a.Expires.unix(), Iat: a.At.unix(), Iss: v.Issuer,
		}
	}
	row, ok := t.refreshes[digestOf(value)]
	g := t.grants[row.Grant]
	if !ok || g.Revoked || g.Realm != v.ID || g.Client != c.ID || row.Expires.passed(t.now) || v.rotates() && row.Used != 0 {
		return introspection{}
	}
	return introspection{
		Active: true, Scope: strings.Join(g.Scopes, " "), ClientID: g.Client, TokenType: "refresh_token",
		Username: g.Person.Email, Sub: g.Person.Subject, Exp: row.Expires.unix(), Iat: g.At.unix(), Iss: v.Issuer,
	}
}

// claims are what ID tokens and userinfo say of a person (OpenID Connect Core
// 1.0 §5.1).
type claims struct {
	Subject  string `json:"sub"`
	Name     string `json:"name,omitempty"`
	Username string `json:"preferred_username,omitempty"`
	Email    string `json:"email,omitempty"`
	Verified bool   `json:"email_verified,omitempty"`
	// Login is the name that servers without OpenID Connect use.
	Login string `json:"login,omitempty"`
}

func claimsOf(p Person) claims {
	c := claims{Subject: p.Subject, Name: p.Name, Username: p.Email}
	if strings.Contains(p.Email, "@") {
		c.Email, c.Verified = p.Email, true
	}
	return c
}

// userinfo is OpenID Connect Core 1.0 §5.3, with the errors of RFC 6750 §3.1.
func (v *visit) userinfo(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || value == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sandbox"`)
		answer(w, http.StatusUnauthorized, refuse("invalid_request", "there is no bearer token"))
		return
	}
	var a live
	var ok bool
	token := v.known(value)
	if err := v.s.book.view(func(t *tx) { a, ok = t.lookAccess(token, v.realms) }); err != nil {
		fail(w, err)
		return
	}
	if !ok || a.Grant == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sandbox", error="invalid_token"`)
		answer(w, http.StatusUnauthorized, refuse("invalid_token", "the token is unknown, has ended, or belongs to no person"))
		return
	}
	c := claimsOf(a.consent.Person)
	if !v.OpenID {
		c.Login = a.consent.Person.Email
	}
	answer(w, http.StatusOK, c)
}

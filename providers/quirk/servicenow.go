package quirk

import (
	"net/http"
	"net/url"
	"strings"
)

// The behaviours of a ServiceNow instance as authorization server. Sources:
// https://www.servicenow.com/docs/r/platform-security/authentication/
// (authorization-workflow, t_CreateEndpointforExternalClients, t_RevokeOAuthToken).

// firstRedirect is for servers that send an answer to the first redirect URI of
// the registration, without a word, when the one of the request is not among
// them: the code then goes elsewhere, and nobody answers here.
func firstRedirect(d *Draft) []Finding {
	if d.Grant != "authorization_code" || !d.Knows("redirect_uris") {
		return nil
	}
	const why = "When the redirect URI of a request is not among those of the registration, %s reports no error: " +
		"it sends the answer to the first one that is registered, and the code never arrives here. "
	u, err := url.Parse(d.RedirectURI)
	loopback := err == nil && u.Scheme == "http"
	switch {
	case !d.RedirectDeclared:
		return []Finding{Errorf("redirect_uris", "Missing redirect URI", why+
			"Register one, and declare it letter by letter: redirect_uris = [\"http://localhost:8085/callback\"].", d.Server)}
	case loopback && u.Port() == "":
		return []Finding{Errorf("redirect_uris", "Redirect URI without a port", why+
			"The port counts, so a free one cannot be chosen when the flow runs. Register a URI with a port, and declare it letter by letter: redirect_uris = [\"%s\"].",
			d.Server, strings.Replace(d.RedirectURI, "://"+u.Host, "://"+u.Host+":8085", 1))}
	}
	d.Notes = append(d.Notes, "the registration must have "+d.RedirectURI+" letter by letter: otherwise the answer goes to the first redirect URI that it has, and none arrives here")
	d.Silence = "nothing arrived? If " + d.RedirectURI + " is not in the registration letter by letter, " + d.Server +
		" sent the answer to the first redirect URI there: look at the address that the browser ended at"
	return nil
}

// optionalRefresh is for servers of which it is not certain that a public client
// gets a refresh token.
func optionalRefresh(d *Draft) []Finding {
	if d.Interactive && d.ClientAuth == "none" {
		d.Notes = append(d.Notes, "a client without a secret may get no refresh token: then a new consent is due when the access token ends")
	}
	return nil
}

// catchAll401 is for a server with one answer for every refused token request,
// which reads like a failure of its own: 401, server_error, access_denied. What
// it means cannot be told, only what it does not: it will not pass.
func catchAll401(m *message) bool {
	if m.status != http.StatusUnauthorized || m.str("error") != "server_error" {
		return false
	}
	description := "server_error"
	if d := m.str("error_description"); d != "" {
		description += ": " + d
	}
	m.set("error", "invalid_request")
	m.set("error_description", description)
	return true
}

// revokeByURL sends the token to be revoked in the query of a GET, without
// client authentication, as t_RevokeOAuthToken documents it. A form body would
// keep it out of the logs of proxies that end TLS, but whether an instance reads
// one is not documented, and a token that lives on although it was reported as
// revoked is worse than a dead one in a log.
func revokeByURL(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPost || r.Body == nil || !isForm(r.Header) {
			return next.RoundTrip(r)
		}
		form, err := readForm(r.Body)
		if err != nil {
			return nil, err
		}
		if !form.Has("token_type_hint") { // not RFC 7009
			return next.RoundTrip(withForm(r, form))
		}
		u := *r.URL
		query := u.Query()
		query.Set("token", form.Get("token"))
		u.RawQuery = query.Encode()
		r = r.Clone(r.Context())
		r.Method, r.URL, r.Body, r.GetBody, r.ContentLength = http.MethodGet, &u, nil, nil, 0
		for _, h := range []string{"Authorization", "Content-Type", "Content-Length"} {
			r.Header.Del(h)
		}
		return next.RoundTrip(r)
	})
}

package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// credentials are how a client presented itself (RFC 6749 §2.3).
type credentials struct {
	method    string
	id        string
	secret    secret.Secret
	assertion *signed // nil: none
	origin    string  // of the page that sends the request, as browsers say it
}

// bearerMethod: no client presents itself, as the assertion of the grant says who
// asks (RFC 7521 §4.1).
const bearerMethod = "assertion"

// credentialsOf reads the credentials of a request: exactly one method.
func credentialsOf(r *http.Request) (credentials, error) {
	c, err := presented(r)
	c.origin = r.Header.Get("Origin")
	return c, err
}

func presented(r *http.Request) (credentials, error) {
	form := r.PostForm
	for name, values := range form {
		if len(values) > 1 && name != "resource" && name != "audience" {
			return credentials{}, refuse("invalid_request", name+" is given more than once")
		}
	}
	if form.Has("client_assertion") {
		return assertionOf(r)
	}
	if r.Header.Get("Authorization") == "" {
		c := credentials{method: "none", id: form.Get("client_id")}
		if form.Has("client_secret") {
			c.method, c.secret = "client_secret_post", secret.Secret(form.Get("client_secret"))
		}
		if c.method == "none" && c.id == "" && form.Get("grant_type") == bearerGrantType {
			c.method = bearerMethod
			return c, nil
		}
		if c.id == "" {
			return c, refuse("invalid_client", "client_id is missing")
		}
		return c, nil
	}
	id, pass, ok := r.BasicAuth()
	if !ok {
		return credentials{}, refuse("invalid_client", "the Authorization header is not Basic")
	}
	if form.Has("client_secret") {
		return credentials{}, refuse("invalid_request", "the client authenticates in two ways at once (RFC 6749 §2.3)")
	}
	// Both halves are form-encoded, RFC 6749 §2.3.1.
	id, err1 := url.QueryUnescape(id)
	pass, err2 := url.QueryUnescape(pass)
	if err1 != nil || err2 != nil || id == "" {
		return credentials{}, refuse("invalid_client", "the Basic credentials are not form-encoded (RFC 6749 §2.3.1)")
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return credentials{}, refuse("invalid_client", "client_id differs between header and body")
	}
	return credentials{method: "client_secret_basic", id: id, secret: secret.Secret(pass)}, nil
}

// secretDigest is kept instead of a client secret, which may be a real one: 32
// bits are enough to notice a wrong secret, and not enough to find the right one.
func (s *Server) secretDigest(p *profile, id string, value secret.Secret) string {
	mac := hmac.New(sha256.New, s.salt)
	mac.Write([]byte("client\x00" + p.ID + "\x00" + id + "\x00" + value.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

// maxLearned is how many secrets and redirect URIs of one client are learned.
const maxLearned = 32

// authenticate checks the client. fresh says that a new grant begins: then a
// client that was never registered may come with a new secret, as if its owner
// had changed it in the portal.
func (v *visit) authenticate(t *tx, c credentials, fresh bool) (client, error) {
	if c.method == bearerMethod {
		return client{Realm: v.ID}, nil
	}
	if !slices.Contains(v.Auth, c.method) {
		return client{}, refuse("invalid_client", v.Title+" does not accept the client authentication "+c.method)
	}
	row, known := t.clients[clientKey{v.ID, c.id}]
	if !known {
		row = client{Realm: v.ID, ID: c.id}
	}
	if c.assertion != nil {
		return v.checkAssertion(t, c, row)
	}
	if c.method == "none" {
		if len(row.Secrets)+len(row.Keys) > 0 {
			return row, refuse("invalid_client", "the client has a secret or a key and did not present it").because(whySecretMissing)
		}
		return row, nil
	}
	if c.secret.Empty() {
		return row, refuse("invalid_client", "the client secret is empty").because(whySecretWrong)
	}
	sum := v.s.secretDigest(v.profile, c.id, c.secret)
	if slices.Contains(row.Secrets, sum) {
		if row.SecretEnds.passed(t.now) {
			return row, refuse("invalid_client", "the client secret has expired").because(whySecretExpired)
		}
		return row, nil
	}
	learn := !row.Strict && (len(row.Secrets) == 0 || fresh && !v.Plain)
	if !learn || len(row.Secrets) >= maxLearned {
		return row, refuse("invalid_client", "the client secret is wrong").because(whySecretWrong)
	}
	row.Secrets = append(slices.Clone(row.Secrets), sum)
	t.put.Clients = append(t.put.Clients, row)
	return row, nil
}

package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// deviceGrantType is the grant type of RFC 8628 §3.4.
const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"

// grantNames are the names in a preset of grant types that have a longer one.
var grantNames = map[string]string{deviceGrantType: "device_code", bearerGrantType: "jwt_bearer", exchangeGrantType: "token_exchange"}

// codeLife is how long a code lives: long enough to paste a URL by hand, and
// not above what RFC 6749 §4.1.2 recommends.
const codeLife = 10 * time.Minute

// issued is what a token request earned.
type issued struct {
	accessToken  string
	life         time.Duration // of the access token
	refreshToken string
	refreshLife  time.Duration // where the server tells it
	scopes       []string
	openid       bool // an ID token belongs to it
	client       string
	person       Person
	nonce        string
	authTime     stamp
	now          stamp
	tokenType    string // of an exchange: RFC 8693 §2.2.1
}

// tokenAnswer is the successful answer of RFC 6749 §5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in,omitempty"` // left out where tokens do not end
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshLife  int64  `json:"refresh_token_expires_in,omitempty"`
	Issued       string `json:"issued_token_type,omitempty"`
}

// token answers a token request.
func (v *visit) token(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) {
		return
	}
	creds, err := credentialsOf(r)
	if err != nil {
		v.fail(w, r, err)
		return
	}
	var out issued
	err = v.s.book.update(func(t *tx) error {
		var err error
		out, err = v.grant(t, creds, r.PostForm)
		return err
	})
	if err != nil {
		v.fail(w, r, err)
		return
	}
	if v.signs() {
		if out.accessToken, err = v.accessJWT(out); err != nil {
			v.fail(w, r, err)
			return
		}
	}
	body := tokenAnswer{
		AccessToken:  out.accessToken,
		TokenType:    "Bearer",
		ExpiresIn:    int64(out.life / time.Second),
		RefreshToken: out.refreshToken,
		Scope:        strings.Join(out.scopes, v.Separator),
		RefreshLife:  int64(out.refreshLife / time.Second),
		Issued:       out.tokenType,
	}
	if out.openid {
		if body.IDToken, err = v.idToken(out); err != nil {
			v.fail(w, r, err)
			return
		}
	}
	v.reply(w, r, http.StatusOK, body)
}

// grant authenticates the client and walks the grant that it asks for.
func (v *visit) grant(t *tx, creds credentials, form url.Values) (issued, error) {
	kind := form.Get("grant_type")
	if present := v.manner().present; present != nil {
		if refused := present(v, &creds, form); refused != nil {
			return issued{}, refused
		}
	}
	c, err := v.authenticate(t, creds, kind != "refresh_token")
	if err != nil {
		return issued{}, err
	}
	if check := v.manner().check; check != nil {
		if refused := check(v, t, c, creds, form); refused != nil {
			return issued{}, refused
		}
	}
	name := kind
	if short := grantNames[kind]; short != "" {
		name = short
	}
	known := v.allows(name)
	switch {
	case kind == "":
		return issued{}, refuse("invalid_request", "grant_type is missing")
	case kind == "authorization_code" && known:
		return v.exchange(t, c, creds, form)
	case kind == "refresh_token" && known:
		return v.refresh(t, c, creds, form)
	case kind == "client_credentials" && known:
		if creds.method == "none" {
			return issued{}, refuse("unauthorized_client", "a public client cannot use client credentials (RFC 6749 §4.4)")
		}
		return v.clientCredentials(t, c, form)
	case kind == deviceGrantType && known:
		return v.pollDevice(t, c, form)
	case kind == bearerGrantType && known:
		return v.jwtBearer(t, c, form)
	case kind == exchangeGrantType && known:
		return v.tokenExchange(t, c, form)
	}
	return issued{}, refuse("unsupported_grant_type", v.Title+" does not know the grant type")
}

// exchange redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.6). A code that comes
// twice costs every token that was made from it (RFC 6749 §4.1.2).
func (v *visit) exchange(t *tx, c client, creds credentials, form url.Values) (issued, error) {
	row, ok := t.codes[digestOf(form.Get("code"))]
	switch {
	case !ok || row.Realm != v.ID || row.Client != c.ID:
		return issued{}, refuse("invalid_grant", "the code is unknown, or belongs to another client").because(whyCodeUnknown)
	case row.Grant != "":
		t.put.Event = eventCodeReuse
		g := t.grants[row.Grant]
		g.Revoked = true
		t.put.Grants = append(t.put.Grants, g)
		return issued{}, refuse("invalid_grant", "the code was used before; the tokens made from it are revoked").because(whyCodeUsed)
	case row.Expires.passed(t.now):
		return issued{}, refuse("invalid_grant", "the code has expired").because(whyCodeExpired)
	case row.Redirect != form.Get("redirect_uri"):
		return issued{}, refuse("invalid_grant", "redirect_uri is not the one of the authorization request").because(whyRedirect)
	}
	if err := checkVerifier(row.Challenge, form); err != nil {
		return issued{}, err
	}
	g := consent{Realm: v.ID, Client: c.ID, Person: row.Person, Scopes: row.Scopes, At: t.now}
	if begin := v.manner().begin; begin != nil {
		if refused := begin(v, t, c, creds, &g); refused != nil {
			return issued{}, refused
		}
	}
	if err := t.keep(&g); err != nil {
		return issued{}, err
	}
	row.Grant = g.ID
	t.put.Event = eventCode
	t.put.Codes = append(t.put.Codes, row)
	out, err := v.issue(t, g, g.Scopes, row.Offline && !c.NoRefresh)
	out.nonce = row.Nonce
	return out, err
}

func checkVerifier(challenge string, form url.Values) error {
	verifier := form.Get("code_verifier")
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return refuse("invalid_grant", "code_verifier without a code_challenge in the authorization request")
	case verifier == "":
		return refuse("invalid_grant", "code_verifier is missing (RFC 7636)").because(whyVerifier)
	case len(verifier) < 43 || len(verifier) > 128:
		return refuse("invalid_grant", "code_verifier must have 43 to 128 characters (RFC 7636 §4.1)")
	}
	sum := sha256.Sum256([]byte(verifier))
	if base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
		return refuse("invalid_grant", "code_verifier does not fit the code_challenge").because(whyVerifier)
	}
	return nil
}

// newConsent starts a family of tokens.
func (v *visit) newConsent(t *tx, clientID string, p Person, scopes []string) (consent, error) {
	g := consent{Realm: v.ID, Client: clientID, Person: p, Scopes: scopes, At: t.now}
	return g, t.keep(&g)
}

// keep gives a consent its name.
func (t *tx) keep(g *consent) (err error) {
	g.ID, err = t.random("", 12)
	t.put.Grants = append(t.put.Grants, *g)
	return err
}

// issue makes an access token of a consent, and a refresh token if it is to have one.
func (v *visit) issue(t *tx, g consent, scopes []string, offline bool) (issued, error) {
	out := issued{
		scopes: scopes, client: g.Client, person: g.Person, authTime: g.At, now: t.now,
		openid: v.OpenID && slices.Contains(scopes, "openid"),
	}
	var err error
	if reissue := v.manner().reissue; reissue != nil {
		out.accessToken, out.life = reissue(v, t, g, scopes)
	} else {
		out.accessToken, out.life, err = v.accessToken(t, g.Client, g.ID, scopes)
	}
	if err != nil || !offline {
		return out, err
	}
	if out.refreshToken, err = t.random("sandbox_rt_", 32); err != nil {
		return out, err
	}
	row := refresh{Hash: digestOf(out.refreshToken), Grant: g.ID}
	switch {
	case g.Ends != 0:
		row.Expires, out.refreshLife = g.Ends, time.Duration(g.Ends-t.now)*time.Millisecond
	case v.Refresh > 0:
		row.Expires = t.now.add(v.Refresh)
	}
	t.put.Refresh = append(t.put.Refresh, row)
	return out, nil
}

func (v *visit) accessToken(t *tx, clientID, grant string, scopes []string) (string, time.Duration, error) {
	life := v.Access
	if own := v.manner().life; own != nil && life > 0 {
		var err error
		if life, err = own(v, t); err != nil {
			return "", 0, err
		}
	}
	value, err := t.random("sandbox_at_", 32)
	row := access{Hash: digestOf(value), Realm: v.ID, Client: clientID, Grant: grant, Scopes: scopes, At: t.now}
	if life > 0 {
		row.Expires = t.now.add(life)
	}
	t.put.Access = append(t.put.Access, row)
	return value, life, err
}

// clientCredentials is RFC 6749 §4.4.
func (v *visit) clientCredentials(t *tx, c client, form url.Values) (issued, error) {
	scopes, refused := v.readScopes(form.Get("scope"))
	if refused != nil {
		return issued{}, refused
	}
	t.put.Event = eventClient
	value, life, err := v.accessToken(t, c.ID, "", scopes)
	return issued{accessToken: value, life: life, scopes: scopes, client: c.ID, now: t.now}, err
}

// readScopes splits a scope parameter and checks its characters (RFC 6749 §3.3).
func (v *visit) readScopes(s string) ([]string, *refusal) {
	scopes := v.splitScopes(s)
	for _, one := range scopes {
		for _, r := range one {
			if r <= ' ' || r > '~' || r == '"' || r == '\\' {
				return nil, refuse("invalid_scope", "a scope has a character that is not allowed; "+v.Title+
					" separates scopes by "+separatorName(v.Separator))
			}
		}
	}
	return scopes, nil
}

func separatorName(s string) string {
	switch s {
	case " ":
		return "spaces"
	case ",":
		return "commas"
	}
	return `"` + s + `"`
}

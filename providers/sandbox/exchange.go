package sandbox

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Grants that present a token: RFC 7523 §2.1, RFC 8693, and the on-behalf-of
// flow of Microsoft.

const (
	bearerGrantType   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	exchangeGrantType = "urn:ietf:params:oauth:grant-type:token-exchange"
	tokenTypes        = "urn:ietf:params:oauth:token-type:"
)

// bearerRules are what a server takes as an assertion, from its preset.
type bearerRules struct {
	Audience   string   `json:"aud,omitempty"`
	Algorithms []string `json:"alg,omitempty"`
	ScopeClaim bool     `json:"scope,omitempty"`
	NoSubject  bool     `json:"noSub,omitempty"`
	OnBehalfOf bool     `json:"obo,omitempty"`
}

// presented is what a token that was presented says.
type presentedToken struct {
	person Person
	scopes []string // that it has; nil: not known
}

// jwtBearer gives a token for an assertion.
func (v *visit) jwtBearer(t *tx, c client, form url.Values) (issued, error) {
	text := form.Get("assertion")
	if text == "" {
		return issued{}, refuse("invalid_request", "assertion is missing (RFC 7523 §2.1)")
	}
	if v.Bearer.OnBehalfOf && form.Get("requested_token_use") != "on_behalf_of" {
		return issued{}, refuse("invalid_request", "requested_token_use is not on_behalf_of")
	}
	scope := form.Get("scope")
	from, own := v.ownToken(t, text)
	if !own {
		if form.Has("requested_token_use") {
			return issued{}, refuse("invalid_grant", "the assertion is not a token that is valid here")
		}
		a, refused := v.checkBearer(t, text)
		if refused != nil {
			return issued{}, refused
		}
		if v.Bearer.ScopeClaim {
			scope = a.claims.Scope
		}
		from.person = Person{Subject: a.claims.Subject}
	}
	return v.exchanged(t, c, scope, from)
}

// checkBearer checks an assertion that somebody else has signed (RFC 7523 §3).
func (v *visit) checkBearer(t *tx, text string) (*signed, *refusal) {
	bad := func(text string) *refusal { return refuse("invalid_grant", text) }
	a, err := parseBearer(text)
	if err != nil {
		return nil, bad("the assertion is not a JWT that is signed with an asymmetric key")
	}
	auds, _ := a.claims.audiences()
	rules, now := v.Bearer, t.now
	switch {
	case a.claims.Issuer == "":
		return nil, bad("the assertion has no iss (RFC 7523 §3)")
	case a.claims.Subject == "" && !rules.NoSubject:
		return nil, bad("the assertion has no sub (RFC 7523 §3)")
	case len(rules.Algorithms) > 0 && !slices.Contains(rules.Algorithms, a.header.Algorithm):
		return nil, bad(v.Title + " does not take assertions signed with " + a.header.Algorithm)
	case !slices.ContainsFunc(auds, func(s string) bool { return slices.Contains(v.audiencesBy(rules.Audience), s) }):
		return nil, bad("aud is not " + strings.Join(v.audiencesBy(rules.Audience), " or "))
	case a.claims.Expires == 0 || seconds(a.claims.Expires) <= now || seconds(a.claims.Expires) > now.add(maxAssertion+time.Second),
		seconds(a.claims.NotBefore) > now.add(assertionLeeway):
		return nil, bad("the assertion is not valid now, or for too long")
	case !verifies(a, t.clients[clientKey{v.ID, issuerID(a.claims.Issuer)}].Keys):
		return nil, bad("the signature is not of a key that is registered for the issuer")
	case a.claims.ID != "" && !v.s.firstUse(v.ID+"\x00grant\x00"+a.claims.Issuer+"\x00"+a.claims.ID, seconds(a.claims.Expires), now):
		return nil, bad("the assertion was used before: its jti has been seen")
	}
	return a, nil
}

func parseBearer(text string) (*signed, error) {
	jws, err := jose.ParseSignedCompact(text, signatureAlgorithms())
	if err != nil || len(jws.Signatures) != 1 {
		return nil, malformed("the assertion is not a JWT")
	}
	a := &signed{jws: jws, header: jws.Signatures[0].Protected}
	return a, json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &a.claims)
}

// issuerID is the row of the keys with which an issuer signs grants.
func issuerID(issuer string) string { return "issuer\x00" + issuer }

// tokenExchange is RFC 8693.
func (v *visit) tokenExchange(t *tx, c client, form url.Values) (issued, error) {
	for _, who := range []string{"subject_token", "actor_token"} {
		token, typ := form.Get(who), form.Get(who+"_type")
		switch {
		case token == "" && typ == "" && who == "actor_token":
			continue
		case token == "":
			return issued{}, refuse("invalid_request", who+" is missing (RFC 8693 §2.1)")
		case typ == "":
			return issued{}, refuse("invalid_request", who+"_type is missing (RFC 8693 §2.1)")
		case !slices.Contains([]string{"access_token", "refresh_token", "id_token", "jwt"}, strings.TrimPrefix(typ, tokenTypes)):
			return issued{}, refuse("invalid_request", "the "+who+"_type is not known here")
		}
		if _, ok := v.ownToken(t, token); !ok {
			return issued{}, refuse("invalid_request", "the "+who+" is not a token that is valid here (RFC 8693 §2.2.2)")
		}
	}
	switch requested := form.Get("requested_token_type"); requested {
	case "", tokenTypes + "access_token", tokenTypes + "jwt":
	default:
		return issued{}, refuse("invalid_request", "the requested_token_type cannot be given here")
	}
	for _, target := range form["resource"] {
		if u, err := url.Parse(target); err != nil || !u.IsAbs() || u.Fragment != "" {
			return issued{}, refuse("invalid_target", "resource is not an absolute URI (RFC 8707 §2)")
		}
	}
	from, _ := v.ownToken(t, form.Get("subject_token"))
	out, err := v.exchanged(t, c, form.Get("scope"), from)
	out.tokenType = form.Get("requested_token_type")
	if out.tokenType == "" {
		out.tokenType = tokenTypes + "access_token"
	}
	return out, err
}

// exchanged issues what a token was presented for.
func (v *visit) exchanged(t *tx, c client, scope string, from presentedToken) (issued, error) {
	scopes, refused := v.readScopes(scope)
	if refused != nil {
		return issued{}, refused
	}
	if scope == "" {
		scopes = from.scopes
	}
	t.put.Event = eventExchange
	if v.Offline != "" && slices.Contains(scopes, v.Offline) && v.allows("refresh_token") {
		g, err := v.newConsent(t, c.ID, from.person, scopes)
		if err != nil {
			return issued{}, err
		}
		return v.issue(t, g, scopes, true)
	}
	value, life, err := v.accessToken(t, c.ID, "", scopes)
	return issued{accessToken: value, life: life, scopes: scopes, client: c.ID, person: from.person, now: t.now}, err
}

// ownToken recognises a token that this sandbox has issued, as whichever of its
// servers: an access or refresh token, a JWT that it has signed, or one that was
// made up for a configuration whose own is missing.
func (v *visit) ownToken(t *tx, text string) (presentedToken, bool) {
	d := digestOf(text)
	if row, ok := t.accesses[d]; ok {
		g := t.grants[row.Grant]
		return presentedToken{g.Person, row.Scopes}, !row.Revoked && !g.Revoked && !row.Expires.passed(t.now)
	}
	if row, ok := t.refreshes[d]; ok {
		g := t.grants[row.Grant]
		return presentedToken{g.Person, g.Scopes}, row.Used == 0 && !g.Revoked && !row.Expires.passed(t.now)
	}
	if strings.HasPrefix(text, "made-up-") {
		return presentedToken{}, true
	}
	a, err := parseBearer(text)
	if err != nil || t.key == nil || !verifies(a, []json.RawMessage{publicHalf(t.key)}) || seconds(a.claims.Expires) <= t.now {
		return presentedToken{}, false
	}
	return presentedToken{person: Person{Subject: a.claims.Subject}}, true
}

// publicHalf is the public key of a JWK.
func publicHalf(raw json.RawMessage) json.RawMessage {
	var key jose.JSONWebKey
	if json.Unmarshal(raw, &key) != nil {
		return json.RawMessage("null")
	}
	out, err := json.Marshal(key.Public())
	if err != nil {
		return json.RawMessage("null")
	}
	return out
}

package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The manner of Microsoft Entra ID, by the quirk aadsts. Sources:
// https://learn.microsoft.com/entra/identity-platform/ (reference-error-codes,
// v2-oauth2-auth-code-flow, v2-oauth2-device-code, refresh-tokens,
// configurable-token-lifetimes, reply-url, scopes-oidc).

// needsAdmin is a made-up scope that only an administrator may consent to; an
// account whose name begins with "admin" is one.
const needsAdmin = "Sandbox.NeedsAdmin"

func adminNeeded(_ *visit, req *request, p Person) *refusal {
	named := func(s string) bool { return s == needsAdmin || strings.HasSuffix(s, "/"+needsAdmin) }
	if !slices.ContainsFunc(req.scopes, named) || strings.HasPrefix(strings.ToLower(p.Email), "admin") {
		return nil
	}
	return aadstsError(90094, "access_denied", "The grant requires administrator permission. Ask an administrator to grant consent to the application.")
}

func strayedFromEntra(_ *visit, clientID, redirect string) string {
	return fmt.Sprintf("AADSTS50011: The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'.", redirect, clientID)
}

// aadstsError is a refusal with a number of its own.
func aadstsError(number int, code, text string) *refusal {
	e := refuse(code, text)
	e.number = number
	return e
}

// checkEntra: one resource a token, no v1 parameters, and what client
// credentials may ask for.
func checkEntra(v *visit, _ *tx, _ client, creds credentials, form url.Values) *refusal {
	kind := form.Get("grant_type")
	if form.Has("resource") {
		return aadstsError(901002, "invalid_request", "The 'resource' request parameter is not supported.")
	}
	scope := form.Get("scope")
	scopes := strings.Fields(scope)
	if kind == "client_credentials" {
		switch tenant := v.tenantSegment(); {
		case tenant == "common" || tenant == "consumers":
			return aadstsError(9001023, "invalid_request", "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.")
		case len(scopes) != 1 || !strings.HasSuffix(scope, "/.default"):
			return aadstsError(1002012, "invalid_scope", "The provided value for scope "+scope+" is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).")
		}
		return nil
	}
	if creds.origin != "" && kind != "authorization_code" && kind != "refresh_token" {
		return aadstsError(9002326, "invalid_request", "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '"+creds.origin+"'.")
	}
	return checkScopes(scopes)
}

// checkScopes: https://learn.microsoft.com/entra/identity-platform/scopes-oidc.
func checkScopes(scopes []string) *refusal {
	var resource string
	var single, all bool
	for i, s := range scopes {
		if slices.Contains([]string{"openid", "profile", "email", "offline_access"}, s) {
			continue
		}
		r := strings.TrimSuffix(resourceOf(s), "/")
		if resource != "" && !strings.EqualFold(r, resource) {
			return aadstsError(28000, "invalid_request", "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope "+strings.Join(scopes[:i+1], " ")+" is not valid.")
		}
		resource = r
		if strings.HasSuffix(s, ".default") {
			all = true
		} else {
			single = true
		}
	}
	if all && single {
		return aadstsError(70011, "invalid_scope", "The provided value for the input parameter 'scope' is not valid. .default scope can't be combined with resource-specific scopes.")
	}
	return nil
}

// resourceOf is what stands before the last slash, or Graph.
func resourceOf(scope string) string {
	if i := strings.LastIndex(scope, "/"); i >= 0 {
		return scope[:i]
	}
	return "https://graph"
}

// tenantSegment is the tenant in the token endpoint's path.
func (p *profile) tenantSegment() string {
	u, err := url.Parse(p.Endpoints[RoleToken])
	if err != nil {
		return ""
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return tenant
}

// spaLife is how long the refresh tokens of a single-page application live.
const spaLife = 24 * time.Hour

// beginEntra: the registration's platform decides about Origin; a consent to
// more keeps what was consented to before. A client that was never registered is
// taken to have the platform that it behaves as.
func beginEntra(v *visit, t *tx, c client, creds credentials, g *consent) *refusal {
	if refused := checkScopes(g.Scopes); refused != nil {
		return refused
	}
	spa := creds.origin != ""
	if c.Platform != "" {
		spa = c.Platform == "spa"
	}
	if spa {
		g.Ends = t.now.add(spaLife)
	}
	if refused := checkOrigin(v, creds, *g); refused != nil {
		return refused
	}
	resource := firstResource(g.Scopes)
	for _, id := range slices.Sorted(maps.Keys(t.grants)) {
		old := t.grants[id]
		if old.Revoked || old.Realm != g.Realm || old.Client != g.Client || old.Person.Subject != g.Person.Subject {
			continue
		}
		for _, s := range old.Scopes {
			if !slices.Contains(g.Scopes, s) && s != "offline_access" && firstResource([]string{s}) == resource {
				g.Scopes = append(slices.Clone(g.Scopes), s)
			}
		}
	}
	return nil
}

func firstResource(scopes []string) string {
	for _, s := range scopes {
		if !slices.Contains([]string{"openid", "profile", "email", "offline_access"}, s) {
			return strings.ToLower(resourceOf(s))
		}
	}
	return ""
}

// checkOrigin: tokens of a single-page application are redeemed from another
// origin, without a secret, and those of others are not.
func checkOrigin(_ *visit, creds credentials, g consent) *refusal {
	spa := g.Ends != 0
	switch {
	case spa && creds.origin == "":
		return aadstsError(9002327, "invalid_request", "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.")
	case spa && creds.method != "none":
		return aadstsError(700025, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
	case !spa && creds.origin != "":
		return aadstsError(9002326, "invalid_request", "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '"+creds.origin+"'.")
	}
	return nil
}

// wanderingLife: access tokens live for 60 to 90 minutes, at random.
func wanderingLife(v *visit, t *tx) (time.Duration, error) {
	var raw [4]byte
	if _, err := io.ReadFull(t.rand, raw[:]); err != nil {
		return 0, err
	}
	seconds := int64(v.Access / 2 / time.Second)
	return v.Access + time.Duration(int64(binary.BigEndian.Uint32(raw[:]))%(seconds+1))*time.Second, nil
}

// entraNumbers are the numbers and words of refusals that the standards' part of
// the sandbox makes.
var entraNumbers = map[why]struct {
	number     int
	code, text string
}{
	whyCodeUnknown:        {70000, "invalid_grant", "Provided grant is invalid or malformed."},
	whyCodeUsed:           {54005, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
	whyCodeExpired:        {70008, "invalid_grant", "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."},
	whyRedirect:           {50011, "invalid_client", "The reply address does not match the reply address provided when requesting Authorization code."},
	whyVerifier:           {501481, "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
	whyRefreshUnknown:     {70000, "invalid_grant", "Provided grant is invalid or malformed."},
	whyRefreshExpired:     {700082, "invalid_grant", "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00."},
	whyRefreshRevoked:     {50173, "invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."},
	whySecretWrong:        {7000215, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."},
	whySecretExpired:      {7000222, "invalid_client", "The provided client secret keys for app are expired. Visit the Azure portal to create new keys for your app."},
	whySecretMissing:      {7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
	whyAssertionKey:       {700027, "invalid_client", "The certificate with identifier used to sign the client assertion is not registered on application."},
	whyAssertionTime:      {700024, "invalid_client", "Client assertion is not within its valid time range."},
	whyAssertionAudience:  {50027, "invalid_client", "JWT token is invalid: unexpected audience."},
	whyAssertionMalformed: {50027, "invalid_client", "JWT token is invalid or malformed."},
	whyTokenAudience:      {700212, "invalid_client", "No matching federated identity record found for presented assertion audience. Check your federated identity credential Subject, Audience and Issuer against the presented assertion."},
	whyTokenTime:          {500133, "invalid_client", "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token."},
	whyDenied:             {65004, "access_denied", "User declined to consent to access the app."},
	whyNobody:             {50058, "login_required", "A silent sign-in request was sent but no user is signed in."},
	whyDeviceUnknown:      {70018, "bad_verification_code", "Invalid verification code due to user typing in wrong user code for device code flow."},
	whyDevicePending:      {70016, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."},
	whyDeviceDenied:       {0, "authorization_declined", "The end user denied the authorization request."},
	whyDeviceExpired:      {70019, "expired_token", "Verification code expired. Have the user retry the sign-in."},
}

// entraError is the JSON of an error, as v2-oauth2-auth-code-flow shows it.
type entraError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	Trace       string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
	URI         string `json:"error_uri,omitempty"`
}

// wordEntra writes a refusal as Microsoft does.
func wordEntra(v *visit, e *refusal) (*refusal, any) {
	out := *e
	text := e.Description
	if e.why == whyRefreshExpired && e.fixed {
		out.number, text = 700084, "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can't be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page."
	} else if known, ok := entraNumbers[e.why]; ok {
		out.number, out.Code, text = known.number, known.code, known.text
	}
	now := v.s.o.Now().UTC()
	body := entraError{
		Error: out.Code, Codes: []int{}, Timestamp: now.Format("2006-01-02 15:04:05Z"),
		Trace: v.identifier("trace", text), Correlation: v.identifier("correlation", text),
	}
	if out.number != 0 {
		body.Codes = []int{out.number}
		text = fmt.Sprintf("AADSTS%d: %s", out.number, text)
		if u, err := url.Parse(v.Endpoints[RoleToken]); err == nil {
			body.URI = fmt.Sprintf("%s://%s/error?code=%d", u.Scheme, u.Host, out.number)
		}
	}
	out.Description = fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", text, body.Trace, body.Correlation, body.Timestamp)
	body.Description = out.Description
	if out.status = http.StatusBadRequest; out.Code == "invalid_client" || out.Code == "unauthorized_client" {
		out.status = http.StatusUnauthorized
	}
	if e.status >= http.StatusInternalServerError {
		out.status = e.status
	}
	return &out, body
}

// identifier is a made-up GUID for one answer.
func (v *visit) identifier(parts ...string) string {
	sum := sha256.Sum256([]byte(v.s.ticket(append(parts, v.s.o.Now().String())...)))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// entraMembers: Microsoft tells a lifetime twice, does not list offline_access
// among the granted scopes, and has no complete verification URI but a text to show.
func entraMembers(_ *http.Request, a *strange) {
	if life, ok := a.members["expires_in"]; ok && a.members["access_token"] != nil {
		a.members["ext_expires_in"] = life
	}
	if scope, ok := a.members["scope"].(string); ok {
		listed := slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return s == "offline_access" })
		a.members["scope"] = strings.Join(listed, " ")
	}
	if code, ok := a.members["user_code"].(string); ok {
		delete(a.members, "verification_uri_complete")
		a.members["message"] = fmt.Sprintf("To sign in, use a web browser to open the page %v and enter the code %s to authenticate.", a.members["verification_uri"], code)
	}
}

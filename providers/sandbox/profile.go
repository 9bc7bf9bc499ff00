package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers"
)

// Role is what an endpoint is there for.
type Role string

// The roles of endpoints.
const (
	RoleDiscovery  Role = "discovery"  // OpenID Connect Discovery 1.0 §4, RFC 8414 §3
	RoleAuthorize  Role = "authorize"  // RFC 6749 §3.1
	RoleToken      Role = "token"      // RFC 6749 §3.2
	RoleRefresh    Role = "refresh"    // a token endpoint for refreshing; in a Fault: any refresh
	RoleDevice     Role = "device"     // RFC 8628 §3.1
	RoleVerify     Role = "verify"     // the page for user codes, RFC 8628 §3.3
	RoleRevoke     Role = "revoke"     // RFC 7009
	RoleIntrospect Role = "introspect" // RFC 7662
	RoleUserinfo   Role = "userinfo"   // OpenID Connect Core 1.0 §5.3
	RoleJWKS       Role = "jwks"       // RFC 7517 §5
)

// profile is what the sandbox imitates of one server: data, and behaviours by
// the names of the preset's quirks. The journal keeps it.
type profile struct {
	ID        string            `json:"id"` // the token endpoint, or the base of a plain issuer
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Issuer    string            `json:"issuer,omitempty"`
	Endpoints map[Role]string   `json:"endpoints"`
	Documents []string          `json:"documents,omitempty"` // URLs of the metadata document
	Grants    []string          `json:"grants,omitempty"`    // as in providers.Preset; none: all
	Auth      []string          `json:"auth"`                // client authentication methods
	PKCE      string            `json:"pkce,omitempty"`
	Iss       bool              `json:"iss,omitempty"`      // iss in authorization responses, RFC 9207
	OpenID    bool              `json:"openid,omitempty"`   // ID tokens for the scope openid
	Separator string            `json:"separator"`          // between scopes
	Callback  []string          `json:"callback,omitempty"` // further parameters of authorization responses
	Offline   string            `json:"offline,omitempty"`
	OfflineBy map[string]string `json:"offlineBy,omitempty"`
	HTTPS     bool              `json:"https,omitempty"`     // redirect URIs
	FixedPort bool              `json:"fixedPort,omitempty"` // of loopback redirect URIs
	Refused   []string          `json:"refused,omitempty"`   // hosts of redirect URIs
	Access    time.Duration     `json:"access,omitempty"`    // 0: no end
	Refresh   time.Duration     `json:"refresh,omitempty"`   // 0: no end
	Rotation  string            `json:"rotation"`
	Grace     time.Duration     `json:"grace,omitempty"`
	Blast     string            `json:"blast,omitempty"`
	Quirks    []string          `json:"quirks,omitempty"`
	Assertion assertionRules    `json:"assertion,omitzero"` // for clients with a key or a token
	Bearer    bearerRules       `json:"bearer,omitzero"`    // for assertions that are a grant
	Tenanted  bool              `json:"tenanted,omitempty"` // the issuer holds a tenant, and ID tokens a tid
	Sites     []string          `json:"sites,omitempty"`    // of a farm: each has the page of its own
	Plain     bool              `json:"-"`                  // the sandbox's own issuer
}

// tenant is the made-up tenant of issuers with a "{tenantid}" in them.
const tenant = "5a4db0c5-0000-4000-8000-73616e64626f"

// methods are the ways of client authentication that the sandbox can check.
var methods = []string{"client_secret_basic", "client_secret_post", keyMethod, federatedMethod, "none"}

// newProfile takes from a preset what can be imitated. Endpoints that discovery
// would fill are put below the issuer.
func newProfile(p *providers.Preset) (*profile, error) {
	prof := &profile{
		Name:      p.Name,
		Title:     p.Title,
		Issuer:    strings.ReplaceAll(p.Issuer, "{tenantid}", tenant),
		Endpoints: map[Role]string{},
		Grants:    p.Grants,
		Auth:      p.ClientAuth,
		PKCE:      p.PKCE,
		Iss:       p.RequireIss,
		OpenID:    p.IDToken,
		Separator: p.ScopeSeparator,
		Callback:  p.CallbackParams,
		Offline:   p.OfflineScope,
		OfflineBy: p.OfflineParams,
		HTTPS:     p.Redirect.HTTPS,
		FixedPort: p.Redirect.FixedPort,
		Refused:   p.Redirect.Refused,
		Access:    p.Lifetimes.Access,
		Refresh:   p.Lifetimes.Refresh,
		Rotation:  p.Rotation.Kind,
		Grace:     p.Rotation.Grace,
		Blast:     p.Rotation.BlastRadius,
		Quirks:    p.Quirks,
		Assertion: assertionRules(p.Assertion),
		Bearer:    bearerRules(p.Bearer),
	}
	prof.Tenanted = prof.Issuer != p.Issuer
	if prof.Title == "" {
		prof.Title = p.Name
	}
	if len(prof.Auth) == 0 {
		prof.Auth = methods
	}
	if prof.Separator == "" {
		prof.Separator = " "
	}
	if prof.Access <= 0 && (prof.allows("refresh_token") || !prof.allows("authorization_code")) {
		prof.Access = time.Hour // else the server has no refresh because its tokens do not end
	}
	if prof.Rotation == "" {
		prof.Rotation = "unknown"
	}
	prof.place(p)
	prof.ID = prof.Endpoints[RoleToken]
	if prof.ID == "" {
		return nil, errors.New("it has neither an issuer nor a token endpoint")
	}
	return prof, prof.checkURLs()
}

// place fills the endpoints: those that are set, and below the issuer those
// that its metadata document would name.
func (prof *profile) place(p *providers.Preset) {
	set := map[Role]string{
		RoleAuthorize:  p.AuthorizationEndpoint,
		RoleToken:      p.TokenEndpoint,
		RoleRefresh:    p.RefreshEndpoint,
		RoleDevice:     p.DeviceEndpoint,
		RoleRevoke:     p.RevocationEndpoint,
		RoleIntrospect: p.IntrospectionEndpoint,
		RoleUserinfo:   p.UserinfoEndpoint,
		RoleJWKS:       p.JWKSURI,
	}
	if p.Located() {
		prof.placeSite(p, set)
	}
	templated := strings.Contains(p.Issuer, "{")
	if prof.Issuer != "" && !templated {
		prof.Documents = documents(p.Issuer)
		if p.Discovery != "none" {
			if p.TokenEndpoint == "" { // nothing is known: it is a modern server
				prof.Iss = true
				prof.OpenID = prof.OpenID || p.Discovery != "oauth"
			}
			prof.fillBelow(strings.TrimSuffix(p.Issuer, "/"), set, p.Revocation != "none")
		}
	}
	for role, u := range set {
		if u != "" && (role != RoleRefresh || u != set[RoleToken]) {
			prof.Endpoints[role] = u
		}
	}
	if d := prof.Endpoints[RoleDevice]; d != "" {
		prof.Endpoints[RoleVerify] = prof.verifyURL(d)
	}
}

func (prof *profile) fillBelow(base string, set map[Role]string, revocable bool) {
	below := map[Role]string{
		RoleAuthorize:  "/authorize",
		RoleToken:      "/token",
		RoleIntrospect: "/introspect",
		RoleUserinfo:   "/userinfo",
		RoleJWKS:       "/jwks",
	}
	if revocable {
		below[RoleRevoke] = "/revoke"
	}
	if prof.allows("device_code") {
		below[RoleDevice] = "/device_authorization"
	}
	for role, path := range below {
		if set[role] == "" {
			set[role] = base + path
		}
	}
}

// verifyURL finds a place for the user-code page on the device endpoint's host.
func (prof *profile) verifyURL(device string) string {
	u, err := url.Parse(device)
	if err != nil {
		return ""
	}
	origin := u.Scheme + "://" + u.Host
	for _, path := range []string{"/device", "/activate", "/sandbox/device"} {
		if !slices.Contains(slices.Collect(maps.Values(prof.Endpoints)), origin+path) {
			return origin + path
		}
	}
	return ""
}

// documents are the places of an issuer's metadata: OpenID Connect Discovery
// 1.0 §4, RFC 8414 §3, and RFC 8414 §5 for the former.
func documents(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	origin, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	list := []string{
		origin + path + "/.well-known/openid-configuration",
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + "/.well-known/openid-configuration" + path,
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// urls lists every URL of the profile with its role; the same URL may have one
// role only.
func (prof *profile) urls() (map[string]Role, error) {
	out := map[string]Role{}
	add := func(u string, role Role) error {
		key, err := urlKey(u)
		if err != nil {
			return fmt.Errorf("%s endpoint: %w", role, err)
		}
		if other, ok := out[key]; ok && other != role {
			return fmt.Errorf("%s is both the %s and the %s endpoint", u, other, role)
		}
		out[key] = role
		return nil
	}
	for _, u := range prof.Documents {
		if err := add(u, RoleDiscovery); err != nil {
			return nil, err
		}
	}
	sites := prof.siteURLs()
	for _, u := range slices.Sorted(maps.Keys(sites)) {
		if err := add(u, sites[u]); err != nil {
			return nil, err
		}
	}
	for _, role := range slices.Sorted(maps.Keys(prof.Endpoints)) {
		if err := add(prof.Endpoints[role], role); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (prof *profile) checkURLs() error {
	_, err := prof.urls()
	return err
}

// urlKey is a URL as far as it selects an endpoint: scheme, host, path.
func urlKey(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("%q is not an http or https URL", raw)
	}
	return endpointKey(u.Scheme, u.Host, u.EscapedPath()), nil
}

func endpointKey(scheme, host, path string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}

// allows reports whether the server has the grant, by its name in a preset.
func (prof *profile) allows(grant string) bool {
	return len(prof.Grants) == 0 || slices.Contains(prof.Grants, grant)
}

// rotates reports whether a refresh token may be used only once.
func (prof *profile) rotates() bool {
	return prof.Rotation != "none" && prof.Rotation != "replaced"
}

// splitScopes reads a scope parameter as the server would.
func (prof *profile) splitScopes(s string) []string {
	var out []string
	for one := range strings.SplitSeq(s, prof.Separator) {
		if one != "" && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

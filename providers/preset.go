// Package providers holds all that is known of authorization servers, as data.
//
// A [Preset] says where a server's endpoints are, how its clients
// authenticate, which rules its redirect URIs follow, how long its tokens live
// and what its errors mean. The presets are embedded HCL files, one per server
// (catalog/*.hcl), in the very syntax of a user's provider block, so that
// "oauthctl providers show NAME" prints text that can be pasted and changed.
//
// The package does not know the state, people, or how a flow is walked.
package providers

import (
	"regexp"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers/quirk"
	"github.com/oauthctl/oauthctl/schema"
)

// Preset is a server as one connection uses it: arguments filled in, the
// attributes of the user's provider block laid over those of the preset. A
// Preset that a [Catalog] returned is shared between connections: read only;
// whoever wants to change one takes a [Preset.Clone].
type Preset struct {
	Name  string // of the provider block, or of the preset itself
	Base  string // name of the preset in the catalogue; "" for a server described from scratch
	Title string // "Microsoft Entra ID"
	Docs  string // URL of the vendor's page

	// Issuer is compared byte by byte with what the server says of itself
	// (RFC 8414 §3.3, RFC 9207 §2.4, OpenID Connect Core §3.1.3.7). A "{tenantid}"
	// in it stands for the tid claim of the token (Microsoft's multi-tenant
	// authorities). Empty: the server has none.
	Issuer string
	// Discovery says which metadata document fills the endpoints that are not
	// set: "oidc", "oauth" (RFC 8414), "auto" (oidc, then oauth) or "none".
	Discovery string

	AuthorizationEndpoint string
	TokenEndpoint         string
	RefreshEndpoint       string // where refresh differs from TokenEndpoint
	DeviceEndpoint        string // RFC 8628
	RevocationEndpoint    string // RFC 7009
	IntrospectionEndpoint string // RFC 7662
	UserinfoEndpoint      string
	JWKSURI               string

	Grants []string // supported grants, preferred first
	// ClientAuth lists supported client authentication methods, preferred first;
	// pinned, never probed. Empty: nothing is known; then the metadata document
	// decides, and without one the default of RFC 8414 §2, client_secret_basic
	// (none for a client without a secret).
	ClientAuth []string
	PKCE       string // "required", "supported" (sent), "broken" (never sent)
	IDToken    bool   // the server is an OpenID provider
	// RequireIss: the server says that it sends iss in authorization responses (RFC 9207 §2.3).
	RequireIss bool

	ScopeSeparator  string            // " " unless said otherwise
	OfflineScope    string            // scope to add for a refresh token: "offline_access"
	OfflineParams   map[string]string // or parameters: access_type = "offline"
	AuthorizeParams map[string]string
	TokenParams     map[string]string
	ResponseMode    string // "", "query", "form_post"
	// CallbackParams are parameters of the authorization response, beside those of
	// the standards, that are kept with the tokens: realmId.
	CallbackParams []string

	Assertion  AssertionRules
	Bearer     BearerRules
	Redirect   RedirectRules
	Lifetimes  schema.Lifetimes
	Rotation   Rotation
	Revocation string // "rfc7009", "none"
	// RevocationNote says what a person can do where the server cannot revoke.
	RevocationNote string

	// Partial: values that the server depends on are not known, which only a
	// configuration that is checked without its environment has. What depends on
	// them is empty.
	Partial bool

	Args   map[string]string // values of the arguments: tenant, instance, …
	Hints  []Hint
	Quirks []string // names of behaviours in package providers/quirk
	Range  hcl.Range
}

// RedirectRules says which redirect URIs a server accepts.
type RedirectRules struct {
	LoopbackHost string   // "127.0.0.1" or "localhost": what to use for a loopback redirect by default
	Path         string   // of the redirect URI that is used when none is declared: "/callback/login.acme.example"
	FixedPort    bool     // the server compares the port of a loopback redirect
	HTTPS        bool     // only https redirect URIs are accepted
	Refused      []string // loopback hosts that the server does not take: "localhost", "127.0.0.1", "::1"
}

// AssertionRules say what client assertions a server takes (RFC 7523 §3).
type AssertionRules struct {
	Audience    string   // of the aud claim: "token_endpoint", "issuer", or the value itself; "": the token endpoint
	Algorithms  []string // RFC 7518 §3.1, preferred first; empty: not known
	Certificate bool     // the server knows the key by its certificate: the thumbprint has to be sent
	// TokenAudience is the aud claim that it wants of other issuers' JWTs; "": not known.
	TokenAudience string
}

// BearerRules say what assertions a server takes as a grant (RFC 7523 §2.1).
type BearerRules struct {
	Audience   string   // as in AssertionRules
	Algorithms []string // likewise
	ScopeClaim bool     // the scopes are a claim, and no parameter
	NoSubject  bool     // without a subject, the assertion has none, and stands for its issuer
	OnBehalfOf bool     // the assertion is the token of a person, for whom the client acts
}

// Rotation says what happens to a refresh token that has been used.
type Rotation struct {
	Kind        string        // "none" (kept), "replaced" (new one, old stays valid), "single_use", "unknown"
	Grace       time.Duration // how long the previous one may be sent again without punishment
	BlastRadius string        // what reuse costs: "grant" or "client_user"
}

// Hint explains an error of the server.
type Hint struct {
	Error  string // the error code (RFC 6749 §5.2), or "*"
	Match  string // words of error_description; "" matches any
	Cause  string
	Remedy string
	Needs  string // "person", "administrator", "configuration", "retry"
	// Advice: it was found by a number or words, which are for people: no consent
	// may be given up for it, and no request repeated. At most it says that
	// neither a person nor time will help.
	Advice bool
}

// Supports reports whether the server has the grant.
func (p *Preset) Supports(grant string) bool { return slices.Contains(p.Grants, grant) }

// Located reports whether a behaviour finds endpoints that are not set in the
// server's own way, instead of a metadata document.
func (p *Preset) Located() bool { return quirk.Locates(p.Quirks) }

// Entry is a row of the catalogue.
type Entry struct {
	Name, Title, Docs string
	Arguments         []Argument
}

// Argument is an argument of a preset: tenant, domain, instance, …
type Argument struct {
	Name, Default, Doc string
	Required           bool
	Pattern            string // regular expression that the whole value must match
	Example            string

	pattern *regexp.Regexp // Pattern, anchored; nil if there is none
}

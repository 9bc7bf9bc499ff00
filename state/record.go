// Package state keeps what oauthctl holds: one sealed record per connection,
// in a [Backend] that sees ciphertext only.
//
// A [Store] seals and opens records, compares generations on every write, and
// locks single connections. Address, provider, status and expiry are readable
// without a key (and authenticated by a copy inside the seal), so that status
// works anywhere.
//
// The package does not know OAuth, HCL, the network, or the clock.
package state

import (
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Status is the condition of a connection.
type Status string

// The conditions of a connection.
const (
	StatusOK           Status = "ok"
	StatusNeedsConsent Status = "needs_consent"   // the server refused the refresh token, or it ended
	StatusUnknown      Status = "unknown_outcome" // a refresh was sent and no answer arrived
	StatusHandedOver   Status = "handed_over"     // its tokens are in another state now, and not in this one
	StatusRevoked      Status = "revoked"         // of a removed record that is kept: its tokens are gone, here and there
	StatusMoved        Status = "moved"           // of a removed record that is kept: it is at another address now, tokens and all
)

// Summary is what can be read of a record without a key. A record that has been
// opened has had it compared with the copy inside the seal. Times are UTC and
// whole seconds.
type Summary struct {
	Addr             addr.Addr
	Provider         string
	Status           Status
	ExpiresAt        time.Time // of the access token; zero: unknown
	RefreshExpiresAt time.Time // when a new consent is due; zero: unknown
	UpdatedAt        time.Time
	Generation       uint64 // +1 with every change of the record
}

// Record is one connection in the state. Info and Tokens are nil if the part was not asked for.
type Record struct {
	Summary
	Info   *Info
	Tokens *Tokens
}

// Part names the sealed parts of a record; plan reads PartInfo only.
type Part uint8

// The sealed parts.
const (
	PartInfo Part = 1 << iota
	PartTokens
	PartAll = PartInfo | PartTokens
)

// Info is the sealed part without tokens: what plan compares, and what refresh
// needs to speak to the same server in the same way.
type Info struct {
	// ConfigSerial is the serial of the apply that wrote the connection's
	// settings. A refresh does not change it.
	ConfigSerial uint64
	Provider     string // as in the configuration
	Preset       string // name in the catalogue of what Provider is based on; "" for a server of the user's own
	Title        string // of the server, for messages
	Grant        string // as declared
	Way          string // how a person consented: "browser", "device" (a code, RFC 8628), "paste"; "": nobody did, or it is not known
	Client       Client
	Requested    []string // scopes that the consent asked for
	Granted      []string // scopes that the server said it granted
	Account      string   // verified account: email, preferred_username or name
	Subject      string   // sub claim
	RedirectURI  string
	Hosts        []string // that credential helpers may hand the access token to: exactly these
	// Fingerprint holds keyed digests of inputs whose change means a new
	// consent (client secret, grant settings): name → hex.
	Fingerprint   map[string]string
	Access        time.Duration // lifetimes as configured, for answers that do not say
	Refresh       time.Duration
	RefreshBefore time.Duration
	AuthorizedAt  time.Time // of the consent
	RefreshedAt   time.Time
	ReceivedAt    time.Time // of the access token
	HasRefresh    bool      // Tokens has a refresh token; Put sets it
	DependsOn     []string  // addresses
	Exchange      *Exchange // of a grant that presents a token; nil: of no such grant
	HandedTo      []string  // recipients of the state that has the tokens now, with StatusHandedOver
	HandedAt      time.Time // when
	Intent        *Intent
	Reject        *Reject
	Published     *Published // of a sink: what is at its place; nil: it is a connection
	// Outputs are the files in which apply wrote down what the outputs need, by
	// name: only in the record at addr.Outputs(), whose Tokens.Extra has the
	// values of variables. The listings leave that record out.
	Outputs map[string]string
}

// Published is what a sink has put where jobs look for it. The values themselves
// are not kept.
type Published struct {
	Place    string // in one line
	Hosts    []string
	Settings string   // keyed digest of what says where the place is
	Names    []string // that are there, or may be
	// Digests are keyed digests of the values, by name. A value without one may
	// have been written or not: publishing it failed half-way.
	Digests map[string]string
	At      time.Time
}

// Client is what a token request needs besides secrets. Secrets are only ever
// sent to the endpoints recorded here.
type Client struct {
	Issuer                string
	TokenEndpoint         string
	RefreshEndpoint       string
	RevocationEndpoint    string
	IntrospectionEndpoint string
	JWKSURI               string
	ClientID              string
	Auth                  string // client authentication method
	ScopeSeparator        string
	TokenParams           map[string]string
	Resource              []string
	Rotation              string
	Grace                 time.Duration
	BlastRadius           string
	UnknownOutcome        string // "never": a refresh token that may be spent is not sent again
	RevocationNote        string
	Quirks                []string
	RefreshFixed          bool   // use does not extend the life of the refresh token
	Origin                string // of a SPA registration: sent with every token call
	// Guarded: a server at a public address named endpoints of these in its
	// metadata. They must not lead to addresses of this machine or its networks.
	Guarded bool

	// Of a client assertion (RFC 7523 §2.2). The key that signs it is in Tokens.
	AssertionAlgorithm string        // "": by the kind of key
	AssertionKeyID     string        // kid
	AssertionAudience  string        // "": the token endpoint
	AssertionLifetime  time.Duration // 0: five minutes
	AssertionFile      string        // path of a file with a JWT of somebody else, to be read for each request
	AssertionEnv       string        // name of an environment variable with one, likewise
	AssertionGitHub    bool          // GitHub Actions is asked for one, for each request
	CertificateSHA256  string        // x5t#S256: thumbprint of the key's certificate, base64url
	CertificateSHA1    string        // x5t, if it is to be sent
	CertificateEnds    time.Time     // zero: no certificate
}

// Exchange is what a grant needs, besides secrets, that presents a token and
// gets another one for it: a JWT as an authorization grant (RFC 7523 §2.1), or a
// token exchange (RFC 8693). Nobody is asked, so a renewal presents one again.
type Exchange struct {
	Subject       Source // of the assertion or subject_token
	Actor         Source // of the actor_token
	SubjectType   string // subject_token_type; "" if the grant has none
	ActorType     string
	RequestedType string
	Audience      []string
	OnBehalfOf    bool // requested_token_use=on_behalf_of (Microsoft)

	// Of an assertion that is signed with Tokens.GrantKey.
	Signed     bool
	Algorithm  string // "": by the kind of key
	KeyID      string // kid
	Issuer     string // iss
	SubjectID  string // sub; "": none
	For        string // aud; "": the token endpoint
	Claims     string // further claims: a JSON object
	Lifetime   time.Duration
	ScopeClaim bool // the scopes are a claim, and no parameter
}

// Feeders are the addresses of the connections whose tokens are presented.
func (x *Exchange) Feeders() []string {
	var out []string
	if x == nil {
		return nil
	}
	for _, s := range []Source{x.Subject, x.Actor} {
		if s.Connection != "" {
			out = append(out, s.Connection)
		}
	}
	return out
}

// Source is where a token that a grant presents is read anew, each time. If all
// of it is empty, the token is kept beside the others.
type Source struct {
	Connection string // address of the connection that has it
	Attribute  string // of that connection: access_token, id_token or refresh_token
	File       string // absolute path
	Env        string // name of an environment variable
}

// Intent is written before a one-time refresh token is sent, and removed with the answer.
type Intent struct {
	At     time.Time
	Digest string // of the refresh token that is being sent
	PID    int
	Host   string
	Sends  int
}

// Reject remembers an answer so that many callers do not all ask again.
type Reject struct {
	Error string // as the server said it, escaped and shortened
	Class string // kind of the failure, in the engine's words; "": it may work later
	Until time.Time
}

// Tokens is the sealed part with the secrets.
type Tokens struct {
	AccessToken  secret.Secret
	RefreshToken secret.Secret
	IDToken      secret.Secret
	ClientSecret secret.Secret
	ClientKey    secret.Secret // private key of the client, PKCS #8 in PEM
	GrantKey     secret.Secret // private key that signs the assertions of the grant, likewise
	SubjectToken secret.Secret // that the grant presents, if it is not read anew each time
	ActorToken   secret.Secret // likewise
	TokenType    string
	Extra        map[string]secret.Secret // further members of the answer: instance_url, realmId, …
}

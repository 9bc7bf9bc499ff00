// Package grant walks the flows of OAuth 2.0, one file per grant type, named by RFC.
//
// A [Client] is a preset together with a connection; [Flow]s turn it into
// tokens, with a [User] where a person is needed. golang.org/x/oauth2 is the
// protocol engine; the HTTP client under it follows no redirects, caps bodies,
// keeps deadlines and refuses plain http except on loopback.
//
// The package does not know the state, printing, the environment, or which
// connection wants what and why.
package grant

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Types lists the grant types in the order of the documentation, each with the
// table of its block's attributes.
func Types() []Type { panic("contract") }

// Type is one grant type.
type Type struct {
	Name        string // "authorization_code"
	RFC         string // "RFC 6749 §4.1"
	Interactive bool   // a person has to consent
	Spec        *schema.Spec
	Doc         string
}

// Client is everything that a flow has to know: one connection at one server.
type Client struct {
	Addr     addr.Addr
	Preset   *providers.Preset // endpoints filled by Discover
	Conn     *schema.Connection
	Settings Settings // of the grant block
	Auth     string   // pinned client authentication method
	Scopes   []string // to ask for, what the provider's rules add included
	Added    []string // of these, what the rules added
}

// Settings is a decoded grant block with the preset's defaults.
type Settings struct {
	Type         string
	Interactive  bool
	RedirectURI  string // chosen from the connection's redirect_uris; "" if the grant has none
	Way          Way
	Listen       string // address of a listener behind a proxy
	Prompt       string
	LoginHint    string
	ResponseMode string
	Params       map[string]string // further parameters of the authorization request
	Timeout      time.Duration
}

// Way says how the answer of an authorization comes back.
type Way string

// The ways.
const (
	WayNone    Way = ""        // nobody is needed
	WayBrowser Way = "browser" // a listener on this machine gets it
	WayPaste   Way = "paste"   // a person pastes the final URL
	WayDevice  Way = "device"  // a person types a code on another device
)

// NewClient decodes the grant block and applies the preset's rules: grant,
// client authentication, scopes, redirect URI. It makes no request. Errors
// carry the place in the configuration.
func NewClient(conn *schema.Connection, preset *providers.Preset) (*Client, hcl.Diagnostics) {
	panic("contract")
}

// Hosts are the hosts that the flow will speak to, as far as they are known
// before discovery, sorted.
func (c *Client) Hosts() []string { panic("contract") }

// StateClient is the part of c that a later refresh needs.
func (c *Client) StateClient() state.Client { panic("contract") }

// Env is what a flow gets from outside.
type Env struct {
	HTTP *http.Client // see NewHTTPClient
	User User         // nil: nobody is here
	Now  func() time.Time
	Rand io.Reader
	// NewVerifier etc. are not here: they come from Rand.
}

// Grant is what a server handed out, checked and not yet saved.
type Grant struct {
	Tokens           state.Tokens
	Granted          []string // scopes; as requested if the server did not say
	ExpiresAt        time.Time
	RefreshExpiresAt time.Time
	Account          string // as verified
	Subject          string
	ReceivedAt       time.Time
	Warnings         []string
}

// Discover fills the preset's endpoints from the server's metadata document
// (RFC 8414, OpenID Connect Discovery 1.0), comparing the issuer byte by byte.
// It does nothing if nothing is missing.
func (c *Client) Discover(ctx context.Context, env Env) error { panic("contract") }

// Authorize walks the client's grant. For an interactive grant without
// env.User it returns an *Error of kind NeedsUser.
func (c *Client) Authorize(ctx context.Context, env Env) (*Grant, error) { panic("contract") }

// Refresh sends the refresh token of a record once (or asks again by client
// credentials) with the pinned client of the record. scopes narrows; nil keeps.
// The error is always an *Error; its Outcome says what became of the request.
func Refresh(ctx context.Context, env Env, rec *state.Record, scopes []string) (*Grant, error) {
	panic("contract")
}

// Revoke revokes a record's refresh token, else its access token (RFC 7009).
// ErrNotRevocable if the server has no endpoint for it.
func Revoke(ctx context.Context, env Env, rec *state.Record) error { panic("contract") }

// HTTPOptions of NewHTTPClient.
type HTTPOptions struct {
	Transport http.RoundTripper // under the rules; nil: a fresh one with TLS 1.2+ and the proxy of Proxy
	Proxy     func(*http.Request) (string, error)
	UserAgent string
}

// NewHTTPClient returns the client that all flows use: no redirects on POST,
// bodies capped at 1 MiB, deadlines, https except on loopback.
func NewHTTPClient(o HTTPOptions) *http.Client { panic("contract") }

// User is the person, as a flow needs them. The methods return when the person
// has been told, and do not wait for the consent, except Paste.
type User interface {
	// Open shows the authorization URL, opens a browser if there is one, and
	// shows the time left. done ends the display.
	Open(ctx context.Context, v Visit) (done func(), err error)
	// Code shows a device code (RFC 8628 §3.3).
	Code(ctx context.Context, d DeviceCode) (done func(), err error)
	// Paste shows the authorization URL and reads the URL that the browser ended at.
	Paste(ctx context.Context, v Visit) (secret.Secret, error)
}

// Visit is a page that a person has to visit.
type Visit struct {
	Addr        addr.Addr
	Title       string // of the server
	URL         string // checked: https, or http on loopback
	RedirectURI string
	Listening   string // address of the listener; "" when the answer is pasted
	Account     string // that should sign in
	Scopes      []string
	Deadline    time.Time
}

// DeviceCode is what a person types on another device.
type DeviceCode struct {
	Addr                    addr.Addr
	Title                   string
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	Account                 string
	Scopes                  []string
	Deadline                time.Time
}

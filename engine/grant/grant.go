// Package grant walks the flows of OAuth 2.0, one file per grant type, named by RFC.
//
// A [Client] is a preset together with a connection; its flow turns it into
// tokens, with a [User] where a person is needed. golang.org/x/oauth2 is the
// protocol engine; the HTTP client under it follows no redirects, caps bodies,
// keeps deadlines and refuses plain http except on loopback.
//
// The package does not know the state, printing, the environment, or which
// connection wants what and why.
package grant

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Env is what a flow gets from outside.
type Env struct {
	HTTP *http.Client // see NewHTTPClient
	// Shared keeps what several flows of one run would otherwise ask for again; may be nil.
	Shared *Shared
	User   User // nil: nobody is here
	Now    func() time.Time
	Rand   io.Reader // of state, nonce and PKCE verifier; nil: crypto/rand
	// Sleep waits between the polls of the device grant; nil: a real timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// ReadFile reads a small file, and LookupEnv the environment: the sources of
	// tokens that others make. nil: there are none.
	ReadFile  func(name string) ([]byte, error)
	LookupEnv func(name string) (string, bool)
	// Fed are the tokens of other connections that the grant of a record presents.
	Fed Fed
	// Preset finds what is known of a server by the name of its preset, to explain
	// its errors where only a record is at hand; it may return nil. nil: nothing is known.
	Preset func(name string) *providers.Preset
	// NoBrowser: no browser can be opened on this machine. An answer that comes
	// to a loopback address is then waited for and asked for at the same time,
	// since the person's browser may run on another machine.
	NoBrowser bool
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
	// Finish tells the person's browser how it ended: call it once, with nil
	// after the durable write, or with the error that prevented it. It returns
	// when the browser has its page. If it is not called within two seconds, the
	// browser is told to look at the terminal. Nil unless a browser waits: use
	// [Grant.Done].
	Finish func(err error)
}

// Done calls Finish if somebody waits for it. It may be called on a nil Grant.
func (g *Grant) Done(err error) {
	if g != nil && g.Finish != nil {
		g.Finish(err)
	}
}

// Authorize walks the client's grant. For an interactive grant without
// env.User it returns an *Error of kind NeedsUser. Every error is an *Error.
// The caller of a Grant calls its Done.
func (c *Client) Authorize(ctx context.Context, env Env) (*Grant, error) {
	if c.Settings.Interactive && env.User == nil {
		return nil, fail(NeedsUser, "authorize "+c.Addr.String(),
			"run oauthctl apply where a person can answer", "a person has to consent, and nobody is here")
	}
	if err := c.Prepare(ctx, env); err != nil {
		return nil, err
	}
	var g *Grant
	var err *Error
	switch c.flow() {
	case AuthorizationCode:
		g, err = c.authorizeByCode(ctx, env)
	case DeviceCodeGrant:
		g, err = c.deviceOr(ctx, env)
	case ClientCredentials, JWTBearer, TokenExchange:
		g, err = c.authorizeAlone(ctx, env)
	default:
		err = fail(Config, "authorize "+c.Addr.String(), "", "unknown grant %q", c.Settings.Type)
	}
	if err != nil { // a nil *Error must not become a non-nil error
		return nil, err
	}
	return g, nil
}

// Prepare looks, before a person is asked or a token is spent, whether the flow
// can get to its end: the endpoints are known, and the client can prove who it
// is. Every error is an *Error.
func (c *Client) Prepare(ctx context.Context, env Env) error {
	if e := c.prepare(ctx, env); e != nil {
		return e
	}
	if c.Settings.Interactive {
		if e := c.party().authenticate(ctx, env, "authorize "+c.Addr.String(), url.Values{}); e != nil {
			return e
		}
	}
	return nil
}

// User is the person, as a flow needs them. The methods return when the person
// has been told, and do not wait for the consent, except Paste.
type User interface {
	// Open shows the authorization URL, opens a browser if there is one, and
	// shows the time left. done ends the display.
	Open(ctx context.Context, v Visit) (done func(), err error)
	// Code shows a device code (RFC 8628 §3.3).
	Code(ctx context.Context, d DeviceCode) (done func(), err error)
	// Paste shows the authorization URL and reads the URL that the browser ended
	// at. The end of ctx ends it at once, since the answer may come another way.
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
	Problem     string // Paste: why what was pasted before is not the answer; "" the first time
}

// DeviceCode is what a person types on another device. Its texts come from the
// server and have been checked: nothing in them can move a cursor.
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

// random returns 32 fresh random bytes in the alphabet of RFC 7636 §4.1 (43
// characters): a state, nonce or PKCE verifier.
func (e Env) random() (string, error) {
	r := e.Rand
	if r == nil {
		r = rand.Reader
	}
	b := make([]byte, 32)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// sleep waits.
func (e Env) sleep(ctx context.Context, d time.Duration) error {
	if e.Sleep != nil {
		return e.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

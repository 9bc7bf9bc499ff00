// Package sandbox is an authorization server that imitates the presets, for
// trying out and testing configurations without an account.
//
// It answers at the very URLs of the servers that it imitates: [Server.Transport]
// carries every request to it, whatever the host, so that plans, states and
// requests look as they would for the real server, and nothing real is ever
// touched. What it issued is kept in a journal between commands: refresh tokens
// rotate strictly, and reuse is detected across processes.
//
// It does not know the engine or the state, and is not the judge of protocol
// correctness: other people's servers are.
package sandbox

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/oauthctl/oauthctl/providers"
)

// Options of a Server.
type Options struct {
	Journal string // file that remembers what was issued; "" keeps it in memory
	Now     func() time.Time
	Rand    io.Reader
	Person  Person // who "signs in"; zero: Sam Sandbox
}

// Person is the account that consents.
type Person struct{ Subject, Name, Email string }

// Server is the sandbox.
type Server struct{}

// New opens the journal.
func New(o Options) (*Server, error) { panic("contract") }

// Mount imitates a server: its endpoints at their own URLs, lifetimes, rotation,
// quirks. A preset whose endpoints discovery fills is imitated at its issuer.
// The journal remembers mounts.
func (s *Server) Mount(p *providers.Preset) error { panic("contract") }

// Transport sends every request to the server, whatever its URL.
func (s *Server) Transport() http.RoundTripper { panic("contract") }

// Handler serves the server for real browsers and other clients: imitated URLs
// under /~/HOST/PATH, and a plain issuer of its own at /.
func (s *Server) Handler() http.Handler { panic("contract") }

// Serve listens on a loopback address ("127.0.0.1:0") until ctx ends and
// returns the base URL at once.
func (s *Server) Serve(ctx context.Context, address string) (base string, err error) {
	panic("contract")
}

// BrowserURL is where a real browser finds an imitated URL; base is Serve's.
func (s *Server) BrowserURL(base, u string) string { panic("contract") }

// Consent signs in and consents to an authorization URL as a person would, and
// returns the URL that the browser is sent to.
func (s *Server) Consent(ctx context.Context, authorizeURL string) (redirect string, err error) {
	panic("contract")
}

// ConsentDevice enters a user code and consents.
func (s *Server) ConsentDevice(ctx context.Context, userCode string) error { panic("contract") }

// Close ends the server.
func (s *Server) Close() error { panic("contract") }

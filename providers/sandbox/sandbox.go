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
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Options of a Server. Now and Rand are required.
type Options struct {
	Journal string // file that remembers what was issued; "" keeps it in memory
	Now     func() time.Time
	Rand    io.Reader
	Person  Person        // who "signs in"; zero: Sam Sandbox
	Poll    time.Duration // interval of device flows (RFC 8628 §3.2), whole seconds; 0: one second
	Faults  []Fault       // as by [Server.Inject]
	Opaque  bool          // access tokens of the sandbox's own issuer are no JWTs
}

// Server is the sandbox. Its methods may be called from many goroutines.
type Server struct {
	o     Options
	book  *book
	salt  []byte // of this journal: keys digests and page tickets
	pages func() *pages

	mu         sync.Mutex
	faults     []Fault
	log        requestLog
	polls      map[digest]poll  // of device codes, by this process
	assertions map[string]stamp // seen by this process, and until when they are valid
	plains     map[string]*plainIssuer
	serving    map[string]bool   // hosts that Serve listens under
	carried    map[string]string // listening addresses by the key of a redirect URI
	closed     chan struct{}
	closing    sync.Once
	handlers   sync.WaitGroup // of Serve

	keyMu sync.Mutex
	key   *jose.JSONWebKey // made when it is first needed
}

// New opens the journal, or starts one.
func New(o Options) (*Server, error) {
	if o.Now == nil || o.Rand == nil {
		return nil, errors.New("sandbox: Options.Now and Options.Rand are required")
	}
	if o.Person == (Person{}) {
		o.Person = Person{Name: "Sam Sandbox", Email: "sam@sandbox.example"}
	}
	o.Person = o.Person.complete()
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	b, err := openBook(o)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Server{
		o:      o,
		book:   b,
		salt:   b.salt,
		pages:  sync.OnceValue(loadPages),
		faults: slices.Clone(o.Faults),
		polls:  map[digest]poll{}, assertions: map[string]stamp{},
		plains: map[string]*plainIssuer{}, serving: map[string]bool{}, carried: map[string]string{},
		closed: make(chan struct{}),
	}
	return s, nil
}

// Close ends the server: what Serve opened is closed, requests that hang are
// dropped, and the journal is let go.
func (s *Server) Close() error {
	s.closing.Do(func() { close(s.closed) })
	s.handlers.Wait()
	return s.book.close()
}

// Mount imitates a server: its endpoints at their own URLs, lifetimes, rotation,
// quirks. A preset whose endpoints discovery fills is imitated at its issuer,
// with endpoints below it. The journal remembers mounts; mounting a server
// again replaces what was known of it and keeps what it issued.
func (s *Server) Mount(p *providers.Preset) error {
	prof, err := newProfile(p)
	if err != nil {
		return fmt.Errorf("sandbox: imitate %q: %w", p.Name, err)
	}
	if err := s.book.mount(prof); err != nil {
		return fmt.Errorf("sandbox: imitate %q: %w", p.Name, err)
	}
	return nil
}

// Client is an application as its owner registers it at a server.
type Client struct {
	ID           string
	Secret       secret.Secret // "" makes it a public client
	RedirectURIs []string
	// Platform is "spa" for a single-page application, where the server tells
	// that apart; "" leaves it to what the client does.
	Platform      string
	Key           crypto.PublicKey // of a client that signs assertions; nil: none
	SecretExpires time.Time        // zero: never
	NoRefresh     bool             // it gets no refresh tokens
}

// Register makes a client known to the server of a preset, which it mounts.
// From then on only this secret and these redirect URIs are accepted. A client
// that was never registered is learned as it comes: its redirect URIs and its
// secret are those that it uses.
func (s *Server) Register(p *providers.Preset, c Client) error {
	prof, err := newProfile(p)
	if err == nil {
		err = s.book.mount(prof)
	}
	if err == nil {
		row := client{Realm: prof.ID, ID: c.ID, Strict: true, Redirects: c.RedirectURIs, Platform: c.Platform, NoRefresh: c.NoRefresh}
		if !c.SecretExpires.IsZero() {
			row.SecretEnds = stampOf(c.SecretExpires)
		}
		if !c.Secret.Empty() {
			row.Secrets = []string{s.secretDigest(prof, c.ID, c.Secret)}
		}
		if c.Key != nil {
			var raw json.RawMessage
			if raw, err = json.Marshal(jose.JSONWebKey{Key: c.Key}); err != nil {
				return fmt.Errorf("sandbox: register %q at %q: %w", c.ID, p.Name, err)
			}
			row.Keys = []json.RawMessage{raw}
		}
		err = s.book.update(func(t *tx) error { t.put.Clients = append(t.put.Clients, row); return nil })
	}
	if err != nil {
		return fmt.Errorf("sandbox: register %q at %q: %w", c.ID, p.Name, err)
	}
	return nil
}

// EndSessions ends every consent of a person at the server of a preset, as a
// changed password or an administrator does.
func (s *Server) EndSessions(p *providers.Preset, email string) error {
	prof, err := newProfile(p)
	if err != nil {
		return err
	}
	return s.book.update(func(t *tx) error {
		for _, id := range slices.Sorted(maps.Keys(t.grants)) {
			g := t.grants[id]
			if g.Realm == prof.ID && strings.EqualFold(g.Person.Email, email) && !g.Revoked {
				g.Revoked = true
				t.put.Event = eventRevoke
				t.put.Grants = append(t.put.Grants, g)
			}
		}
		return nil
	})
}

// Transport sends every request to the server, whatever its URL. Nothing leaves
// the process: a URL that nothing imitates is answered with 404 and a text that
// says what is imitated.
func (s *Server) Transport() http.RoundTripper { return &transport{s: s} }

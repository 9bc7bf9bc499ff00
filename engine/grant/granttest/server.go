// Package granttest is a fake authorization server and a fake person, for tests
// of flows.
//
// A [Server] answers on loopback, keeps every call for the test to look at, and
// misbehaves on request: each endpoint takes a list of [Reply]s, faults of the
// connection among them. It checks what a careful server would (codes once,
// PKCE, redirect URI), so that a flow which passes has really proved itself.
//
// The package does not know the state or the engine.
package granttest

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Call is one request that reached the server.
type Call struct {
	Method, Path string
	Header       http.Header
	Query, Form  url.Values
}

// Fault is a way in which a connection fails.
type Fault string

// The faults.
const (
	NoFault  Fault = ""
	Reset    Fault = "reset"    // the connection is reset after the request was read
	Close    Fault = "close"    // it is closed without an answer
	Truncate Fault = "truncate" // it is closed in the middle of the body
	Hang     Fault = "hang"     // nothing comes until the client gives up
	Drip     Fault = "drip"     // a byte comes now and then
	Endless  Fault = "endless"  // the body is ten gigabytes
	Bomb     Fault = "bomb"     // a small compressed body becomes a large one
	Headers  Fault = "headers"  // headers come without end
	Interim  Fault = "interim"  // interim answers (1xx) come without end
	Garbage  Fault = "garbage"  // the answer is not HTTP
)

// Reply is what an endpoint answers to one request.
type Reply struct {
	Status int // 0: 200
	Header map[string]string
	Body   string // JSON unless Header says otherwise
	Fault  Fault
}

// JSON is a Reply with a body made of members.
func JSON(status int, members map[string]any) Reply {
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return Reply{Status: status, Body: string(b)}
}

// OAuthError is a Reply with an error (RFC 6749 §5.2).
func OAuthError(status int, code, description string) Reply {
	return JSON(status, map[string]any{"error": code, "error_description": description})
}

// code is an authorization code that was given out.
type code struct {
	query url.Values // of the authorization request
	used  bool
}

// Server is the fake. Its zero value is not usable: see New.
type Server struct {
	URL string // the issuer
	// Metadata changes the metadata document before it is sent.
	Metadata func(map[string]any)
	// Claims changes the claims of ID tokens before they are signed.
	Claims func(map[string]any)
	// Token changes a successful token answer before it is sent.
	Token func(map[string]any)
	// Person is who consents.
	Subject, Email string
	// Keys sign ID tokens: the first one that has a private half does, with its
	// algorithm and name. The public halves of all are published. To be changed
	// before a flow, or by Claims.
	Keys []jose.JSONWebKey

	now     func() time.Time
	srv     *httptest.Server
	release chan struct{}
	once    sync.Once

	mu      sync.Mutex
	calls   []Call
	replies map[string][]Reply
	codes   map[string]*code
	issued  int
}

// New starts a server that ends with the test. now is its clock.
func New(t testing.TB, now func() time.Time) *Server {
	t.Helper()
	s := &Server{
		now: now, Keys: []jose.JSONWebKey{ES256("k1")}, Subject: "sub-1", Email: "alice@example.com",
		replies: map[string][]Reply{}, codes: map[string]*code{}, release: make(chan struct{}),
	}
	s.srv = httptest.NewServer(s)
	s.URL = s.srv.URL
	t.Cleanup(func() {
		s.Release()
		s.srv.CloseClientConnections()
		s.srv.Close()
	})
	return s
}

// Release ends the requests that hang: their connections are closed.
func (s *Server) Release() { s.once.Do(func() { close(s.release) }) }

// On sets the replies of an endpoint: one for each request, in order; after the
// last one the endpoint behaves again.
func (s *Server) On(path string, replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[path] = replies
}

// Calls are the requests to a path so far, or to all with "".
func (s *Server) Calls(path string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if path == "" || c.Path == path {
			out = append(out, c)
		}
	}
	return out
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	c := Call{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Query: r.URL.Query(), Form: form}
	s.mu.Lock()
	s.calls = append(s.calls, c)
	var reply *Reply
	if q := s.replies[c.Path]; len(q) > 0 {
		reply, s.replies[c.Path] = &q[0], q[1:]
	}
	s.mu.Unlock()
	if reply == nil {
		own := s.behave(c)
		reply = &own
	}
	s.send(w, r, reply)
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, reply *Reply) {
	switch reply.Fault {
	case Hang:
		select {
		case <-r.Context().Done():
		case <-s.release:
		}
		panic(http.ErrAbortHandler)
	case Drip, Endless, Headers, Interim, Garbage:
		s.flood(w, reply.Fault)
		return
	case Bomb:
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, io.LimitReader(spaces{}, bombSize))
		_ = z.Close()
		return
	case Reset, Close:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		if tcp, ok := conn.(*net.TCPConn); ok && reply.Fault == Reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for k, v := range reply.Header {
		w.Header().Set(k, v)
	}
	if reply.Fault == Truncate {
		w.Header().Set("Content-Length", fmt.Sprint(len(reply.Body)+100))
	}
	w.WriteHeader(max(reply.Status, 200))
	_, _ = io.WriteString(w, reply.Body)
	if reply.Fault == Truncate {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// bombSize is what the compressed body of a Bomb becomes.
const bombSize = 32 << 20

// spaces is JSON that never begins.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// flood sends what has no end, until the client goes or the test is over.
func (s *Server) flood(w http.ResponseWriter, f Fault) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	const ok, typed = "HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n"
	head, chunk, pause := "", "", time.Duration(0)
	switch f {
	case Drip:
		head, chunk, pause = ok+typed+"Content-Length: 1000000\r\n\r\n", " ", 10*time.Millisecond
	case Endless:
		head, chunk = ok+typed+"Content-Length: 10737418240\r\n\r\n", strings.Repeat(" ", 64<<10)
	case Headers:
		head, chunk = ok, "X-Filler: "+strings.Repeat("x", 4<<10)+"\r\n"
	case Interim:
		chunk = "HTTP/1.1 103 Early Hints\r\nLink: </" + strings.Repeat("x", 1<<10) + ">\r\n\r\n"
	case Garbage:
		_, _ = io.WriteString(conn, "\x16\x03\x01\x1b[2J this is not HTTP\r\n\r\n")
		return
	}
	for text := head; ; text = chunk {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		select {
		case <-s.release:
			return
		case <-time.After(pause):
		}
	}
}

// behave is what an honest server answers.
func (s *Server) behave(c Call) Reply {
	switch {
	case strings.HasPrefix(c.Path, "/.well-known/"):
		return JSON(200, s.metadata())
	case c.Path == "/keys":
		return JSON(200, map[string]any{"keys": s.published()})
	case c.Path == "/token" && c.Method == http.MethodPost:
		return s.token(c)
	case c.Path == "/device" && c.Method == http.MethodPost:
		return JSON(200, map[string]any{"device_code": "device-1", "user_code": "WDJB-MJHT", "verification_uri": s.URL + "/activate", "expires_in": 600, "interval": 5})
	case c.Path == "/revoke" && c.Method == http.MethodPost:
		return Reply{}
	case c.Path == "/userinfo":
		return JSON(200, map[string]any{"sub": s.Subject, "email": s.Email, "email_verified": true})
	}
	return Reply{Status: 404, Body: "{}"}
}

func (s *Server) metadata() map[string]any {
	m := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"device_authorization_endpoint": s.URL + "/device", "revocation_endpoint": s.URL + "/revoke",
		"userinfo_endpoint": s.URL + "/userinfo", "jwks_uri": s.URL + "/keys",
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"authorization_response_iss_parameter_supported": true,
	}
	if s.Metadata != nil {
		s.Metadata(m)
	}
	return m
}

// Consent is what the server does when the person consents to an authorization
// URL: the parameters that the browser brings back.
func (s *Server) Consent(authURL string) url.Values {
	u, err := url.Parse(authURL)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	name := fmt.Sprintf("code-%d", len(s.codes)+1)
	s.codes[name] = &code{query: q}
	return url.Values{"code": {name}, "state": {q.Get("state")}, "iss": {s.URL}}
}

func (s *Server) token(c Call) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	ans := map[string]any{"access_token": fmt.Sprintf("access-%d", s.issued), "token_type": "Bearer", "expires_in": 3600}
	nonce, client := "", clientOf(c)
	scope := c.Form.Get("scope")
	switch c.Form.Get("grant_type") {
	case "authorization_code":
		got := s.codes[c.Form.Get("code")]
		if problem := redeem(got, c.Form); problem != "" {
			return OAuthError(400, "invalid_grant", problem)
		}
		nonce, scope = got.query.Get("nonce"), got.query.Get("scope")
		ans["refresh_token"] = fmt.Sprintf("refresh-%d", s.issued)
	case "refresh_token":
		ans["refresh_token"] = fmt.Sprintf("refresh-%d", s.issued)
	case "urn:ietf:params:oauth:grant-type:device_code":
		ans["refresh_token"] = fmt.Sprintf("refresh-%d", s.issued)
	case "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer":
	case "urn:ietf:params:oauth:grant-type:token-exchange":
		ans["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
	default:
		return OAuthError(400, "unsupported_grant_type", "")
	}
	if slices.Contains(strings.Fields(scope), "openid") {
		ans["id_token"] = s.idToken(nonce, client)
	}
	if s.Token != nil {
		s.Token(ans)
	}
	return JSON(200, ans)
}

// redeem says why a code cannot be exchanged; "" if it can.
func redeem(got *code, form url.Values) string {
	switch {
	case got == nil:
		return "no such code"
	case got.used:
		return "the code was used before"
	case form.Get("redirect_uri") != got.query.Get("redirect_uri"):
		return "another redirect_uri"
	}
	got.used = true
	if challenge := got.query.Get("code_challenge"); challenge != "" {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
			return "wrong code_verifier"
		}
	}
	return ""
}

func clientOf(c Call) string {
	if id := c.Form.Get("client_id"); id != "" {
		return id
	}
	r := http.Request{Header: c.Header}
	id, _, _ := r.BasicAuth()
	return id
}

func (s *Server) idToken(nonce, client string) string {
	claims := map[string]any{
		"iss": s.URL, "aud": client, "sub": s.Subject, "email": s.Email, "email_verified": true,
		"iat": s.now().Unix(), "exp": s.now().Add(time.Hour).Unix(), "auth_time": s.now().Unix(),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if s.Claims != nil {
		s.Claims(claims)
	}
	for k := range maps.Clone(claims) {
		if claims[k] == nil {
			delete(claims, k)
		}
	}
	return s.Sign(claims)
}

// ES256 is a fresh key of the P-256 curve; name "" leaves out its kid.
func ES256(name string) jose.JSONWebKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: name, Algorithm: string(jose.ES256), Use: "sig"}
}

// RS256 is a fresh RSA key; name "" leaves out its kid.
func RS256(name string) jose.JSONWebKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: name, Algorithm: string(jose.RS256), Use: "sig"}
}

// published are the public halves of the keys.
func (s *Server) published() []jose.JSONWebKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []jose.JSONWebKey{}
	for _, k := range s.Keys {
		out = append(out, k.Public())
	}
	return out
}

// Sign makes a JWT of claims with the server's key.
func (s *Server) Sign(claims map[string]any) string {
	i := slices.IndexFunc(s.Keys, func(k jose.JSONWebKey) bool { return !k.IsPublic() })
	return SignWith(s.Keys[i], claims)
}

// SignWith makes a JWT of claims with a key.
func SignWith(key jose.JSONWebKey, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, nil)
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return out
}

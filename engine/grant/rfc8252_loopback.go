package grant

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxHeader     = 16 << 10
	maxForm       = 64 << 10 // of a form_post answer
	headerTimeout = 5 * time.Second
	maxConns      = 16
	holdTimeout   = 10 * time.Second // how long the browser waits for the outcome
	saveTimeout   = 2 * time.Second  // how long, of these, the caller of the flow has to save the tokens
	closeTimeout  = time.Second
	portAttempts  = 10
)

// listener takes the answer of an authorization request on a loopback address
// (RFC 8252 §7.3). One request settles it: the exact host, path and method, with
// the session's state. All else is answered and ignored.
type listener struct {
	redirect string // the redirect URI, with the port
	address  string // that is listened on
	host     string // that requests must name
	path     string
	method   string
	session  *session
	answers  chan callback // gets one answer

	srv     http.Server
	serving sync.WaitGroup
	once    sync.Once     // the answer is taken
	settled chan struct{} // closed when outcome is set
	outcome page
	end     sync.Once
	closed  chan struct{}
}

// listen binds the listener and serves. It fails before anybody was asked.
func listen(ctx context.Context, s Settings, session *session) (*listener, *Error) {
	u, problem := parseRedirect(s.RedirectURI)
	if problem != "" {
		return nil, fail(Config, session.doing, "correct redirect_uris", "%q %s", Clean(s.RedirectURI), problem)
	}
	l := &listener{
		session: session, path: pathOf(u), method: http.MethodGet,
		answers: make(chan callback, 1), settled: make(chan struct{}), closed: make(chan struct{}),
	}
	if s.ResponseMode == "form_post" {
		l.method = http.MethodPost
	}
	var nets []net.Listener
	var err error
	if s.Listen != "" {
		nets, err = bindAddress(ctx, s.Listen)
	} else {
		nets, err = bindLoopback(ctx, u.Hostname(), u.Port())
	}
	if err != nil {
		return nil, portTaken(session.doing, s, u, err)
	}
	l.address = nets[0].Addr().String()
	l.redirect = s.RedirectURI
	if s.Listen == "" && u.Port() == "" {
		_, port, _ := net.SplitHostPort(l.address)
		l.redirect = withPort(s.RedirectURI, u, port)
		u, _ = url.Parse(l.redirect)
	}
	l.host = hostOf(u)
	l.serve(nets)
	return l, nil
}

// withPort puts a port into a redirect URI and leaves the rest as it is written.
func withPort(raw string, u *url.URL, port string) string {
	host := strings.TrimSuffix(u.Host, ":")
	return strings.Replace(raw, "://"+u.Host, "://"+host+":"+port, 1)
}

// hostOf is what a browser sends as Host: without the scheme's own port.
func hostOf(u *url.URL) string {
	own := ":80"
	if u.Scheme == "https" {
		own = ":443"
	}
	return strings.ToLower(strings.TrimSuffix(u.Host, own))
}

func pathOf(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

func portTaken(doing string, s Settings, u *url.URL, err error) *Error {
	if s.Listen == "" && u.Port() == "" {
		return fail(Config, doing, "look at what keeps programs from listening on loopback addresses", "cannot listen: %s", bindDetail(err))
	}
	where := u.Host
	if s.Listen != "" {
		where = s.Listen
	}
	_, port, _ := net.SplitHostPort(where)
	return fail(Config, doing, "end the program that holds port "+port+", or register a redirect URI with another port and write it in redirect_uris",
		"cannot listen on %s for the answer: %s", where, bindDetail(err))
}

// bindDetail is the cause without the words around it.
func bindDetail(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		text := op.Err.Error()
		if i := strings.LastIndex(text, ": "); i >= 0 {
			text = text[i+2:]
		}
		return op.Addr.String() + ": " + text
	}
	return err.Error()
}

func bindAddress(ctx context.Context, address string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return bindLoopback(ctx, host, port)
}

// bindLoopback binds one loopback address, or for the name localhost both: a
// browser may take either, and another program could hold the second.
func bindLoopback(ctx context.Context, host, port string) ([]net.Listener, error) {
	var config net.ListenConfig
	if !isLoopbackHost(host) {
		return nil, errors.New(host + " is not a loopback address")
	}
	if port == "" {
		port = "0"
	}
	if !strings.EqualFold(host, "localhost") {
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	var lastErr error
	for range portAttempts {
		v4, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return nil, err
		}
		_, chosen, _ := net.SplitHostPort(v4.Addr().String())
		v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", chosen))
		if err == nil {
			return []net.Listener{v4, v6}, nil
		}
		if noIPv6(err) {
			return []net.Listener{v4}, nil
		}
		_ = v4.Close()
		if lastErr = err; port != "0" {
			break
		}
	}
	return nil, lastErr
}

// noIPv6 reports that the machine has no IPv6 loopback address at all. The
// numbers are WSAEAFNOSUPPORT and WSAEADDRNOTAVAIL of Windows.
func noIPv6(err error) bool {
	for _, no := range []syscall.Errno{syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, 10047, 10049} {
		if errors.Is(err, no) {
			return true
		}
	}
	var dns *net.AddrError
	return errors.As(err, &dns)
}

// serve answers requests until the listener is closed.
func (l *listener) serve(nets []net.Listener) {
	l.srv = http.Server{
		Handler:           l,
		MaxHeaderBytes:    maxHeader - 4096, // net/http adds as much
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       2 * headerTimeout,
		WriteTimeout:      2*headerTimeout + 2*holdTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext:       keepable,
	}
	l.srv.SetKeepAlivesEnabled(false)
	crowd := &crowd{}
	for _, n := range nets {
		l.serving.Go(func() { _ = l.srv.Serve(&crowdListener{n, crowd}) })
	}
}

// ServeHTTP answers one request.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.EqualFold(r.Host, l.host):
		write(w, http.StatusMisdirectedRequest, pageElsewhere)
		return
	case r.URL.EscapedPath() != l.path && (l.path != "/" || r.URL.Path != ""):
		write(w, http.StatusNotFound, pageElsewhere)
		return
	case r.Method != l.method:
		w.Header().Set("Allow", l.method)
		write(w, http.StatusMethodNotAllowed, pageElsewhere)
		return
	}
	cb, ours := l.read(w, r)
	if !ours || l.session.state == "" && !isNavigation(r) {
		write(w, http.StatusBadRequest, pageElsewhere)
		return
	}
	mine := false
	l.once.Do(func() { mine = true })
	if !mine {
		write(w, http.StatusOK, pageAlready)
		return
	}
	keep(r.Context())
	l.answers <- cb
	wait := time.NewTimer(holdTimeout)
	defer wait.Stop()
	select {
	case <-l.settled:
		write(w, http.StatusOK, l.outcome)
	case <-wait.C:
		write(w, http.StatusOK, pageReceived)
	case <-r.Context().Done():
	}
}

// isNavigation reports that a browser opens a page, as far as it says so (Fetch
// Metadata): pictures, frames and scripts of other pages must not bring an
// answer that no state binds.
func isNavigation(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// read takes the parameters from where the response mode puts them.
func (l *listener) read(w http.ResponseWriter, r *http.Request) (callback, bool) {
	text := r.URL.RawQuery
	if l.method == http.MethodPost {
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
			return callback{}, false
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		if err != nil {
			return callback{}, false
		}
		text = string(body)
	}
	v, err := url.ParseQuery(text)
	if err != nil {
		return callback{}, false
	}
	return l.session.read(v)
}

// settle shows the browser how it ended, and closes the listener: within a second.
func (l *listener) settle(p page) {
	l.end.Do(func() {
		l.outcome = p
		close(l.settled)
		l.close()
	})
}

// close lets requests under way end, and releases the ports.
func (l *listener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if l.srv.Shutdown(ctx) != nil {
		_ = l.srv.Close()
	}
	l.serving.Wait() // what had not begun to serve gives its port back by itself
	close(l.closed)
}

// handOver leaves the outcome to the caller of the flow: see [Grant.Finish]. If
// nobody says it, the browser is told to look at the terminal, and the listener closes.
func (l *listener) handOver() func(error) {
	forgotten := time.AfterFunc(saveTimeout, func() { l.settle(pageReceived) })
	return func(err error) {
		forgotten.Stop()
		p := pageDone
		if err != nil {
			p = pageFor(err)
		}
		l.settle(p)
		<-l.closed
	}
}

// crowd bounds the open connections of a listener: the oldest one that does not
// carry the answer goes when one too many comes, so that idle ones cannot keep
// the browser out.
type crowd struct {
	mu    sync.Mutex
	conns []*crowdConn
}

type crowdListener struct {
	net.Listener
	crowd *crowd
}

func (l *crowdListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &crowdConn{Conn: conn, crowd: l.crowd}
	l.crowd.add(c)
	return c, nil
}

func (c *crowd) add(conn *crowdConn) {
	var oldest *crowdConn
	c.mu.Lock()
	if len(c.conns) >= maxConns {
		for _, o := range c.conns {
			if !o.kept {
				oldest = o
				break
			}
		}
	}
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	if oldest != nil {
		_ = oldest.Close()
	}
}

type crowdConn struct {
	net.Conn
	crowd *crowd
	kept  bool // guarded by crowd.mu
}

func (c *crowdConn) Close() error {
	c.crowd.mu.Lock()
	for i, o := range c.crowd.conns {
		if o == c {
			c.crowd.conns = append(c.crowd.conns[:i], c.crowd.conns[i+1:]...)
			break
		}
	}
	c.crowd.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

func keepable(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// keep marks the connection that carries the answer.
func keep(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*crowdConn); ok {
		c.crowd.mu.Lock()
		defer c.crowd.mu.Unlock()
		c.kept = true
	}
}

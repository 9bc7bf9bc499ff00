package grant

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

const (
	maxBody        = 1 << 20 // of an answer, decoded
	connectTimeout = 5 * time.Second
	totalTimeout   = 30 * time.Second
	refreshTimeout = 25 * time.Second // a one-time token that was sent is lost with its answer: patience is cheaper
	maxRedirects   = 3
)

// HTTPOptions of NewHTTPClient.
type HTTPOptions struct {
	Transport http.RoundTripper // under the rules; nil: a fresh one with TLS 1.2+ and the proxy of Proxy
	// Proxy gives the URL of the proxy for a request, "" for none; it is never
	// asked about loopback addresses. nil: no proxy.
	Proxy     func(*http.Request) (string, error)
	UserAgent string
	// TLS has authorities, a server name, or client certificates of one server's
	// own; nothing else of it counts. nil: the system's authorities.
	TLS *tls.Config
}

// NewHTTPClient returns the client that all flows use. It follows redirects
// only from GET requests, at most three, within one origin; ends a body at
// 1 MiB with an error; connects within 5 and ends within 30 seconds; speaks
// https with TLS 1.2 or later, and plain http to loopback addresses only; and
// sends no request twice that must not be.
func NewHTTPClient(o HTTPOptions) *http.Client {
	r := &rules{agent: o.UserAgent, proxy: proxyOf(o.Proxy), pooled: o.Transport, once: o.Transport}
	if o.Transport == nil {
		r.traced = true
		r.pooled, r.once = newTransport(r.proxy, o.TLS, false), newTransport(r.proxy, o.TLS, true)
	}
	return &http.Client{Transport: r, CheckRedirect: checkRedirect, Timeout: totalTimeout}
}

// newTransport makes the transport under the rules. A transport for one-time
// requests opens a new connection for each: a request on a reused connection
// that the server is just closing may be sent and not be answered.
func newTransport(proxy func(*http.Request) (*url.URL, error), own *tls.Config, once bool) *http.Transport {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if own != nil {
		secure.RootCAs, secure.ServerName, secure.Certificates = own.RootCAs, own.ServerName, own.Certificates
	}
	d := &dialer{net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second, ControlContext: controlDial}}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            d.DialContext,
		TLSClientConfig:        secure,
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      once,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// proxyOf never asks about loopback addresses.
func proxyOf(proxy func(*http.Request) (string, error)) func(*http.Request) (*url.URL, error) {
	return func(req *http.Request) (*url.URL, error) {
		if proxy == nil || isLoopbackHost(req.URL.Hostname()) {
			return nil, nil
		}
		raw, err := proxy(req)
		if err == nil && raw == "" {
			return nil, nil
		}
		var u *url.URL
		if err == nil {
			u, err = url.Parse(raw)
		}
		if err != nil || u.Host == "" {
			return nil, errProxy // err may repeat the URL, and with it a password
		}
		return u, nil
	}
}

var errProxy = errors.New("the address of the proxy is not a URL; correct HTTPS_PROXY")

// checkRedirect lets a GET follow redirects within its origin. Everything else
// gets the redirect itself as the answer: a token request must never be carried
// to another place.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > maxRedirects ||
		req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// rules is the layer under which every request of a flow passes.
type rules struct {
	pooled, once http.RoundTripper
	proxy        func(*http.Request) (*url.URL, error)
	agent        string
	traced       bool // the transports tell httptrace what they do
}

// errPlainHTTP is the refusal to send anything in clear.
var errPlainHTTP = errors.New("refused: plain http is spoken to loopback addresses only")

func (r *rules) RoundTrip(req *http.Request) (*http.Response, error) {
	w := wireOf(req.Context())
	if s := req.URL.Scheme; s != "https" && (s != "http" || !isLoopbackHost(req.URL.Hostname())) {
		w.refuse()
		return nil, errPlainHTTP
	}
	if isGuarded(req.Context()) {
		if err := checkPublicHost(req.URL.Hostname()); err != nil {
			w.refuse()
			return nil, err
		}
	}
	if req.Header.Get("User-Agent") == "" && r.agent != "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", r.agent)
	}
	next := r.pooled
	if w.oneTime() || isGuarded(req.Context()) {
		next = r.once // and a guarded one is not put on a connection that others made
	}
	p, err := r.proxy(req)
	if err == nil && p != nil {
		// What is dialled is the proxy, and the proxy decides what it may reach.
		req = req.WithContext(guard(req.Context(), false))
	}
	if w.oneTime() && req.GetBody != nil {
		req = req.Clone(req.Context())
		req.GetBody = nil // without it net/http cannot send the body a second time
	}
	w.pass(r.traced)
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, reached(req.URL, p, err)
	}
	resp.Body = &cappedBody{body: resp.Body, left: maxBody}
	return resp, nil
}

// CloseIdleConnections is found by [http.Client.CloseIdleConnections].
func (r *rules) CloseIdleConnections() {
	for _, t := range []http.RoundTripper{r.pooled, r.once} {
		if c, ok := t.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

// errTooLarge ends a body that is larger than any honest answer.
var errTooLarge = fmt.Errorf("the answer is larger than %d KiB", maxBody>>10)

// cappedBody ends with an error, not silently, after so many decoded bytes.
type cappedBody struct {
	body io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n, b.left = int(b.left), 0
		return n, errTooLarge
	}
	b.left -= int64(n)
	return n, err
}

func (b *cappedBody) Close() error { return b.body.Close() }

// dialer dials the name localhost as the loopback addresses, whatever the
// resolver says (RFC 6761 §6.3).
type dialer struct{ net.Dialer }

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isLoopbackHost(host) || net.ParseIP(host) != nil {
		return d.Dialer.DialContext(ctx, network, address)
	}
	conn, err := d.Dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		var err6 error
		if conn, err6 = d.Dialer.DialContext(ctx, network, net.JoinHostPort("::1", port)); err6 != nil {
			return nil, err
		}
	}
	return conn, nil
}

type guardKey struct{}

// guard marks requests to endpoints that a public issuer's metadata named: they
// must not reach addresses of this machine or its networks (a metadata document
// could otherwise make us speak to a router, or to a cloud's metadata service).
func guard(ctx context.Context, on bool) context.Context {
	return context.WithValue(ctx, guardKey{}, on)
}

func isGuarded(ctx context.Context) bool {
	on, _ := ctx.Value(guardKey{}).(bool)
	return on
}

// errNotPublic is the refusal to connect inwards.
type errNotPublic struct{ address string }

func (e errNotPublic) Error() string {
	return "refused: the metadata of a server elsewhere points at " + e.address + ", which is not a public address"
}

// controlDial looks at the address after name resolution, right before the connection is made.
func controlDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if !isGuarded(ctx) {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(ap.Addr()) {
		return errNotPublic{address}
	}
	return nil
}

// checkReachable refuses endpoints that no server elsewhere can mean, wherever
// it was reached: this machine, and link-local addresses (metadata services).
func checkReachable(host string) error {
	ip, err := netip.ParseAddr(host)
	if isLoopbackHost(host) || err == nil && (ip.Unmap().IsLinkLocalUnicast() || ip.IsUnspecified()) {
		return errNotPublic{host}
	}
	return nil
}

// checkPublicHost refuses what needs no resolver; it holds behind a proxy too.
func checkPublicHost(host string) error {
	if isLoopbackHost(host) {
		return errNotPublic{host}
	}
	if ip, err := netip.ParseAddr(host); err == nil && !isPublic(ip) {
		return errNotPublic{host}
	}
	return nil
}

// The blocks that netip counts as global unicast, and that lead inwards or
// nowhere (RFC 6890): "this network", carrier-grade NAT, protocol assignments,
// benchmarks, the reserved class E; and the service address of Azure's hosts.
var inward = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("168.63.129.16/32"),
	// IPv6: IPv4-compatible and -translated (RFC 4291, 2765), local NAT64 (RFC
	// 8215), Teredo (RFC 4380), site-local (RFC 3879).
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("::ffff:0:0:0/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
}

// Addresses that hold an IPv4 address, which is where a connection ends: NAT64
// (RFC 6052) in the last four bytes, 6to4 (RFC 3056) from the third.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// isPublic reports a unicast address of the public internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch b := ip.As16(); {
	case nat64.Contains(ip):
		ip = netip.AddrFrom4([4]byte(b[12:]))
	case sixTo4.Contains(ip):
		ip = netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(inward, func(p netip.Prefix) bool { return p.Contains(ip) })
}

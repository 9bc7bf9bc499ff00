package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Where imitated URLs are found on the loopback address.
const (
	browserHTTPS = "/~/"
	browserHTTP  = "/~http/"
)

// Handler serves the server for real browsers and other clients: imitated URLs
// under /~/HOST/PATH, and a plain issuer of its own at /. A Host header that
// names neither this machine nor an imitated server is refused with 421.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.route(w, r) })
}

// Serve listens on a loopback address ("127.0.0.1:0") until ctx ends or the
// server is closed, and returns the base URL at once.
func (s *Server) Serve(ctx context.Context, address string) (base string, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("sandbox: listen on %q: %w", address, err)
	}
	if !isLoopback(host) {
		return "", fmt.Errorf("sandbox: listen on %q: only loopback addresses: 127.0.0.1, [::1] or localhost", address)
	}
	if strings.EqualFold(host, "localhost") { // whatever the resolver would say
		address = strings.Replace(address, host, "127.0.0.1", 1)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("sandbox: listen on %q: %w", address, err)
	}
	bound, ok := l.Addr().(*net.TCPAddr)
	if ip, _ := netip.AddrFromSlice(bound.IP); !ok || !ip.Unmap().IsLoopback() {
		_ = l.Close()
		return "", fmt.Errorf("sandbox: %s is not a loopback address", l.Addr())
	}
	port := strconv.Itoa(bound.Port)
	srv := &http.Server{
		Handler:           onlyPort(port, s.Handler()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.mu.Lock()
	s.serving[bound.String()] = true
	s.serving["localhost:"+port] = true
	s.mu.Unlock()
	s.handlers.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			_ = srv.Close()
		}
	})
	s.handlers.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.closed:
		}
		_ = srv.Close()
	})
	return "http://" + bound.String(), nil
}

// onlyPort refuses requests whose Host header names another port of this machine.
func onlyPort(port string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, p, _ := net.SplitHostPort(r.Host)
		if isLoopback(r.Host) && p != port && (p != "" || port != "80") {
			http.Error(w, "sandbox: there is no such port here", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// BrowserURL is where a real browser finds an imitated URL; base is Serve's. A
// URL that is not imitated comes back as it is.
func (s *Server) BrowserURL(base, u string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		return u
	}
	key, err := urlKey(u)
	if err != nil {
		return u
	}
	s.book.mu.Lock()
	_, ok := s.book.urls[key]
	s.book.mu.Unlock()
	if !ok {
		return u
	}
	prefix := browserHTTPS
	if parsed.Scheme == "http" {
		prefix = browserHTTP
	}
	out := strings.TrimSuffix(base, "/") + prefix + parsed.Host + parsed.EscapedPath()
	if parsed.RawQuery != "" {
		out += "?" + parsed.RawQuery
	}
	return out
}

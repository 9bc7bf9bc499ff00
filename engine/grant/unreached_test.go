package grant_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/grant"
)

// A server that cannot be reached is named, and why, without the words of the
// system's calls; what the error was can still be asked.
func TestUnreachedInWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	reset := listening(t, func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.Close()
	})
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	for name, c := range map[string]struct {
		url, proxy string
		want       string
		is         any
	}{
		"closed port": {url: "http://" + closed, want: "cannot connect to the server " + closed + ": connection refused", is: &op},
		"no host":     {url: "https://login.invalid", want: "cannot connect to the server login.invalid: there is no host of that name", is: &dns},
		"untrusted":   {url: untrusted.URL, want: "the certificate of " + untrusted.Listener.Addr().String() + " is not trusted: certificate signed by unknown authority", is: &cert},
		"reset":       {url: reset.url, want: "the connection to the server " + strings.TrimPrefix(reset.url, "http://") + " broke off: connection reset by peer", is: &op},
		"proxy":       {url: "https://login.invalid", proxy: "http://" + closed, want: "cannot connect to the proxy " + closed + ": connection refused", is: &op},
	} {
		t.Run(name, func(t *testing.T) {
			client := grant.NewHTTPClient(grant.HTTPOptions{Proxy: func(*http.Request) (string, error) { return c.proxy, nil }})
			t.Cleanup(client.CloseIdleConnections)
			res, err := client.Get(c.url)
			if err == nil {
				_ = res.Body.Close()
				t.Fatal("an answer")
			}
			var outer *url.Error
			if !errors.As(err, &outer) || outer.Err.Error() != c.want {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if !errors.As(err, c.is) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// An interruption is no failure of the network.
func TestInterruptedIsNotUnreached(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := grant.NewHTTPClient(grant.HTTPOptions{}).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "cannot connect") {
		t.Error(err)
	}
}

package grant

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// A token request is never carried to another place, with whatever redirect.
func TestPostIsNotRedirected(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent to the other server", r.Method, r.URL)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{other.URL + "/steal", "/steal"} {
			first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/steal" {
					t.Errorf("%d: the request was sent on within its origin", status)
				}
				http.Redirect(w, r, to, status)
			}))
			client := NewHTTPClient(HTTPOptions{})
			resp, err := client.Post(first.URL, "text/plain", strings.NewReader("secret"))
			if err != nil || resp.StatusCode != status {
				t.Errorf("%d: %v, %v", status, resp, err)
			}
			_ = resp.Body.Close()
			client.CloseIdleConnections()
			first.Close()
		}
	}
}

// A GET follows redirects within its origin, three at most.
func TestGetRedirects(t *testing.T) {
	hops := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/next", http.StatusFound)
	}))
	defer srv.Close()
	client := NewHTTPClient(HTTPOptions{})
	defer client.CloseIdleConnections()
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || hops != 1+maxRedirects {
		t.Errorf("HTTP %d after %d requests", resp.StatusCode, hops)
	}
}

// TLS 1.2 at least, and a certificate that has to be right: there is no way
// around it.
func TestTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		version uint16
		trusted bool
		ok      bool
	}{
		"1.1":       {tls.VersionTLS11, true, false},
		"1.2":       {tls.VersionTLS12, true, true},
		"1.3":       {tls.VersionTLS13, true, true},
		"a forgery": {tls.VersionTLS13, false, false},
	} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		srv.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tc.version}
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		for _, once := range []bool{false, true} {
			tr := newTransport(proxyOf(nil), nil, once)
			if tc.trusted {
				tr.TLSClientConfig.RootCAs = x509.NewCertPool()
				tr.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
			}
			resp, err := (&http.Client{Transport: tr}).Get(srv.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			if (err == nil) != tc.ok {
				t.Errorf("%s: %v", name, err)
			}
			tr.CloseIdleConnections()
		}
		srv.Close()
	}
}

// A body ends at 1 MiB of decoded bytes, with an error: a compressed one, too.
func TestBodyCap(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := maxBody
		if r.URL.Path == "/more" {
			size++
		}
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	}))
	defer srv.Close()
	client := NewHTTPClient(HTTPOptions{})
	defer client.CloseIdleConnections()
	for path, want := range map[string]error{"/just": nil, "/more": errTooLarge} {
		resp, err := client.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, want) || len(body) != maxBody {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
}

// Plain http is spoken to loopback only; the name is not enough.
func TestPlainHTTP(t *testing.T) {
	reached := false
	client := NewHTTPClient(HTTPOptions{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
		reached = true
		return nil, errors.New("reached")
	})})
	for url, want := range map[string]bool{
		"http://127.0.0.1/": true, "http://[::1]/": true, "http://localhost:8080/": true, "https://example.com/": true,
		"http://example.com/": false, "http://localhost.example.com/": false, "http://10.0.0.1/": false, "ftp://localhost/": false, "http://0.0.0.0/": false,
	} {
		reached = false
		resp, err := client.Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		if reached != want {
			t.Errorf("%s: reached = %v", url, reached)
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Loopback addresses are never proxied, everything else is.
func TestProxy(t *testing.T) {
	asked := ""
	proxy := proxyOf(func(r *http.Request) (string, error) {
		asked += r.URL.Host + " "
		return "http://proxy.example:3128", nil
	})
	for _, url := range []string{"http://127.0.0.1/", "http://localhost:1/", "http://[::1]:1/", "https://example.com/"} {
		req := httptest.NewRequest(http.MethodGet, url, nil)
		p, err := proxy(req)
		if err != nil || (p != nil) != (url == "https://example.com/") {
			t.Errorf("%s goes through %v, %v", url, p, err)
		}
	}
	if asked != "example.com " {
		t.Errorf("asked about %q", asked)
	}
}

// A proxy that is no URL is refused without repeating it: it may hold a password.
func TestProxyThatIsNoURL(t *testing.T) {
	for _, raw := range []string{"http://user:hunter2@proxy.example:port", "user:hunter2", "hunter2\x00"} {
		proxy := proxyOf(func(*http.Request) (string, error) { return raw, nil })
		failing := proxyOf(func(*http.Request) (string, error) { return "", errors.New("invalid proxy address " + raw) })
		for _, p := range []func(*http.Request) (*url.URL, error){proxy, failing} {
			if u, err := p(httptest.NewRequest(http.MethodGet, "https://example.com/", nil)); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: %v, %v", raw, u, err)
			}
		}
	}
}

// A guarded request is refused when the name turns out to lead inside, right
// before the connection is made; behind a proxy only literals can be seen.
func TestGuardedDial(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer srv.Close()
	d := &dialer{net.Dialer{ControlContext: controlDial}}
	conn, err := d.DialContext(guard(context.Background(), true), "tcp", srv.Listener.Addr().String())
	if !errors.As(err, &errNotPublic{}) {
		t.Errorf("dialled %v, %v", conn, err)
	}
	conn, err = d.DialContext(guard(context.Background(), false), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	ctx, w := watch(guard(context.Background(), true), true)
	client := NewHTTPClient(HTTPOptions{})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("a guarded request reached a loopback address")
	} else if !w.notSent(err) {
		t.Error("the refusal does not count as not sent")
	}
}

func TestIsPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "127.0.0.1": false, "10.1.1.1": false, "192.168.0.1": false, "172.31.0.1": false,
		"169.254.169.254": false, "100.100.100.200": false, "::1": false, "fe80::1": false, "fd12::1": false, "0.0.0.0": false, "::": false,
		"224.0.0.1": false, "::ffff:10.0.0.1": false, "255.255.255.255": false,
		"0.1.2.3": false, "198.18.0.1": false, "192.0.0.8": false, "240.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": true,
		"::ffff:8.8.8.8": true, "::127.0.0.1": false, "::ffff:0:7f00:1": false, "64:ff9b:1::7f00:1": false, "2002:a00:1::1": false, "2002:808:808::1": true,
		"2001:0:1::1": false, "fec0::1": false, "168.63.129.16": false, "fd00:ec2::254": false, "192.0.0.192": false,
	} {
		if have := isPublic(netip.MustParseAddr(ip)); have != want {
			t.Errorf("isPublic(%s) = %v", ip, have)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                         "plain",
		"a\r\n\tb  c ":                  "a b c",
		"\x1b[2J":                       `\x1b[2J`,
		"\x00\x7f\u0085\u009b":          `\x00\x7f\x85\x9b`,
		"a\u202eb\u2066c\u200bd\ufeffe": `a\u202eb\u2066c\u200bd\ufeffe`,
		"\u2028\u00ad\U000e0041\u3164":  `\u2028\u00ad\ue0041\u3164`,
		"grün 日本語 🎉":                    "grün 日本語 🎉",
		"\xff\xfe":                      "\ufffd\ufffd",
		strings.Repeat("ü", maxText+1):  strings.Repeat("ü", maxText) + "…",
		strings.Repeat("x", maxText):    strings.Repeat("x", maxText),
	} {
		if have := Clean(in); have != want {
			t.Errorf("Clean(%q) = %q, want %q", in, have, want)
		}
	}
}

// A client for a server of its own trusts only what it was given, and of the rest
// of a TLS configuration nothing counts: it is verified, with TLS 1.2 or later.
func TestOwnAuthorities(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.ServerName)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	for name, c := range map[string]struct {
		own *tls.Config
		ok  bool
	}{
		"nothing of its own": {nil, false},
		"its authority":      {&tls.Config{RootCAs: roots}, true},
		"its name":           {&tls.Config{RootCAs: roots, ServerName: "example.com"}, true},
		"another name":       {&tls.Config{RootCAs: roots, ServerName: "other.example"}, false},
		"no verification":    {&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}, false},
	} {
		client := NewHTTPClient(HTTPOptions{TLS: c.own})
		resp, err := client.Get(srv.URL)
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		client.CloseIdleConnections()
	}
}

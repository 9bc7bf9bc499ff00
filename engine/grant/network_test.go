package grant_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
)

// trap is a place that is no authorization server.
type trap struct {
	url   string
	mu    sync.Mutex
	asked int // connections, or requests
}

func (p *trap) ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
}

func (p *trap) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// listening gives every connection to serve.
func listening(t *testing.T, serve func(net.Conn)) *trap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &trap{url: "http://" + l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.ask()
			serve(conn)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return p
}

// networkFault is a way in which the network, or the server behind it, fails.
type networkFault struct {
	name  string
	reply granttest.Reply          // of the server, to every request
	place func(t *testing.T) *trap // what is there instead of the server; nil: the server is
	sent  grant.Outcome            // what a refresh knows afterwards; "": that depends on the moment
}

// networkFaults are all of them. elsewhere is where redirects lead.
func networkFaults(elsewhere string) []networkFault {
	html := map[string]string{"Content-Type": "text/html"}
	return []networkFault{
		{name: "refused", sent: grant.NotSent, place: func(t *testing.T) *trap {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return &trap{url: "http://" + l.Addr().String()}
		}},
		{name: "no such name", sent: grant.NotSent, place: func(*testing.T) *trap { return &trap{url: "https://nowhere.invalid"} }},
		{name: "wrong certificate", sent: grant.NotSent, place: func(t *testing.T) *trap {
			p := &trap{}
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.ask() }))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.StartTLS()
			t.Cleanup(srv.Close)
			p.url = srv.URL
			return p
		}},
		{name: "reset before the request", place: func(t *testing.T) *trap {
			return listening(t, func(c net.Conn) {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			})
		}},
		{name: "reset after the request", reply: granttest.Reply{Fault: granttest.Reset}, sent: grant.Unknown},
		{name: "closed without an answer", reply: granttest.Reply{Fault: granttest.Close}, sent: grant.Unknown},
		{name: "no answer", reply: granttest.Reply{Fault: granttest.Hang}, sent: grant.Unknown},
		{name: "slow drip", reply: granttest.Reply{Fault: granttest.Drip}, sent: grant.Unknown},
		{name: "endless body", reply: granttest.Reply{Fault: granttest.Endless}, sent: grant.Unknown},
		{name: "endless headers", reply: granttest.Reply{Fault: granttest.Headers}, sent: grant.Unknown},
		{name: "half an answer", reply: granttest.Reply{Fault: granttest.Truncate, Body: `{"access_token":"half","refresh_`}, sent: grant.Unknown},
		{name: "cut JSON", reply: granttest.Reply{Body: `{"access_token":"half","refresh_`}, sent: grant.Unknown},
		{name: "HTML with 200", reply: granttest.Reply{Body: "<html>Please sign in</html>", Header: html}, sent: grant.Unknown},
		{name: "not HTTP", reply: granttest.Reply{Fault: granttest.Garbage}, sent: grant.Unknown},
		{name: "redirect to another origin", reply: granttest.Reply{Status: 307, Header: map[string]string{"Location": elsewhere + "/token"}}, sent: grant.Unknown},
		{name: "redirect to another page", reply: granttest.Reply{Status: 302, Header: map[string]string{"Location": elsewhere + "/login"}}, sent: grant.Unknown},
		{name: "bad gateway", reply: granttest.Reply{Status: 502, Body: "<html>nginx</html>", Header: html}, sent: grant.Unknown},
		{name: "server error", reply: granttest.Reply{Status: 500, Body: "oops"}, sent: grant.Answered},
		{name: "429 with Retry-After", reply: granttest.Reply{Status: 429, Body: "{}", Header: map[string]string{"Retry-After": "30"}}, sent: grant.Answered},
	}
}

// networkFlow is a flow whose request fails.
type networkFlow struct {
	name string
	path string
	once string // what must not be sent twice; "": nothing
	run  func(ctx context.Context, w *world, place string) error
}

func networkFlows() []networkFlow {
	authorize := func(body string) func(context.Context, *world, string) error {
		return func(ctx context.Context, w *world, place string) error {
			w.consent(nil)
			w.srv.On("/device", granttest.JSON(200, map[string]any{
				"device_code": "device-1", "user_code": "WDJB-MJHT", "verification_uri": w.srv.URL + "/activate", "expires_in": 16, "interval": 5,
			}))
			g, err := w.client(&providers.Preset{
				Name: "acme", Title: "Acme", Discovery: "none", ScopeSeparator: " ", PKCE: "supported",
				AuthorizationEndpoint: w.srv.URL + "/authorize", DeviceEndpoint: w.srv.URL + "/device", TokenEndpoint: place + "/token",
			}, body).Authorize(ctx, w.env())
			g.Done(err)
			return err
		}
	}
	return []networkFlow{
		{"authorization code", "/token", "authorization code", authorize(`grant "authorization_code" {}`)},
		{"device code", "/token", "", authorize(`grant "device_code" {}`)}, // polls are repeated: RFC 8628 §3.5
		{"client credentials", "/token", "client's secret", authorize("client_secret = env(\"X\")\nclient_auth = \"client_secret_post\"\ngrant \"client_credentials\" {}")},
		{"refresh", "/token", "refresh token", func(ctx context.Context, w *world, place string) error {
			r := w.held()
			r.Info.Client.TokenEndpoint = place + "/token"
			_, err := grant.Refresh(ctx, w.env(), r, nil)
			return err
		}},
		{"revocation", "/revoke", "", func(ctx context.Context, w *world, place string) error {
			r := w.held()
			r.Info.Client.RevocationEndpoint = place + "/revoke"
			return grant.Revoke(ctx, w.env(), r)
		}},
	}
}

// networkCounts is what all flows came to.
type networkCounts struct {
	flows, ended, twice, elsewhere int
	most                           uint64 // bytes allocated by one of them
}

// meets runs the flow against the fault.
func (f networkFlow) meets(t *testing.T, fault networkFault, c *networkCounts) {
	w := newWorld(t)
	if w.http.Timeout <= 0 || w.http.Timeout > 30*time.Second {
		t.Fatalf("a request may take %v", w.http.Timeout)
	}
	w.http.Timeout = 100 * time.Millisecond // who never answers is not waited for longer in a test
	place, asked := w.srv.URL, func() int { return len(w.srv.Calls(f.path)) }
	if fault.place != nil {
		p := fault.place(t)
		place, asked = p.url, p.count
	}
	replies := make([]granttest.Reply, 20)
	for i := range replies {
		replies[i] = fault.reply
	}
	w.srv.On(f.path, replies...)
	patience, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := f.run(patience, w, place)
	runtime.ReadMemStats(&after)
	c.flows++
	c.most = max(c.most, after.TotalAlloc-before.TotalAlloc)
	var e *grant.Error
	accepted := f.path == "/revoke" && fault.reply.Status == 0 && fault.reply.Body != "" // any 2xx is a success: RFC 7009 §2.2
	switch {
	case patience.Err() != nil:
		t.Errorf("the flow does not end by itself: %v", err)
	case err == nil && accepted:
		c.ended++
	case !errors.As(err, &e):
		t.Errorf("want a *grant.Error, have %v", err)
	case f.name == "refresh" && fault.sent != "" && e.Outcome != fault.sent:
		t.Errorf("the outcome is %q, want %q: %v", e.Outcome, fault.sent, e)
	default:
		c.ended++
	}
	if n := asked(); f.once != "" && n > 1 {
		c.twice++
		t.Errorf("%d requests with the %s, want one", n, f.once)
	}
	if fault.place == nil && asked() == 0 {
		t.Errorf("the request did not come: the fault was not met")
	}
}

// Every fault of the network meets every flow: it ends by itself, what may be
// sent once is sent once, nothing goes to another origin, and whatever comes,
// little of it is taken in.
func TestNetworkFaults(t *testing.T) {
	other := &trap{}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		other.ask()
		t.Errorf("%s %s was sent to another origin", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	var c networkCounts
	faults := networkFaults(elsewhere.URL)
	for _, flow := range networkFlows() {
		for _, fault := range faults {
			t.Run(flow.name+"/"+fault.name, func(t *testing.T) { flow.meets(t, fault, &c) })
		}
	}
	c.elsewhere = other.count()
	t.Logf("proof: network: %d faults × %d flows = %d: %d ended by themselves, in time and with an error that says what is known; "+
		"%d sent something twice that must be sent once, %d requests to another origin, at most %d MiB allocated by one (limit 64)",
		len(faults), len(networkFlows()), c.flows, c.ended, c.twice, c.elsewhere, c.most>>20)
	if c.most>>20 > 64 {
		t.Errorf("one flow allocated %d MiB", c.most>>20)
	}
}

package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// callSite is a request that a flow makes: the endpoint, and what leads there.
type callSite struct {
	path string
	once bool // a second request would spend something twice
	run  func(w *world) error
}

// callSites are all kinds of requests.
func callSites() map[string]callSite {
	authorize := func(body string) func(w *world) error {
		return func(w *world) error {
			w.consent(nil)
			g, err := w.client(w.preset(), body).Authorize(context.Background(), w.env())
			g.Done(err)
			return err
		}
	}
	return map[string]callSite{
		"discovery":          {path: oidcPath, run: authorize("")},
		"code":               {path: "/token", once: true, run: authorize("")},
		"client credentials": {path: "/token", once: true, run: authorize("client_secret = env(\"X\")\ngrant \"client_credentials\" {}")},
		"device":             {path: "/device", run: authorize(`grant "device_code" {}`)},
		"keys":               {path: "/keys", run: authorize(`scopes = ["openid"]`)},
		"userinfo":           {path: "/userinfo", run: authorize(`account = "alice@example.com"`)},
		"refresh": {path: "/token", once: true, run: func(w *world) error {
			_, err := grant.Refresh(context.Background(), w.env(), w.held(), nil)
			return err
		}},
		"revocation": {path: "/revoke", run: func(w *world) error { return grant.Revoke(context.Background(), w.env(), w.held()) }},
	}
}

// Every kind of bad answer to every kind of request: the flow ends by itself with
// an error, nothing is sent a second time that must not be, nothing is sent to
// another server, and no byte of the answer reaches a terminal raw.
func TestBadAnswersToEveryRequest(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent to another server", r.Method, r.URL)
	}))
	t.Cleanup(elsewhere.Close)
	replies := map[string]granttest.Reply{
		"HTML":         {Body: "<html>\x1b[2J</html>", Header: map[string]string{"Content-Type": "text/html"}},
		"wrong JSON":   {Body: `[{"access_token":"\u001b[2J"}]`},
		"server error": {Status: 503, Body: "\x1b[2J", Header: map[string]string{"Retry-After": "\x1b[2J"}},
	}
	for _, f := range []granttest.Fault{granttest.Reset, granttest.Close, granttest.Truncate, granttest.Hang, granttest.Drip,
		granttest.Endless, granttest.Bomb, granttest.Headers, granttest.Interim, granttest.Garbage} {
		replies[string(f)] = granttest.Reply{Fault: f}
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		replies[fmt.Sprint("redirect ", status)] = granttest.Reply{Status: status, Header: map[string]string{"Location": elsewhere.URL + "/steal"}}
	}
	t.Run("all", func(t *testing.T) { // so that elsewhere is there until all have ended
		for what, site := range callSites() {
			for name, reply := range replies {
				t.Run(what+"/"+name, func(t *testing.T) {
					t.Parallel()
					if site.path == "/revoke" && reply.Status == 0 && reply.Body != "" {
						return // any 2xx is a success (RFC 7009 §2.2)
					}
					site.answered(t, reply)
				})
			}
		}
	})
}

// answered runs the flow with every request of the kind answered in one way.
func (s callSite) answered(t *testing.T, reply granttest.Reply) {
	w := newWorld(t)
	if w.http.Timeout <= 0 || w.http.Timeout > 30*time.Second {
		t.Fatalf("a request may take %v", w.http.Timeout)
	}
	w.http.Timeout = 300 * time.Millisecond // who never answers is not waited for longer in a test
	all := []granttest.Reply{reply, reply, reply, reply, reply}
	w.srv.On(s.path, all...)
	w.srv.On(oauthPath, all...)
	err := s.run(w)
	var e *grant.Error
	if !errors.As(err, &e) {
		t.Fatalf("want a *grant.Error, have %v", err)
	}
	if text := e.Error() + e.Remedy + e.Hint; strings.ContainsRune(text, '\x1b') || len(text) > 2000 {
		t.Errorf("the error is not fit to be shown: %q", text)
	}
	if n := len(w.srv.Calls(s.path)); s.once && n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// However much comes, little of it is taken in.
func TestEndlessAnswersCostNoMemory(t *testing.T) {
	for what, site := range callSites() {
		for _, f := range []granttest.Fault{granttest.Endless, granttest.Bomb, granttest.Headers, granttest.Interim} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			site.answered(t, granttest.Reply{Fault: f})
			runtime.ReadMemStats(&after)
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 64 {
				t.Errorf("%s, %s: %d MiB", what, f, used)
			}
		}
	}
}

// All requests go through the client that was given, with its rules: none through
// the default one, which follows redirects and waits for ever.
func TestNothingGoesThroughTheDefaultClient(t *testing.T) {
	stock := http.DefaultTransport
	http.DefaultTransport = roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s %s goes through the default transport", r.Method, r.URL)
		return nil, errors.New("the default transport")
	})
	t.Cleanup(func() { http.DefaultTransport = stock })
	for what, site := range callSites() {
		w := newWorld(t)
		if err := site.run(w); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if len(w.srv.Calls(site.path)) == 0 {
			t.Errorf("%s: %s was not called", what, site.path)
		}
	}
}

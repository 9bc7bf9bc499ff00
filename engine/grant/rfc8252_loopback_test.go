package grant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// Whatever does not prove that it is the answer is answered, ignored, and
// changes nothing; the real answer then completes the flow with one exchange.
func TestHostileCallbacks(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		good := w.srv.Consent(v.URL)
		state := good.Get("state")
		host := strings.TrimPrefix(strings.TrimSuffix(v.RedirectURI, "/callback"), "http://")
		for name, a := range map[string]struct {
			method, target, host string
			form                 url.Values
			status               int
		}{
			"wrong state":           {"GET", v.RedirectURI + "?code=x&state=" + strings.Repeat("0", 64), "", nil, 400},
			"missing state":         {"GET", v.RedirectURI + "?code=x", "", nil, 400},
			"empty state":           {"GET", v.RedirectURI + "?code=x&state=", "", nil, 400},
			"state twice":           {"GET", v.RedirectURI + "?code=x&state=" + state + "&state=" + state, "", nil, 400},
			"error without state":   {"GET", v.RedirectURI + "?error=access_denied", "", nil, 400},
			"error, wrong state":    {"GET", v.RedirectURI + "?error=access_denied&state=no", "", nil, 400},
			"broken query":          {"GET", v.RedirectURI + "?code=x;state=" + state + "&%zz", "", nil, 400},
			"no query":              {"GET", v.RedirectURI, "", nil, 400},
			"favicon":               {"GET", "http://" + host + "/favicon.ico?" + good.Encode(), "", nil, 404},
			"other path":            {"GET", "http://" + host + "/callback/?" + good.Encode(), "", nil, 404},
			"escaped path":          {"GET", "http://" + host + "/%63allback?" + good.Encode(), "", nil, 404},
			"head":                  {"HEAD", redirectTo(v, good), "", nil, 405},
			"post":                  {"POST", v.RedirectURI, "", good, 405},
			"preflight":             {"OPTIONS", redirectTo(v, good), "", nil, 405},
			"other host":            {"GET", redirectTo(v, good), "evil.example", nil, 421},
			"other port":            {"GET", redirectTo(v, good), "127.0.0.1:1", nil, 421},
			"localhost by name":     {"GET", redirectTo(v, good), strings.Replace(host, "127.0.0.1", "localhost", 1), nil, 421},
			"huge header":           {"GET", redirectTo(v, good) + "&x=" + strings.Repeat("a", 1<<20), "", nil, 431},
			"state in the fragment": {"GET", v.RedirectURI + "#" + good.Encode(), "", nil, 400},
		} {
			status, body := w.browse(a.method, a.target, a.host, a.form)
			if status != a.status {
				t.Errorf("%s: HTTP %d, want %d (%.80s)", name, status, a.status, body)
			}
			if strings.Contains(body, state) || strings.Contains(body, "access_denied") {
				t.Errorf("%s: the page shows what was sent", name)
			}
		}
		if n := len(w.srv.Calls("/token")); n != 0 {
			t.Errorf("%d token requests before the real answer", n)
		}
		w.get(redirectTo(v, good))
	}
	g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if n := len(w.srv.Calls("/token")); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// Ten thousand requests that are no answer, among them what browsers send by
// themselves, do not end the flow: the real one does, with one exchange.
func TestTenThousandStrangers(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		good := w.srv.Consent(v.URL)
		host := v.Listening
		head := " HTTP/1.1\r\nHost: " + host + "\r\n"
		for i, strangers := 0, []string{
			"GET /callback?code=x&state=" + strings.Repeat("0", 64) + head + "\r\n",
			"GET /callback?error=access_denied" + head + "\r\n",
			"GET /callback?" + good.Encode() + "&state=" + good.Get("state") + head + "\r\n",
			"GET /callback?" + good.Encode() + " HTTP/1.1\r\nHost: evil.example\r\n\r\n",
			"GET /callback?" + good.Encode() + " HTTP/1.1\r\n\r\n",
			"GET /favicon.ico" + head + "Referer: " + redirectTo(v, good) + "\r\n\r\n",
			"HEAD /callback?" + good.Encode() + head + "Sec-Purpose: prefetch\r\n\r\n",
			"OPTIONS /callback?" + good.Encode() + head + "Origin: https://evil.example\r\nAccess-Control-Request-Private-Network: true\r\n\r\n",
			"POST /callback" + head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nerror=out",
			"GET http://evil.example/callback?" + good.Encode() + head + "\r\n",
			"GET /callback?" + good.Encode(), // and gone
		}; i < 10_000; i++ {
			conn, err := net.Dial("tcp", v.Listening)
			if err != nil {
				t.Errorf("request %d: %v", i, err)
				return
			}
			_, _ = io.WriteString(conn, strangers[i%len(strangers)])
			_ = conn.(*net.TCPConn).CloseWrite()
			page, _ := io.ReadAll(conn)
			_ = conn.Close()
			if strings.Contains(string(page), good.Get("state")) || strings.Contains(string(page), "evil") || strings.HasPrefix(string(page), "HTTP/1.1 2") {
				t.Errorf("request %d got %.200q", i, page)
				return
			}
		}
		if n := len(w.srv.Calls("/token")); n != 0 {
			t.Errorf("%d token requests before the real answer", n)
		}
		w.get(redirectTo(v, good))
	}
	g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	n := len(w.srv.Calls("/token"))
	if n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	t.Logf("proof: strangers: 10,000 hostile requests to the listener, then the answer of the server: the flow completes with %d exchange", n)
}

// Idle connections, more than the listener serves, do not keep the browser out.
func TestSlowConnections(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		for range 40 {
			conn, err := net.Dial("tcp", v.Listening)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte("GET /callback HTTP/1.1\r\nHost: "))
		}
		w.get(redirectTo(v, w.srv.Consent(v.URL)))
	}
	g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// A second answer gets a neutral page and has no effect.
func TestSecondAnswer(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	pages := make(chan string, 2)
	w.srv.On("/token", granttest.Reply{Fault: granttest.Hang})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		wg.Go(func() { _, p := w.get(redirectTo(v, answer)); pages <- p })
		for len(w.srv.Calls("/token")) == 0 {
			time.Sleep(time.Millisecond)
		}
		denied := url.Values{"error": {"access_denied"}, "state": answer["state"], "iss": answer["iss"]}
		for _, a := range []url.Values{answer, denied} {
			if status, p := w.get(redirectTo(v, a)); status != 200 || !strings.Contains(p, "Already answered") {
				t.Errorf("a later answer got HTTP %d: %s", status, p)
			}
		}
		w.srv.Release()
	}
	_, err := w.client(w.preset(), "").Authorize(ctx, w.env())
	e := wantError(t, err, grant.Temporary)
	if e.Outcome != grant.Unknown {
		t.Errorf("outcome = %s, want unknown", e.Outcome)
	}
	wg.Wait()
	if p := <-pages; !strings.Contains(p, "That did not work") {
		t.Errorf("the first browser was told: %s", p)
	}
	if n := len(w.srv.Calls("/token")); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// A port that is taken is said before any browser opens.
func TestPortTaken(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		for _, family := range []string{"127.0.0.1", "::1"} {
			if host != "localhost" && host != family {
				continue
			}
			t.Run(host+" held on "+family, func(t *testing.T) {
				taken, err := net.Listen("tcp", net.JoinHostPort(family, "0"))
				if err != nil {
					t.Logf("this machine has no %s", family)
					return
				}
				defer func() { _ = taken.Close() }()
				_, port, _ := net.SplitHostPort(taken.Addr().String())
				w := newWorld(t)
				c := w.client(w.preset(), fmt.Sprintf(`redirect_uris = ["http://%s/cb"]`, net.JoinHostPort(host, port)))
				_, aerr := c.Authorize(context.Background(), w.env())
				wantError(t, aerr, grant.Config, port, net.JoinHostPort(family, port), "redirect_uris")
				if len(w.person.Visits()) != 0 {
					t.Error("a browser was opened")
				}
			})
		}
	}
}

// A flow that ends at once gives its port back before it returns, to the next one.
func TestPortIsGivenBack(t *testing.T) {
	w := newWorld(t)
	c := w.client(w.preset(), fmt.Sprintf(`redirect_uris = ["http://127.0.0.1:%s/cb"]`, freePort(t)))
	env := w.env()
	env.User = absent{w.person}
	for range 300 {
		_, err := c.Authorize(context.Background(), env)
		wantError(t, err, grant.NeedsUser, "nobody is there")
		if t.Failed() {
			return
		}
	}
}

// absent is a person who opens nothing.
type absent struct{ *granttest.Person }

func (absent) Open(context.Context, grant.Visit) (func(), error) {
	return nil, errors.New("nobody is there")
}

// The redirect URI is used as it is written; only a missing port is filled in.
func TestRedirectForms(t *testing.T) {
	free := freePort(t)
	for name, tc := range map[string]struct{ uri, prefix, suffix string }{
		"no port":          {"http://127.0.0.1/cb", "http://127.0.0.1:", "/cb"},
		"port 0":           {"http://127.0.0.1:0/cb", "http://127.0.0.1:", "/cb"},
		"no path":          {"http://localhost", "http://localhost:", ""},
		"root":             {"http://localhost/", "http://localhost:", "/"},
		"a port":           {"http://127.0.0.1:" + free + "/cb", "http://127.0.0.1:" + free, "/cb"},
		"IPv6":             {"http://[::1]/cb", "http://[::1]:", "/cb"},
		"a query":          {"http://127.0.0.1/cb?tenant=7", "http://127.0.0.1:", "/cb?tenant=7"},
		"another loopback": {"http://127.0.0.2/a/b", "http://127.0.0.2:", "/a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.person.OnOpen = func(v grant.Visit) {
				target := redirectTo(v, w.srv.Consent(v.URL))
				if strings.Count(target, "?") == 2 {
					target = v.RedirectURI + "&" + strings.SplitN(target, "?", 3)[2]
				}
				w.get(target)
			}
			c := w.client(w.preset(), fmt.Sprintf("redirect_uris = [%q]", tc.uri))
			if c.Settings.RedirectURI != strings.Replace(tc.uri, ":0/", "/", 1) {
				t.Errorf("planned redirect URI = %q, want %q", c.Settings.RedirectURI, tc.uri)
			}
			g, err := c.Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			uri := w.person.Visits()[0].RedirectURI
			if !strings.HasPrefix(uri, tc.prefix) || !strings.HasSuffix(uri, tc.suffix) {
				t.Errorf("redirect URI = %q", uri)
			}
			if got := w.srv.Calls("/token")[0].Form.Get("redirect_uri"); got != uri {
				t.Errorf("the exchange names %q, the request %q", got, uri)
			}
		})
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Both loopback addresses of localhost are held, so that no other program can
// take the answer there.
func TestLocalhostHoldsBoth(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		_, port, _ := net.SplitHostPort(v.Listening)
		if l, err := net.Listen("tcp6", "[::1]:"+port); err == nil {
			_ = l.Close()
			if l, err = net.Listen("tcp6", "[::1]:0"); err == nil { // this machine has IPv6
				_ = l.Close()
				t.Error("the port is free on [::1]")
			}
		}
		w.get(redirectTo(v, w.srv.Consent(v.URL)))
	}
	g, err := w.client(w.preset(), `redirect_uris = ["http://localhost"]`).Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
}

// The answer as a form: only POST settles it.
func TestFormPost(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		if status, _ := w.get(redirectTo(v, answer)); status != http.StatusMethodNotAllowed {
			t.Errorf("GET got HTTP %d", status)
		}
		if status, _ := w.browse("POST", redirectTo(v, answer), "", url.Values{"x": {"y"}}); status != http.StatusBadRequest {
			t.Errorf("an answer in the query of a POST got HTTP %d", status)
		}
		big := url.Values{"x": {strings.Repeat("a", 1<<20)}}
		if status, _ := w.browse("POST", v.RedirectURI, "", big); status == http.StatusOK {
			t.Error("a huge form was accepted")
		}
		w.browse("POST", v.RedirectURI, "", answer)
	}
	g, err := w.client(w.preset(), `grant "authorization_code" { response_mode = "form_post" }`).Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if u, _ := url.Parse(w.person.Visits()[0].URL); u.Query().Get("response_mode") != "form_post" {
		t.Error("response_mode was not asked for")
	}
}

// Behind a proxy, the Host is that of the https redirect URI.
func TestBehindProxy(t *testing.T) {
	w := newWorld(t)
	address := "127.0.0.1:" + freePort(t)
	w.person.OnOpen = func(v grant.Visit) {
		answer := w.srv.Consent(v.URL)
		inside := "http://" + address + "/oauth/cb?" + answer.Encode()
		if status, _ := w.get(inside); status != http.StatusMisdirectedRequest {
			t.Errorf("with its own Host, the listener answered HTTP %d", status)
		}
		w.browse("GET", inside, "apps.example.com", nil)
	}
	c := w.client(w.preset(), fmt.Sprintf(`
		redirect_uris = ["https://apps.example.com/oauth/cb"]
		grant "authorization_code" { listen = %q }`, address))
	if c.Settings.Way != grant.WayBrowser {
		t.Errorf("way = %q", c.Settings.Way)
	}
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if v := w.person.Visits()[0]; v.RedirectURI != "https://apps.example.com/oauth/cb" || v.Listening != address {
		t.Errorf("visit: %q, listening on %q", v.RedirectURI, v.Listening)
	}
}

// What the browser is told follows what the caller says.
func TestBrowserLearnsTheOutcome(t *testing.T) {
	for name, tc := range map[string]struct {
		finish func(*grant.Grant)
		want   string
	}{
		"saved":     {func(g *grant.Grant) { g.Done(nil) }, "You are signed in"},
		"not saved": {func(g *grant.Grant) { g.Done(fmt.Errorf("disk full")) }, "That did not work"},
		"twice":     {func(g *grant.Grant) { g.Done(nil); g.Done(fmt.Errorf("late")) }, "You are signed in"},
		"forgotten": {func(*grant.Grant) {}, "Almost done"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			page := make(chan string, 1)
			w.consent(page)
			g, err := w.client(w.preset(), "").Authorize(context.Background(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			tc.finish(g)
			if p := <-page; !strings.Contains(p, tc.want) {
				t.Errorf("the page does not say %q: %s", tc.want, p)
			}
		})
	}
}

package grant_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
)

// stateless is a server that hands no state back.
func (w *world) stateless() *providers.Preset {
	p := w.preset()
	p.Quirks = []string{"no_state"}
	return p
}

// without is an answer as such a server gives it.
func without(answer url.Values) url.Values {
	answer.Del("state")
	return answer
}

// At a server without state an answer is bound by the redirect URI, its own query
// included, by being a navigation, and by 5 minutes. All else is ignored.
func TestListenerWithoutState(t *testing.T) {
	w := newWorld(t)
	w.person.OnOpen = func(v grant.Visit) {
		if strings.Contains(v.URL, "state=") {
			t.Errorf("a state was sent: %s", v.URL)
		}
		if left := v.Deadline.Sub(w.clock.Now()); left != 5*time.Minute {
			t.Errorf("an unbound answer is waited for %v", left)
		}
		good := without(w.srv.Consent(v.URL)).Encode()
		for name, a := range map[string]struct {
			query  string
			header http.Header
		}{
			"nothing":                  {query: ""},
			"only the URI's own query": {query: "tenant=5"},
			"without its own query":    {query: good},
			"another own query":        {query: "tenant=6&" + good},
			"its own query twice":      {query: "tenant=5&tenant=5&" + good},
			"a state of somebody else": {query: "tenant=5&state=x&" + good},
			"an error without the URI": {query: "error=access_denied"},
			"a picture":                {query: "tenant=5&" + good, header: http.Header{"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}}},
			"a frame":                  {query: "tenant=5&" + good, header: http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}}},
			"a script":                 {query: "tenant=5&" + good, header: http.Header{"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}},
		} {
			if status := w.status(base(v.RedirectURI)+"?"+a.query, a.header); status != http.StatusBadRequest {
				t.Errorf("%s: HTTP %d", name, status)
			}
		}
		if n := len(w.srv.Calls("/token")); n != 0 {
			t.Errorf("%d token requests before the real answer", n)
		}
		w.status(base(v.RedirectURI)+"?tenant=5&"+good, http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}})
	}
	c := w.client(w.stateless(), "redirect_uris = [\"http://127.0.0.1/callback?tenant=5\"]\n grant \"authorization_code\" {\n timeout = \"30m\"\n }")
	if text := strings.Join(c.Notes, " "); !strings.Contains(text, "hands no state back") || !strings.Contains(text, "within 5 minutes") || !strings.Contains(text, "could still pass off") {
		t.Errorf("the plan says %q", text)
	}
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	calls := w.srv.Calls("/token")
	if len(calls) != 1 || calls[0].Form.Get("redirect_uri") != w.person.Visits()[0].RedirectURI {
		t.Errorf("token requests: %v", calls)
	}
}

// The same for what a person pastes; a denial needs no state either.
func TestPasteWithoutState(t *testing.T) {
	for _, c := range []struct {
		name   string
		pasted func(good url.Values) []string
		kind   grant.Kind // "" is success
	}{
		{"the answer", func(good url.Values) []string { return []string{"https://app.example/cb?" + good.Encode()} }, ""},
		{"another page first", func(good url.Values) []string {
			return []string{"https://app.example/cb", "https://evil.example/cb?" + good.Encode(), "https://app.example/cb?" + good.Encode()}
		}, ""},
		{"somebody's state", func(good url.Values) []string {
			u := "https://app.example/cb?state=x&" + good.Encode()
			return []string{u, u, u}
		}, grant.Protocol},
		{"a denial", func(good url.Values) []string {
			return []string{"https://app.example/cb?" + url.Values{"error": {"access_denied"}, "iss": good["iss"]}.Encode()}
		}, grant.Denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			var texts []string
			w.person.OnPaste = func(v grant.Visit) string {
				if texts == nil {
					texts = c.pasted(without(w.srv.Consent(v.URL)))
				}
				text := texts[0]
				texts = texts[1:]
				return text
			}
			g, err := w.client(w.stateless(), `redirect_uris = ["https://app.example/cb"]`).Authorize(context.Background(), w.env())
			if c.kind != "" {
				wantError(t, err, c.kind)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
		})
	}
}

func base(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// status is what a request of the person's browser is answered with.
func (w *world) status(target string, h http.Header) int {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		w.t.Error(err)
		return 0
	}
	for name, v := range h {
		req.Header[name] = v
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		w.t.Error(err)
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

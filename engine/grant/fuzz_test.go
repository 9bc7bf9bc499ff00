package grant

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// Whatever comes to the listener: without the state nothing happens, and no page
// shows a byte of it.
func FuzzCallback(f *testing.F) {
	state := strings.Repeat("a1", 32)
	for _, q := range []string{
		"code=x&state=" + state, "code=x&state=" + state + "&iss=https://login.example", "error=access_denied&state=" + state,
		"error=access_denied", "state=" + state + "&state=" + state, "code=%00&state=" + state, "code=x;state=" + state, "%zz",
		"code=x&code=y&state=" + state, "error=<script>alert(1)</script>&error_description=%1b[2J&state=" + state,
		"code=x&realmId=1%1b[2J&state=" + state, "code=x&realmId=1&realmId=2&state=" + state,
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s := &session{doing: "authorize", state: state, issuer: "https://login.example", keep: []string{"realmId"}, party: &party{}}
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		cb, ours := s.read(v)
		if ours != (len(v["state"]) == 1 && v["state"][0] == state) {
			t.Fatalf("ours = %v for %q", ours, query)
		}
		switch {
		case !ours && (cb.err != nil || cb.code != ""):
			t.Fatal("a foreign answer has an effect")
		case ours && (cb.err == nil) == (cb.code == ""):
			t.Fatalf("neither a code nor an error, or both: %q", query)
		}
		if cb.err != nil && strings.ContainsFunc(cb.err.Error(), unicode.IsControl) {
			t.Fatalf("a control character in %q", cb.err.Error())
		}
		if kept := cb.extra["realmId"].Reveal(); len(v["realmId"]) > 1 && cb.err == nil && ours || !isPlain(kept) {
			t.Fatalf("kept %q of %q", kept, query)
		}
		if cb.code != "" && v.Has("iss") && v.Get("iss") != "https://login.example" {
			t.Fatal("the issuer was not compared")
		}

		l := &listener{session: s, path: "/cb", method: http.MethodGet, host: "127.0.0.1:1", answers: make(chan callback, 1), settled: make(chan struct{})}
		close(l.settled)
		l.outcome = pageDone
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1/cb", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		want := pageElsewhere
		if ours {
			want = pageDone
		}
		if w.Body.String() != string(pages()[want]) {
			t.Fatalf("the page is not the constant %s", want)
		}
	})
}

// Whatever a token endpoint answers: no panic, and tokens that are handed on are
// fit for a header and a line.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"a b"}`,
		`{"access_token":"a","token_type":"bearer","expires_in":"1e999","scope":["a",1]}`,
		`{"access_token":"a\u0000","token_type":"Bearer"}`, `access_token=a&token_type=bearer`, `{"error":"x","error_description":"\u001b[2J"}`,
		`{"access_token":"a","access_token":"b"}`, `{"a":`, `[]`, ``, `{"expires_in":-1e400}`, `{"expires_in":NaN}`, "\xff",
	} {
		f.Add("application/json", s)
		f.Add("application/x-www-form-urlencoded", s)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		a, err := parseAnswer(contentType, []byte(body))
		if err != nil {
			if strings.ContainsFunc(Clean(err.Error()), unicode.IsControl) {
				t.Fatalf("%q", err)
			}
			return
		}
		a.at = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		a.plain()
		g, err := a.grant(schema.Lifetimes{Access: time.Hour, Refresh: time.Hour})
		if err != nil {
			return
		}
		for _, s := range []string{g.Tokens.AccessToken.Reveal(), g.Tokens.RefreshToken.Reveal()} {
			for _, c := range []byte(s) {
				if c <= ' ' || c >= 0x7f || c == '"' && s == g.Tokens.AccessToken.Reveal() {
					t.Fatalf("token %q", s)
				}
			}
		}
		for _, at := range []time.Time{g.ExpiresAt, g.RefreshExpiresAt} {
			if !at.IsZero() && (at.Before(a.at) || at.After(a.at.Add(11*365*24*time.Hour))) {
				t.Fatalf("ends at %v", at)
			}
		}
		g.compareScopes([]string{"a"}, a.scopes(","))
		c := &Client{Preset: &providers.Preset{}, Conn: &schema.Connection{}}
		d, err := c.readDevice(a)
		if err == nil && (d.interval < defaultInterval || d.interval > maxInterval || d.life <= 0 || d.life > maxCodeLife || !isPlain(d.show.UserCode)) {
			t.Fatalf("a device answer beyond bounds: %+v", d)
		}
	})
}

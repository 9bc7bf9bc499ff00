package grant_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// The whole flow: the person is shown the code, polling keeps its pace, and one
// answer ends it.
func TestDeviceFlow(t *testing.T) {
	w := newWorld(t)
	pending := granttest.OAuthError(400, "authorization_pending", "")
	w.srv.On("/token", pending, pending)
	c := w.client(w.preset(), `
		client_secret = env("X")
		client_auth   = "client_secret_post"
		scopes        = ["files.read", "openid"]
		account       = "alice@example.com"
		resource      = ["https://a.example"]
		grant "device_code" { params = { audience = "x" } }`)
	if c.Settings.Way != grant.WayDevice || c.Settings.RedirectURI != "" {
		t.Errorf("way %q, redirect %q", c.Settings.Way, c.Settings.RedirectURI)
	}
	w.srv.Token = func(m map[string]any) {
		m["id_token"] = w.srv.Sign(map[string]any{"iss": w.srv.URL, "aud": "client-1", "sub": "sub-1", "email": "alice@example.com",
			"iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Hour).Unix()})
	}
	start := w.clock.Now()
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	g.Done(nil)
	if diff := cmp.Diff(url.Values{"client_id": {"client-1"}, "client_secret": {"s3cr3t+/:X"}, "scope": {"files.read openid"}, "audience": {"x"}, "resource": {"https://a.example"}},
		w.srv.Calls("/device")[0].Form); diff != "" {
		t.Errorf("device request (-want +have):\n%s", diff)
	}
	polls := w.srv.Calls("/token")
	if len(polls) != 3 {
		t.Fatalf("%d polls, want 3", len(polls))
	}
	if diff := cmp.Diff(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"device-1"},
		"client_id": {"client-1"}, "client_secret": {"s3cr3t+/:X"}, "resource": {"https://a.example"}}, polls[2].Form); diff != "" {
		t.Errorf("poll (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{5e9, 5e9, 5e9}, w.clock.Slept()); diff != "" {
		t.Errorf("pauses: %s", diff)
	}
	d := w.person.Codes()[0]
	if d.UserCode != "WDJB-MJHT" || d.VerificationURI != w.srv.URL+"/activate" || !d.Deadline.Equal(start.Add(10*time.Minute)) || d.Account != "alice@example.com" {
		t.Errorf("shown: %+v", d)
	}
	if g.Account != "alice@example.com" || w.person.OpenDisplays() != 0 {
		t.Errorf("account %q, %d displays open", g.Account, w.person.OpenDisplays())
	}
}

// Polling keeps to what the server asks for, within bounds, and nothing panics.
func TestDevicePolling(t *testing.T) {
	pending, slow := granttest.OAuthError(400, "authorization_pending", ""), granttest.OAuthError(400, "slow_down", "")
	const s = time.Second
	for name, tc := range map[string]struct {
		interval any
		life     any
		replies  []granttest.Reply
		kind     grant.Kind
		slept    []time.Duration
	}{
		"missing":    {nil, 600, []granttest.Reply{pending}, "", []time.Duration{5 * s, 5 * s}},
		"0":          {0, 600, []granttest.Reply{pending}, "", []time.Duration{5 * s, 5 * s}},
		"-1":         {-1, 600, []granttest.Reply{pending}, "", []time.Duration{5 * s, 5 * s}},
		"1":          {1, 600, []granttest.Reply{pending}, "", []time.Duration{s, s}},
		"0.5":        {0.5, 600, []granttest.Reply{pending}, "", []time.Duration{5 * s, 5 * s}},
		"7":          {7, 600, []granttest.Reply{pending}, "", []time.Duration{7 * s, 7 * s}},
		"huge":       {1e18, 600, []granttest.Reply{pending}, "", []time.Duration{60 * s, 60 * s}},
		"9300000000": {9300000000, 600, []granttest.Reply{pending}, "", []time.Duration{60 * s, 60 * s}},
		"a string":   {"8", 600, []granttest.Reply{pending}, "", []time.Duration{8 * s, 8 * s}},
		"words":      {"soon", 600, []granttest.Reply{pending}, "", []time.Duration{5 * s, 5 * s}},
		"slow_down":  {5, 600, []granttest.Reply{slow, pending, slow}, "", []time.Duration{5 * s, 10 * s, 10 * s, 15 * s}},
		"slow_down, new interval": {5, 600, []granttest.Reply{granttest.JSON(400, map[string]any{"error": "slow_down", "interval": 30})}, "",
			[]time.Duration{5 * s, 30 * s}},
		"slow_down from 1": {1, 600, []granttest.Reply{slow, pending}, "", []time.Duration{s, 6 * s, 6 * s}},
		"slow_down to less": {10, 600, []granttest.Reply{granttest.JSON(400, map[string]any{"error": "slow_down", "interval": 1})}, "",
			[]time.Duration{10 * s, 15 * s}},
		"network": {5, 600, []granttest.Reply{{Fault: granttest.Reset}, {Status: 503}, {Status: 502, Body: "<html>"}}, "",
			[]time.Duration{5 * s, 10 * s, 15 * s, 20 * s}},
		"429":           {5, 600, []granttest.Reply{{Status: 429, Header: map[string]string{"Retry-After": "20"}}}, "", []time.Duration{5 * s, 25 * s}},
		"error in 200":  {5, 600, []granttest.Reply{granttest.OAuthError(200, "authorization_pending", "")}, "", []time.Duration{5 * s, 5 * s}},
		"denied":        {5, 600, []granttest.Reply{granttest.OAuthError(400, "access_denied", "")}, grant.Denied, []time.Duration{5 * s}},
		"declined":      {5, 600, []granttest.Reply{granttest.OAuthError(400, "authorization_declined", "")}, grant.Denied, []time.Duration{5 * s}},
		"expired":       {5, 600, []granttest.Reply{granttest.OAuthError(400, "expired_token", "")}, grant.Expired, []time.Duration{5 * s}},
		"token_expired": {5, 600, []granttest.Reply{granttest.OAuthError(400, "token_expired", "")}, grant.Expired, []time.Duration{5 * s}},
		"bad client":    {5, 600, []granttest.Reply{granttest.OAuthError(401, "invalid_client", "")}, grant.Config, []time.Duration{5 * s}},
		"nobody comes":  {5, 12, []granttest.Reply{pending, pending, pending}, grant.Expired, []time.Duration{5 * s, 5 * s, 5 * s}},
		"HTML with 200": {5, 600, []granttest.Reply{{Body: "<html>"}}, grant.Protocol, []time.Duration{5 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			start := map[string]any{"device_code": "d", "user_code": "U", "verification_uri": w.srv.URL + "/a", "expires_in": tc.life, "interval": tc.interval}
			if tc.interval == nil {
				delete(start, "interval")
			}
			w.srv.On("/device", granttest.JSON(200, start))
			w.srv.On("/token", tc.replies...)
			_, err := w.client(w.preset(), `grant "device_code" {}`).Authorize(context.Background(), w.env())
			if tc.kind != "" {
				wantError(t, err, tc.kind)
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.slept, w.clock.Slept()); diff != "" {
				t.Errorf("pauses (-want +have):\n%s", diff)
			}
		})
	}
}

// What the person would be shown is checked first.
func TestDeviceAnswerRefused(t *testing.T) {
	good := func(w *world) map[string]any {
		return map[string]any{"device_code": "d", "user_code": "ABCD", "verification_uri": w.srv.URL + "/a", "verification_uri_complete": w.srv.URL + "/a?c=ABCD"}
	}
	for name, tc := range map[string]struct {
		change func(map[string]any)
		words  string // "" if it is accepted
	}{
		"as it should be":          {func(map[string]any) {}, ""},
		"verification_url":         {func(m map[string]any) { m["verification_url"] = m["verification_uri"]; delete(m, "verification_uri") }, ""},
		"complete is dangerous":    {func(m map[string]any) { m["verification_uri_complete"] = "javascript:alert(1)" }, ""},
		"plain http":               {func(m map[string]any) { m["verification_uri"] = "http://login.example/a" }, "verification_uri"},
		"credentials":              {func(m map[string]any) { m["verification_uri"] = "https://login.example@evil.example/" }, "verification_uri"},
		"escape in the URL":        {func(m map[string]any) { m["verification_uri"] = "https://login.example/\x1b[2J" }, "verification_uri"},
		"bidi in the URL":          {func(m map[string]any) { m["verification_uri"] = "https://login.example/\u202e" }, "verification_uri"},
		"IDN":                      {func(m map[string]any) { m["verification_uri"] = "https://lоgin.example/" }, "verification_uri"},
		"shell characters":         {func(m map[string]any) { m["verification_uri"] = "https://login.example/`id`" }, "verification_uri"},
		"a program":                {func(m map[string]any) { m["verification_uri"] = "ms-msdt:/x" }, "verification_uri"},
		"escape in the code":       {func(m map[string]any) { m["user_code"] = "A\x1b[2J" }, "user code"},
		"code with a line break":   {func(m map[string]any) { m["user_code"] = "A\nvisit evil" }, "user code"},
		"no user code":             {func(m map[string]any) { delete(m, "user_code") }, "user code"},
		"no device code":           {func(m map[string]any) { delete(m, "device_code") }, "device code"},
		"user code beyond measure": {func(m map[string]any) { m["user_code"] = strings.Repeat("A", 200) }, "user code"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := good(w)
			tc.change(m)
			w.srv.On("/device", granttest.JSON(200, m))
			g, err := w.client(w.preset(), `grant "device_code" {}`).Authorize(context.Background(), w.env())
			if tc.words != "" {
				wantError(t, err, grant.Protocol, tc.words)
				if len(w.person.Codes()) != 0 {
					t.Error("the person was shown it")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g.Done(nil)
			if c := w.person.Codes()[0].VerificationURIComplete; strings.Contains(c, "script") {
				t.Errorf("complete = %q", c)
			}
		})
	}
}

// A refusal to start is explained; Ctrl-C ends the wait.
func TestDeviceEnds(t *testing.T) {
	w := newWorld(t)
	w.srv.On("/device", granttest.OAuthError(400, "unauthorized_client", "device flow is off"))
	_, err := w.client(w.preset(), `grant "device_code" {}`).Authorize(context.Background(), w.env())
	wantError(t, err, grant.Config, "unauthorized_client", "device flow is off", "/device")

	ctx, cancel := context.WithCancel(context.Background())
	w.person.OnCode = func(grant.DeviceCode) { cancel() }
	env := w.env()
	env.Sleep = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
	_, err = w.client(w.preset(), `grant "device_code" {}`).Authorize(ctx, env)
	wantError(t, err, grant.Interrupted, "nothing was changed")
	if n := len(w.srv.Calls("/token")); n != 0 {
		t.Errorf("%d polls", n)
	}
}

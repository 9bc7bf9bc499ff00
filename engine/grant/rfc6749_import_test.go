package grant_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
)

// imports answers the refresh with these members and sends an old token.
func (w *world) imports(body string, members map[string]any) (*grant.Grant, error) {
	w.t.Helper()
	all := map[string]any{"access_token": "new", "token_type": "Bearer", "expires_in": 3600}
	for k, v := range members {
		all[k] = v
	}
	w.srv.On("/token", granttest.JSON(200, all))
	c := w.client(w.preset(), body)
	if err := c.Prepare(context.Background(), w.env()); err != nil {
		w.t.Fatal(err)
	}
	return c.Import(context.Background(), w.env(), "old-refresh")
}

func (w *world) idToken(email string) string {
	now := w.clock.Now()
	return w.srv.Sign(map[string]any{
		"iss": w.srv.URL, "aud": "client-1", "sub": "7", "email": email, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
}

// No scopes are asked for, so that the token keeps those it has; fewer than the
// configuration wants are a warning.
func TestImportAsksForNoScopes(t *testing.T) {
	w := newWorld(t)
	g, err := w.imports(`scopes = ["read", "write"]`, map[string]any{"scope": "read"})
	if err != nil {
		t.Fatal(err)
	}
	form := w.srv.Calls("/token")[0].Form
	if diff := cmp.Diff(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"old-refresh"}, "client_id": {"client-1"}}, form); diff != "" {
		t.Errorf("request (-want +have):\n%s", diff)
	}
	if g.Tokens.RefreshToken != "old-refresh" || !g.RefreshExpiresAt.IsZero() {
		t.Errorf("a token that was not replaced: ends %s", g.RefreshExpiresAt)
	}
	if diff := cmp.Diff([]string{"not all scopes were granted: the server left out write"}, g.Warnings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"read"}, g.Granted); diff != "" {
		t.Error(diff)
	}
}

// An ID token is not bound to come, and is verified if it does: whose it is
// decides, without a question to the userinfo endpoint.
func TestImportVerifiesWhoseTokenItIs(t *testing.T) {
	const openid = "scopes = [\"openid\"]\n"
	for name, tc := range map[string]struct {
		body    string
		token   func(w *world) string
		kind    grant.Kind
		account string
	}{
		"none comes":         {openid, func(*world) string { return "" }, "", ""},
		"hers":               {openid + `account = "alice@example.com"`, func(w *world) string { return w.idToken("alice@example.com") }, "", "alice@example.com"},
		"says who":           {openid, func(w *world) string { return w.idToken("bob@example.com") }, "", "bob@example.com"},
		"of another person":  {openid + `account = "carol@example.com"`, func(w *world) string { return w.idToken("bob@example.com") }, grant.Account, ""},
		"signed by somebody": {openid, func(w *world) string { return granttest.New(w.t, w.clock.Now).Sign(map[string]any{"iss": w.srv.URL}) }, grant.Protocol, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			members := map[string]any{"refresh_token": "next-refresh"}
			if raw := tc.token(w); raw != "" {
				members["id_token"] = raw
			}
			w.srv.On("/userinfo", granttest.JSON(200, map[string]any{"sub": "7", "email": "bob@example.com"}))
			g, err := w.imports(tc.body, members)
			if tc.kind != "" {
				wantError(t, err, tc.kind)
				if g == nil || g.Tokens.RefreshToken != "next-refresh" {
					t.Error("the answer is not there to say what became of the token")
				}
			} else if err != nil || g.Account != tc.account {
				t.Errorf("account %q, error %v", g.Account, err)
			}
			if n := len(w.srv.Calls("/revoke")); n != 0 {
				t.Errorf("revoked %d times", n)
			}
		})
	}
}

// One failure of the network must not cost a token that was replaced.
func TestImportAsksAgainWhoseTokenItIs(t *testing.T) {
	w := newWorld(t)
	w.srv.On("/userinfo", granttest.Reply{Fault: granttest.Close}, granttest.JSON(200, map[string]any{"sub": "7", "email": "alice@example.com"}))
	g, err := w.imports(`account = "alice@example.com"`, nil)
	if err != nil || g.Account != "alice@example.com" {
		t.Errorf("error %v", err)
	}
	if n := len(w.srv.Calls("/userinfo")); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestImportThatIsInterruptedBeforeSendsNothing(t *testing.T) {
	w := newWorld(t)
	c := w.client(w.preset(), `scopes = ["read"]`)
	if err := c.Prepare(context.Background(), w.env()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Import(ctx, w.env(), "old-refresh")
	if e := wantError(t, err, grant.Interrupted); e.Outcome != grant.NotSent || len(w.srv.Calls("/token")) != 0 {
		t.Errorf("%+v", e)
	}
}

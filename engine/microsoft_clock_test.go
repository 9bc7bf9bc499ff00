package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

const spa = `
  application_type = "spa"
  scopes           = ["User.Read"]
  redirect_uris    = ["http://localhost"]
  token_lifetimes {
    refresh = "90d" # in vain
  }`

// refresh-tokens: a refresh token of a single-page application ends 24 hours
// after the sign-in, and use does not move that.
func TestSinglePageEndsAfterADay(t *testing.T) {
	i := newImitated(t, microsoft(spa))
	p := i.plan(i.cfg, plan.Options{})
	if c := p.Changes[0]; c.Refresh != 24*time.Hour || !strings.Contains(strings.Join(c.Notes, " "), "24 hours after the consent") {
		t.Errorf("the plan says %v and %q", c.Refresh, c.Notes)
	}
	i.connect()
	end := i.clock.now().Add(24 * time.Hour)
	for range 11 {
		i.clock.pass(2 * time.Hour)
		i.token(graph, engine.TokenOptions{})
		if got := i.record(graph).RefreshExpiresAt; !got.Equal(end) {
			t.Fatalf("after a refresh the consent ends at %v, not %v", got, end)
		}
		i.quiet()
	}
	i.clock.pass(2 * time.Hour)
	if c := i.plan(i.cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !slices.Contains(c.Reasons, plan.ReasonRefreshEnded) {
		t.Errorf("at the end: %s %v", c.Action, c.Reasons)
	}
	err := i.dead(graph)
	if !strings.Contains(err.Error(), "AADSTS700084") || !strings.Contains(err.Error(), "24 hours after the sign-in") {
		t.Errorf("%v", err)
	}
}

// dead insists that token fails because a person has to consent, twice, and
// that the second time nothing is sent.
func (i *imitated) dead(a addr.Addr) error {
	i.t.Helper()
	i.wire()
	_, err := i.engine.Token(i.ctx, a, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !errors.Is(err, engine.ErrConsentEnded) {
		i.t.Fatalf("%s: %v", class(err), err)
	}
	if n := strings.Count(i.wire(), "POST"); n != 1 {
		i.t.Errorf("%d requests", n)
	}
	if r := i.record(a); r.Status != state.StatusNeedsConsent || r.Tokens.RefreshToken.Empty() {
		i.t.Errorf("status %s, refresh token kept: %t", r.Status, !r.Tokens.RefreshToken.Empty())
	}
	_, again := i.engine.Token(i.ctx, a, engine.TokenOptions{})
	if class(again) != engine.ClassNeedsUser || i.wire() != "" {
		i.t.Errorf("again: %v", again)
	}
	for _, e := range []error{err, again} {
		for _, want := range []string{a.String(), "at Microsoft Entra ID has to be renewed", "invalid_grant", "run: oauthctl apply -target='" + a.String() + "'"} {
			if !strings.Contains(e.Error(), want) {
				i.t.Errorf("want %q in %q", want, e)
			}
		}
		for _, raw := range []string{"Trace", "trace id", "Correlation", "{", "fresh auth token", "due to inactivity."} {
			if strings.Contains(e.Error(), raw) {
				i.t.Errorf("the server's text is in %q", e)
			}
		}
	}
	return err
}

// A refresh token that the server refuses is explained by us.
func TestMicrosoftRefreshRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		kill       func(*imitated)
	}{
		{"not used for 90 days", "AADSTS700082", func(i *imitated) { i.clock.pass(90 * 24 * time.Hour) }},
		{"revoked, or the password changed", "AADSTS50173", func(i *imitated) {
			if err := i.box.EndSessions(i.preset(graph), "alice@contoso.com"); err != nil {
				t.Fatal(err)
			}
			i.clock.pass(2 * time.Hour)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newImitated(t, microsoft(`
  scopes        = ["User.Read"]
  redirect_uris = ["http://localhost"]
  account       = "alice@contoso.com"`))
			i.connect()
			c.kill(i)
			err := i.dead(graph)
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the consent of alice@contoso.com at Microsoft Entra ID") {
				t.Errorf("want %s in %v", c.want, err)
			}
			i.connect() // a person consents again, and all is well
			i.token(graph, engine.TokenOptions{})
			i.quiet()
		})
	}
}

// Ninety days begin anew with every refresh, so that a connection in use never
// needs a person again.
func TestNinetyDaysOfIdling(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]"))
	i.connect()
	first := i.record(graph).Tokens.RefreshToken
	for range 12 {
		i.clock.pass(89 * 24 * time.Hour)
		i.token(graph, engine.TokenOptions{})
		if got := i.record(graph).RefreshExpiresAt.Sub(i.clock.now()); got != 90*24*time.Hour {
			t.Fatalf("the consent ends in %v", got)
		}
		i.quiet()
	}
	if i.record(graph).Tokens.RefreshToken.Equal(first) {
		t.Error("the refresh token was not replaced")
	}
	if n := len(i.page.visits); n != 1 {
		t.Errorf("%d consents", n)
	}
	i.clock.pass(90 * 24 * time.Hour)
	if c := i.plan(i.cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || !c.NeedsUser {
		t.Errorf("after 90 days: %s", c.Action)
	}
}

// refresh-tokens: the previous refresh token stays valid, so that an answer that
// is lost costs nothing.
func TestMicrosoftAnswerLost(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]"))
	i.connect()
	i.box.Inject(sandbox.Fault{Role: sandbox.RoleRefresh, Kind: sandbox.FaultDrop, After: true})
	i.clock.pass(2 * time.Hour)
	if _, err := i.engine.Token(i.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Fatalf("%v", err)
	}
	i.clock.pass(2 * time.Minute)
	i.token(graph, engine.TokenOptions{})
}

// customer-subdomains.md: a token that ends within five minutes counts as
// expired; it is never refreshed later than that, and not before ten.
func TestFiveMinuteMargin(t *testing.T) {
	i := newImitated(t, microsoft("\n  scopes = [\"User.Read\"]\n  token_lifetimes {\n    refresh_before = \"5m\"\n  }"))
	i.connect()
	left := i.record(graph).ExpiresAt.Sub(i.clock.now())
	if left < time.Hour || left > 90*time.Minute {
		t.Errorf("the access token lives for %v", left)
	}
	i.clock.pass(left - 10*time.Minute - time.Second)
	if i.token(graph, engine.TokenOptions{}).Refreshed {
		t.Error("refreshed before the margin")
	}
	i.clock.pass(5*time.Minute + time.Second)
	if !i.token(graph, engine.TokenOptions{}).Refreshed {
		t.Error("not refreshed in the margin")
	}
}

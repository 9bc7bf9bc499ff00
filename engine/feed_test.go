package engine_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// fedChain is a chain of connections that nobody consents to: each presents the
// token of the one before it.
const fedChain = acme + `
connection "gateway" {
  provider      = "acme"
  client_id     = "gateway"
  client_secret = env("GATEWAY")
  grant "client_credentials" {}
}
locals { upstream = connection.gateway.access_token }
connection "mid" {
  provider  = "acme"
  client_id = "mid"
  grant "token_exchange" { subject_token = local.upstream }
}
connection "down" {
  provider  = "acme"
  client_id = "down"
  scopes    = ["read"]
  grant "token_exchange" {
    subject_token = connection.mid.access_token
    audience      = ["orders"]
  }
}
`

// fedByPerson is a connection that presents the token of a person's.
const fedByPerson = one + `
connection "down" {
  provider  = "acme"
  client_id = "down"
  grant "jwt_bearer" { assertion = connection.graph.access_token }
}
`

var gateway, mid, down = addr.Connection("gateway"), addr.Connection("mid"), addr.Connection("down")

const exchanging = "token urn:ietf:params:oauth:grant-type:token-exchange "

// fedKit has applied a configuration at a server that gives no refresh tokens.
func fedKit(t *testing.T, text string) *kit {
	t.Helper()
	k := newKit(t)
	k.server.bare = true
	k.applied(text)
	return k
}

func requests(did []string) []string {
	var out []string
	for _, l := range did {
		if strings.HasPrefix(l, "token ") {
			out = append(out, l)
		}
	}
	return out
}

// A renewal knows from the state alone what feeds a connection, and renews that
// first; what is presented is the token that came of it.
func TestFedConnectionsAreRenewedInOrder(t *testing.T) {
	k := fedKit(t, fedChain)
	if rec := k.record(down); !rec.Tokens.SubjectToken.Empty() || rec.Info.Exchange.Subject.Connection != "connection.mid" {
		t.Fatalf("the state keeps %+v", rec.Info.Exchange)
	}
	k.clock.pass(2 * time.Hour)
	var presented []string
	k.server.setFault(func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if s := form.Get("subject_token"); s != "" {
			presented = append(presented, form.Get("client_id")+" "+s)
		}
		return false
	})
	tok := k.token(down, engine.TokenOptions{})
	want := []string{"token client_credentials gateway", exchanging + "mid", exchanging + "down"}
	if diff := cmp.Diff(want, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
	fed := []string{"mid " + k.record(gateway).Tokens.AccessToken.Reveal(), "down " + k.record(mid).Tokens.AccessToken.Reveal()}
	if diff := cmp.Diff(fed, presented); diff != "" {
		t.Errorf("presented (-want +have):\n%s", diff)
	}
	if !tok.Refreshed || !k.record(down).Tokens.AccessToken.Equal(tok.AccessToken) {
		t.Errorf("%+v", tok)
	}
	// What is still valid upstream is only read.
	k.token(down, engine.TokenOptions{ForceRefresh: true})
	if diff := cmp.Diff([]string{exchanging + "down"}, requests(k.server.journal.take())); diff != "" {
		t.Errorf("forced (-want +have):\n%s", diff)
	}
}

// Fifty callers at both ends of the chain cause one renewal of each link.
func TestManyCallersRenewAChainOnce(t *testing.T) {
	k := fedKit(t, fedChain)
	k.clock.pass(2 * time.Hour)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			of := []addr.Addr{down, mid, gateway}[i%3]
			if _, err := k.engine.Token(k.ctx, of, engine.TokenOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	did := requests(k.server.journal.take())
	for _, client := range []string{"gateway", "mid", "down"} {
		n := 0
		for _, l := range did {
			if strings.HasSuffix(l, " "+client) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d requests for %s: %v", n, client, did)
		}
	}
}

// While a connection waits for what feeds it, nobody waits for its lock.
func TestNoLockIsHeldWhileOthersAreRenewed(t *testing.T) {
	k := fedKit(t, fedChain)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form.Get("client_id") != "gateway" {
			return false
		}
		for _, a := range []addr.Addr{mid, down} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			unlock, err := k.store.Lock(ctx, a, "test")
			cancel()
			if err != nil {
				t.Errorf("%s is locked while it waits: %v", a, err)
				continue
			}
			unlock()
		}
		return false
	})
	k.token(down, engine.TokenOptions{})
}

func TestCircleOfFedConnectionsIsRefused(t *testing.T) {
	k := fedKit(t, fedChain)
	rec := k.record(mid)
	x := *rec.Info.Exchange
	x.Subject.Connection = down.String()
	rec.Info.Exchange = &x
	if err := k.store.Put(k.ctx, rec); err != nil {
		t.Fatal(err)
	}
	k.clock.pass(2 * time.Hour)
	_, err := k.engine.Token(k.ctx, down, engine.TokenOptions{})
	if class(err) != engine.ClassError || !strings.Contains(err.Error(), "connection.down waits for connection.mid waits for connection.down") {
		t.Errorf("%s: %v", class(err), err)
	}
	if did := requests(k.server.journal.take()); len(did) > 0 {
		t.Errorf("did %v", did)
	}
	if out, err := k.engine.Refresh(k.ctx, nil); err != nil || len(out.Results) != 3 {
		t.Errorf("a refresh of all does not end well: %v", err)
	}
}

func TestWhatFeedsAConnectionIsMissing(t *testing.T) {
	k := fedKit(t, fedChain)
	rec := k.record(gateway)
	if err := k.store.Delete(k.ctx, gateway, rec.Generation); err != nil {
		t.Fatal(err)
	}
	k.clock.pass(2 * time.Hour)
	_, err := k.engine.Token(k.ctx, mid, engine.TokenOptions{})
	if class(err) != engine.ClassError || !strings.Contains(err.Error(), "connection.gateway, which feeds it, is not in the state") ||
		!strings.Contains(err.Error(), "oauthctl apply -target='connection.mid'") {
		t.Errorf("%s: %v", class(err), err)
	}
}

// A person who has to consent upstream is needed downstream, and it is said where.
func TestPersonIsNeededUpstream(t *testing.T) {
	k := newKit(t)
	k.applied(fedByPerson)
	k.server.mu.Lock()
	clear(k.server.live) // the server forgets every refresh token
	k.server.mu.Unlock()
	rec := k.record(down)
	rec.Tokens.RefreshToken = ""
	if err := k.store.Put(k.ctx, rec); err != nil {
		t.Fatal(err)
	}
	k.clock.pass(2 * time.Hour)
	k.server.journal.take()
	for range 2 { // at once, and from what the state remembers
		_, err := k.engine.Token(k.ctx, down, engine.TokenOptions{})
		if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), "connection.graph, which feeds it") || !strings.Contains(err.Error(), "-target='connection.graph'") {
			t.Errorf("%s: %v", class(err), err)
		}
	}
	if diff := cmp.Diff([]string{"token refresh_token app"}, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
	if rec := k.record(down); rec.Status != state.StatusOK {
		t.Errorf("the connection itself is marked %s", rec.Status)
	}
}

// A server that wants the owner of the token to sign in again means a person,
// and a token that it does not take is no reason to ask the one who feeds it.
func TestPresentedTokenIsRefused(t *testing.T) {
	for code, want := range map[string]struct {
		class engine.Class
		words string
	}{
		"interaction_required": {engine.ClassNeedsUser, "oauthctl apply -replace='connection.graph'"},
		"invalid_grant":        {engine.ClassError, "oauthctl refresh 'connection.graph'"},
	} {
		k := newKit(t)
		k.server.bare = true
		k.applied(fedByPerson)
		k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
			oauthError(w, http.StatusBadRequest, code)
			return true
		})
		_, err := k.engine.Token(k.ctx, down, engine.TokenOptions{ForceRefresh: true})
		if class(err) != want.class || !strings.Contains(err.Error(), want.words) {
			t.Errorf("%s: %s: %v", code, class(err), err)
		}
		if rec := k.record(down); rec.Status != state.StatusOK || rec.Info.Reject == nil {
			t.Errorf("%s: %s, %v", code, rec.Status, rec.Info.Reject)
		}
	}
}

// A refresh token that came with an exchange is used as any other. When it ends,
// the token is presented again, and nobody is asked.
func TestRefreshTokenOfAnExchange(t *testing.T) {
	k := newKit(t)
	k.applied(fedByPerson)
	k.token(down, engine.TokenOptions{ForceRefresh: true})
	if diff := cmp.Diff([]string{"token refresh_token down"}, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
	k.server.mu.Lock()
	for token, client := range k.server.live {
		if client == "down" {
			delete(k.server.live, token)
		}
	}
	k.server.mu.Unlock()
	k.token(down, engine.TokenOptions{ForceRefresh: true})
	want := []string{"token refresh_token down", "token urn:ietf:params:oauth:grant-type:jwt-bearer down"}
	if diff := cmp.Diff(want, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
	if rec := k.record(down); rec.Status != state.StatusOK || rec.Info.Intent != nil || rec.Tokens.RefreshToken.Empty() {
		t.Errorf("%s, %v", rec.Status, rec.Info.Intent)
	}
}

// A refresh of everything goes down the chain.
func TestRefreshOfAllGoesDownTheChain(t *testing.T) {
	k := fedKit(t, fedChain)
	if _, err := k.engine.Refresh(k.ctx, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"token client_credentials gateway", exchanging + "mid", exchanging + "down"}
	if diff := cmp.Diff(want, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
}

// An ID token ends on its own: one that has is renewed with its connection first,
// and if no other comes of it, a person is needed.
func TestEndedIDTokenIsRenewed(t *testing.T) {
	jwt := func(ends time.Time) secret.Secret {
		claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, ends.Unix()))
		return secret.Secret("e30." + claims + ".c2ln")
	}
	k := newKit(t)
	k.applied(fedByPerson)
	rec, up := k.record(down), k.record(graph)
	x := *rec.Info.Exchange
	x.Subject.Attribute = "id_token"
	rec.Info.Exchange, rec.Tokens.RefreshToken = &x, ""
	up.Tokens.IDToken = jwt(k.clock.now().Add(-time.Minute))
	for _, r := range []*state.Record{rec, up} {
		if err := k.store.Put(k.ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	_, err := k.engine.Token(k.ctx, down, engine.TokenOptions{ForceRefresh: true})
	if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), "ID token of connection.graph") {
		t.Errorf("%s: %v", class(err), err)
	}
	if diff := cmp.Diff([]string{"token refresh_token app"}, requests(k.server.journal.take())); diff != "" {
		t.Errorf("requests (-want +have):\n%s", diff)
	}
	up = k.record(graph)
	up.Tokens.IDToken = jwt(k.clock.now().Add(time.Hour))
	if err := k.store.Put(k.ctx, up); err != nil {
		t.Fatal(err)
	}
	k.token(down, engine.TokenOptions{ForceRefresh: true})
}

// The plan compares what it can: a token that comes with the state is no reason
// to ask again, another audience is, and so is a new grant of what feeds it.
func TestPlanOfFedConnections(t *testing.T) {
	k := fedKit(t, fedChain)
	k.token(gateway, engine.TokenOptions{ForceRefresh: true})
	if p := k.plan(k.config(fedChain), plan.Options{}); !p.Empty() {
		t.Errorf("a renewed token is no change: %+v", p.Changes)
	}
	for name, tc := range map[string]struct {
		old, new string
		options  plan.Options
		want     map[string]string
	}{
		"audience": {`["orders"]`, `["invoices"]`, plan.Options{}, map[string]string{"down": "reauthorize [grant_changed]"}},
		"source": {"connection.mid.access_token", "connection.gateway.access_token", plan.Options{},
			map[string]string{"down": "reauthorize [grant_changed]"}},
		"what feeds it": {`client_id     = "gateway"`, `client_id     = "gateway-2"`, plan.Options{}, map[string]string{
			"gateway": "reauthorize [client_changed]", "mid": "reauthorize [dependency_changed]", "down": "reauthorize [dependency_changed]"}},
		"replaced": {"", "", plan.Options{Replace: []addr.Addr{mid}}, map[string]string{
			"mid": "reauthorize [requested]", "down": "reauthorize [dependency_changed]"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, c := range k.plan(k.config(strings.Replace(fedChain, tc.old, tc.new, 1)), tc.options).Changes {
				if c.NeedsUser || c.Way != "" {
					t.Errorf("%s needs a person", c.Addr)
				}
				if c.Action != plan.NoOp {
					got[c.Addr.Short()] = fmt.Sprint(c.Action, " ", c.Reasons)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +have):\n%s", diff)
			}
		})
	}
}

// A literal token is kept sealed, and one of the environment is not kept at all.
func TestWhereAPresentedTokenIsKept(t *testing.T) {
	const text = acme + `
connection "down" {
  provider  = "acme"
  client_id = "down"
  grant "token_exchange" { SOURCE }
}
`
	now := "first"
	for source, kept := range map[string]secret.Secret{`subject_token = env("CI_JWT")`: "secret-ci_jwt", `subject_token_env = "CI_JWT"`: ""} {
		k := newKit(t)
		k.server.bare = true
		k.options.LookupEnv = func(string) (string, bool) { return now, true }
		k.engine = engine.New(k.options)
		k.applied(strings.Replace(text, "SOURCE", source, 1))
		if rec := k.record(down); !rec.Tokens.SubjectToken.Equal(kept) {
			t.Errorf("%s: kept %q", source, rec.Tokens.SubjectToken.Reveal())
		}
		now = "second"
		var presented string
		k.server.setFault(func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
			presented = form.Get("subject_token")
			return false
		})
		k.token(down, engine.TokenOptions{ForceRefresh: true})
		if want := string(kept); kept != "" && presented != want || kept == "" && presented != "second" {
			t.Errorf("%s: presented %q", source, presented)
		}
	}
}

package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

func TestTokenIsReadWithoutAnything(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.fail("lock", errors.New("a valid token needs no lock"))
	tok := k.token(graph, engine.TokenOptions{})
	if tok.AccessToken != "access-1" || tok.Refreshed || tok.Warning != "" {
		t.Errorf("%+v", tok)
	}
	if did := k.server.journal.take(); len(did) > 0 {
		t.Errorf("did %v", did)
	}
}

// Looked at, proven writable, intent written, sent once, saved: in this order.
func TestRefreshHasAnOrder(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	tok := k.token(graph, engine.TokenOptions{})
	k.server.journal.add("handed out")
	if tok.AccessToken != "access-2" || !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
	want := []string{"probe", "write", "token refresh_token app", "write", "handed out"}
	if diff := cmp.Diff(want, k.server.journal.take()); diff != "" {
		t.Error(diff)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-2" || rec.Info.Intent != nil || rec.Info.ConfigSerial != 1 {
		t.Errorf("record %+v", rec.Info)
	}
}

func TestTokensThatDoNotRotateNeedNoIntent(t *testing.T) {
	k := newKit(t)
	k.server.keep = true
	k.applied(strings.Replace(one, "single_use", "none", 1))
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	if diff := cmp.Diff([]string{"probe", "token refresh_token app", "write"}, k.server.journal.take()); diff != "" {
		t.Error(diff)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-1" {
		t.Errorf("the refresh token that was not sent again is lost: %q", rec.Tokens.RefreshToken.Reveal())
	}
}

func TestClientCredentialsAskAgain(t *testing.T) {
	k := newKit(t)
	k.applied(two)
	k.clock.pass(2 * time.Hour)
	if tok := k.token(addr.Connection("worker"), engine.TokenOptions{}); !tok.Refreshed || tok.Scopes[0] != "work" {
		t.Errorf("%+v", tok)
	}
}

func TestMinTTLAndForce(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	for _, c := range []struct {
		name   string
		o      engine.TokenOptions
		expect bool
	}{
		{"valid for longer than asked", engine.TokenOptions{MinTTL: 30 * time.Minute}, false},
		{"not valid for as long as asked", engine.TokenOptions{MinTTL: 2 * time.Hour}, true},
		{"forced", engine.TokenOptions{ForceRefresh: true}, true},
		{"plain", engine.TokenOptions{}, false},
	} {
		if tok := k.token(graph, c.o); tok.Refreshed != c.expect {
			t.Errorf("%s: refreshed %t", c.name, tok.Refreshed)
		}
	}
}

// Some servers hand out one token for as long as it lives. Whoever forced a
// refresh because that token is no good has to know.
func TestSameTokenAgain(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"access-1","token_type":"Bearer","expires_in":1799}`))
		return true
	})
	if tok := k.token(graph, engine.TokenOptions{ForceRefresh: true}); !strings.Contains(tok.Warning, "same access token") {
		t.Errorf("%+v", tok)
	}
}

func TestManyCallersRefreshOnce(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	tokens := callAll(t, 50, func(int) *engine.Engine { return k.engine })
	if n := count(k.server.journal.take(), "token refresh_token"); n != 1 || len(tokens) != 1 {
		t.Errorf("%d refreshes, %d different tokens", n, len(tokens))
	}
}

func TestTwoEnginesOverOneFileRefreshOnce(t *testing.T) {
	k := newKit(t)
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	var engines [2]*engine.Engine
	for i := range engines {
		b, err := sqlite.Open(path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := k.options
		o.Store = k.open(b)
		engines[i] = engine.New(o)
		if i == 0 {
			k.store, k.engine = o.Store, engines[0]
		}
	}
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	tokens := callAll(t, 50, func(i int) *engine.Engine { return engines[i%2] })
	if n := count(k.server.journal.take(), "token refresh_token"); n != 1 || len(tokens) != 1 {
		t.Errorf("%d refreshes, %d different tokens", n, len(tokens))
	}
}

// callAll asks for a token from many goroutines and counts what they got.
func callAll(t *testing.T, n int, of func(int) *engine.Engine) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	for i := range n {
		wg.Go(func() {
			tok, err := of(i).Token(t.Context(), graph, engine.TokenOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got[tok.AccessToken.Reveal()]++
		})
	}
	wg.Wait()
	return got
}

// Whoever waits for a refresh that was under way when they came is served by it.
func TestForcedCallersShareARefreshUnderWay(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	sent, waiting := make(chan struct{}), make(chan struct{})
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		close(sent)
		<-waiting
		return false
	})
	var wg sync.WaitGroup
	force := func() {
		if tok, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true}); err != nil || tok.AccessToken != "access-2" {
			t.Errorf("%+v, %v", tok, err)
		}
	}
	wg.Go(force)
	<-sent
	k.watch("lock", sync.OnceFunc(func() { close(waiting) }))
	wg.Go(force)
	wg.Wait()
	if n := count(k.server.journal.take(), "token refresh_token"); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestInvalidGrantNeedsConsentAndDeletesNothing(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.live = map[string]string{}
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), "oauthctl apply -target='connection.graph'") {
		t.Errorf("error %v", err)
	}
	rec := k.record(graph)
	if rec.Status != state.StatusNeedsConsent || rec.Tokens.RefreshToken != "refresh-1" || rec.Info.Intent != nil {
		t.Errorf("status %s, refresh token %q", rec.Status, rec.Tokens.RefreshToken.Reveal())
	}
	k.server.journal.take()
	if _, err = k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassNeedsUser {
		t.Errorf("error %v", err)
	}
	if did := k.server.journal.take(); len(did) > 0 {
		t.Errorf("a token that is dead was sent again: %v", did)
	}
	if c := k.plan(cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || c.Reasons[0] != plan.ReasonRefreshRejected {
		t.Errorf("plan %+v", c)
	}
	if r := k.apply(cfg, plan.Options{}).Results[0]; r.State != engine.Done {
		t.Fatal(r.Err)
	}
	k.token(graph, engine.TokenOptions{})
}

// The refusal may be about bytes that somebody else has replaced meanwhile.
func TestInvalidGrantAdoptsWhatAnotherProcessSaved(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		rec := k.record(graph)
		rec.Tokens.AccessToken, rec.Tokens.RefreshToken = "access-other", "refresh-other"
		rec.ExpiresAt, rec.Info.ReceivedAt, rec.Info.Intent = k.clock.now().Add(time.Hour), k.clock.now(), nil
		if err := k.store.Put(context.Background(), rec); err != nil {
			t.Error(err)
		}
		oauthError(w, http.StatusBadRequest, "invalid_grant")
		return true
	})
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-other" {
		t.Errorf("token %q", tok.AccessToken.Reveal())
	}
	if rec := k.record(graph); rec.Status != state.StatusOK {
		t.Errorf("status %s", rec.Status)
	}
}

// A consent that is saved while a refresh is under way is worth more.
func TestRefreshDoesNotOverwriteANewConsent(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		rec := k.record(graph)
		rec.Tokens.AccessToken, rec.Tokens.RefreshToken = "access-new", "refresh-new"
		if err := k.store.Put(context.Background(), rec); err != nil {
			t.Error(err)
		}
		return false
	})
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-new" {
		t.Errorf("token %q", tok.AccessToken.Reveal())
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-new" {
		t.Errorf("refresh token %q", rec.Tokens.RefreshToken.Reveal())
	}
}

func TestConnectionRemovedDuringARefreshStaysRemoved(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(_ http.ResponseWriter, _ *http.Request, form url.Values) bool {
		if form.Get("grant_type") == "refresh_token" {
			if err := k.store.Delete(context.Background(), graph, k.record(graph).Generation); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("error %v", err)
	}
	if _, err := k.store.Get(k.ctx, graph, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("it came back: %v", err)
	}
	if diff := cmp.Diff([]string{"refresh-2"}, k.server.revoked); diff != "" {
		t.Errorf("the late token lives on: %s", diff)
	}
}

func TestTokenThatIsNotThere(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	_, err := k.engine.Token(k.ctx, addr.Connection("grap"), engine.TokenOptions{})
	if class(err) != engine.ClassError || !strings.Contains(err.Error(), "did you mean graph?") {
		t.Errorf("error %v", err)
	}
}

func TestTokenWithoutRefreshToken(t *testing.T) {
	k := newKit(t)
	k.server.bare = true
	cfg := k.applied(one)
	k.clock.pass(58 * time.Minute)
	if tok := k.token(graph, engine.TokenOptions{}); tok.Warning == "" {
		t.Errorf("%+v", tok)
	}
	k.clock.pass(time.Hour)
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassNeedsUser {
		t.Errorf("error %v", err)
	}
	if c := k.plan(cfg, plan.Options{}).Changes[0]; c.Action != plan.Reauthorize || c.Reasons[0] != plan.ReasonNoRefreshToken || !c.NeedsUser {
		t.Errorf("plan %+v", c)
	}
}

func TestNoKeyIsAStateError(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	var err error
	if k.id, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	o := k.options
	o.Store = k.open(k.backend)
	if _, err := engine.New(o).Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassState || !errors.Is(err, state.ErrNoKey) {
		t.Errorf("error %v", err)
	}
}

func TestRefreshAll(t *testing.T) {
	k := newKit(t)
	k.applied(two)
	out, err := k.engine.Refresh(k.ctx, nil)
	if err != nil || len(out.Results) != 3 {
		t.Fatalf("%v %+v", err, out)
	}
	for _, r := range out.Results {
		if r.State != engine.Done || r.Action != plan.Refresh {
			t.Errorf("%s: %s: %v", r.Addr, r.State, r.Err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 3 {
		t.Errorf("%d requests", n)
	}
	if _, err := k.engine.Refresh(k.ctx, []addr.Addr{addr.Connection("other")}); class(err) != engine.ClassError {
		t.Errorf("error %v", err)
	}
}

func TestAttributes(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	rec := k.record(graph)
	rec.Tokens.Extra = map[string]secret.Secret{"instance_url": "https://eu.example", "bot_token": "xoxb"}
	if err := k.store.Put(k.ctx, rec); err != nil {
		t.Fatal(err)
	}
	known, problem := k.engine.Known(k.ctx)
	v, ok := known(graph)
	if !ok || problem() != nil {
		t.Fatalf("known %t, %v", ok, problem())
	}
	for name, want := range map[string]bool{"instance_url": false, "bot_token": true} {
		if v := v.GetAttr("extra").Index(cty.StringVal(name)); schema.IsSensitive(v) != want {
			t.Errorf("extra.%s is sensitive: %t", name, !want)
		}
	}
	token, marks := v.GetAttr("access_token").Unmark()
	if !token.IsKnown() || len(marks) != 1 {
		t.Errorf("known %t, marks %v", token.IsKnown(), marks)
	}
	if got := v.GetAttr("client_id").AsString(); got != "app" {
		t.Errorf("client_id %q", got)
	}
	if _, ok := known(addr.Connection("other")); ok || problem() != nil {
		t.Errorf("what is not there: known %t, %v", ok, problem())
	}
	k.fail("get", state.ErrTampered)
	known, problem = k.engine.Known(k.ctx)
	if _, ok := known(graph); ok || class(problem()) != engine.ClassState {
		t.Errorf("what cannot be read: known %t, %v", ok, problem())
	}
}

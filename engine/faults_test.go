package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func TestTemporaryErrorsAreRemembered(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	for range 20 {
		if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
			t.Fatalf("error %v", err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 1 {
		t.Errorf("%d requests", n)
	}
	rec := k.record(graph)
	if rec.Status != state.StatusOK || rec.Tokens.RefreshToken != "refresh-1" || rec.Info.Intent != nil {
		t.Errorf("credentials were touched: %s %+v", rec.Status, rec.Info)
	}
	k.server.setFault(nil)
	k.clock.pass(119 * time.Second)
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Errorf("too early: %v", err)
	}
	k.clock.pass(2 * time.Second)
	if tok := k.token(graph, engine.TokenOptions{}); !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
}

// refreshFaults are ways in which a refresh can fail, and what kind of failure each is.
var refreshFaults = map[string]struct {
	fault func(http.ResponseWriter, *http.Request, url.Values) bool
	class engine.Class
}{
	"unavailable": {func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}, engine.ClassTemporary},
	"refused": {func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusBadRequest, "invalid_grant")
		return true
	}, engine.ClassNeedsUser},
	"no answer": {hangUp, engine.ClassTemporary},
}

// Whoever forces a refresh, or asks for more time than is left, knows that the
// old token is no good: it must not come back as if all were well.
func TestFailedRefreshThatWasAskedForIsAnError(t *testing.T) {
	for name, c := range refreshFaults {
		for how, o := range map[string]engine.TokenOptions{
			"forced":  {ForceRefresh: true},
			"min-ttl": {MinTTL: 90 * time.Minute},
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				k := newKit(t)
				k.applied(one)
				k.server.setFault(c.fault)
				for range 2 { // the second time from memory, or by sending again what may not have arrived
					if tok, err := k.engine.Token(k.ctx, graph, o); tok != nil || class(err) != c.class {
						t.Errorf("token %v, error %v", tok, err)
					}
				}
				if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-1" {
					t.Errorf("the valid token is not served to whoever asks for nothing more: %+v", tok)
				}
			})
		}
	}
}

func TestTokenThatCannotLiveAsLongAsAsked(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	tok := k.token(graph, engine.TokenOptions{MinTTL: 2 * time.Hour})
	if tok.AccessToken != "access-2" || !strings.Contains(tok.Warning, "valid for 1h, less than the 2h ") {
		t.Errorf("%+v", tok)
	}
}

func TestFailedEarlyRefreshStillServes(t *testing.T) {
	for name, c := range refreshFaults {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.applied(one)
			k.clock.pass(58 * time.Minute)
			k.server.setFault(c.fault)
			for range 2 {
				tok := k.token(graph, engine.TokenOptions{})
				if tok.AccessToken != "access-1" || tok.Warning == "" {
					t.Errorf("%+v", tok)
				}
			}
			if n := count(k.server.journal.take(), "token"); n != 1 {
				t.Errorf("%d requests", n)
			}
			if _, err := k.engine.Refresh(k.ctx, []addr.Addr{graph}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What the configuration has to mend is not told as something that time mends,
// not even when it is remembered.
func TestRememberedErrorsKeepTheirClass(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusUnauthorized, "invalid_client")
		return true
	})
	for range 3 {
		_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
		if class(err) != engine.ClassError || !strings.Contains(err.Error(), "invalid_client") {
			t.Errorf("error %v", err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// hangUp takes the request and ends the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request, url.Values) bool { panic(http.ErrAbortHandler) }

func TestNothingIsSentIfTheStateCannotBeWritten(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	for _, operation := range []string{"probe", "write"} {
		k.fail(operation, state.ErrUnwritable)
		_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
		if class(err) != engine.ClassError || !errors.Is(err, state.ErrUnwritable) {
			t.Errorf("%s: %v", operation, err)
		}
		k.fail(operation, nil)
		if n := count(k.server.journal.take(), "token"); n != 0 {
			t.Errorf("%s: %d requests", operation, n)
		}
	}
}

func TestTokenThatCannotBeSavedIsNotHandedOut(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		k.fail("write", state.ErrUnwritable)
		return false
	})
	tok, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if tok != nil || class(err) != engine.ClassError || !strings.Contains(err.Error(), "could not be saved") ||
		!strings.Contains(err.Error(), "connection.graph") || strings.Contains(fmt.Sprintf("%+v", err), "access-2") {
		t.Errorf("token %v, error %v", tok, err)
	}
	// What was sent is remembered: the next process knows that the token may be spent.
	k.fail("write", nil)
	if rec := k.record(graph); rec.Info.Intent == nil || rec.Info.Intent.Sends != 1 {
		t.Errorf("intent %+v", rec.Info.Intent)
	}
}

func TestUnknownOutcomeIsTriedOnceMore(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassTemporary {
		t.Errorf("first: %v", err)
	}
	if rec := k.record(graph); rec.Status != state.StatusUnknown || rec.Tokens.RefreshToken != "refresh-1" || rec.Info.Intent.Sends != 1 {
		t.Errorf("status %s, intent %+v", rec.Status, rec.Info.Intent)
	}
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Errorf("second: %v", err)
	}
	_, err = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), "oauthctl apply -replace='connection.graph'") {
		t.Errorf("third: %v", err)
	}
	if n := count(k.server.journal.take(), "token refresh_token"); n != 2 {
		t.Errorf("the refresh token was sent %d times", n)
	}
}

// After a lost answer, a server that is only busy for a moment is asked again
// while it still forgives a second use.
func TestUnknownOutcomeIsNotLeftUntilTheGraceIsOver(t *testing.T) {
	k := newKit(t)
	k.applied(strings.Replace(one, `rotation { kind = "single_use" }`, "rotation {\n  kind  = \"single_use\"\n  grace = \"60s\"\n}", 1))
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Errorf("busy: %v", err)
	}
	k.server.setFault(nil)
	k.clock.pass(14 * time.Second)
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
		t.Errorf("at once: %v", err)
	}
	k.clock.pass(2 * time.Second)
	if tok := k.token(graph, engine.TokenOptions{}); !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
}

// An answer that is no verdict does not wipe out that an earlier sending had none.
func TestUnknownOutcomeIsNotForgotten(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	unavailable := func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	for i, fault := range []func(http.ResponseWriter, *http.Request, url.Values) bool{hangUp, unavailable, unavailable, hangUp} {
		k.server.setFault(fault)
		if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassTemporary {
			t.Errorf("sending %d: %v", i+1, err)
		}
		k.clock.pass(2 * time.Minute)
	}
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassNeedsUser {
		t.Errorf("after two sendings of unknown outcome: %v", err)
	}
	if n := count(k.server.journal.take(), "token refresh_token"); n != 4 {
		t.Errorf("the refresh token was sent %d times", n)
	}
}

func TestUnknownOutcomeThatTurnsOutWell(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	k.server.setFault(nil) // it never arrived
	if tok := k.token(graph, engine.TokenOptions{}); !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
	if rec := k.record(graph); rec.Status != state.StatusOK || rec.Info.Intent != nil {
		t.Errorf("status %s, intent %+v", rec.Status, rec.Info.Intent)
	}
}

// A refusal after a refresh that was cut off says what was most likely its cause.
func TestUnknownOutcomeThatTurnsOutBadly(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusBadRequest, "invalid_grant")
		return true
	})
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	var g *grant.Error
	if class(err) != engine.ClassNeedsUser || !errors.As(err, &g) || !strings.Contains(g.Hint, "outcome is unknown") {
		t.Errorf("%v", err)
	}
}

// Whoever interrupts during the exchange waits for the save.
func TestInterruptedRefreshIsStillSaved(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	ctx, cancel := context.WithCancel(k.ctx)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { cancel(); return false })
	tok, err := k.engine.Token(ctx, graph, engine.TokenOptions{})
	if err != nil || tok.AccessToken != "access-2" {
		t.Errorf("%+v, %v", tok, err)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-2" {
		t.Errorf("refresh token %q", rec.Tokens.RefreshToken.Reveal())
	}
}

func TestInterruptedBeforeTheRefreshSendsNothing(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	unlock, err := k.store.Lock(k.ctx, graph, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	if _, err := k.engine.Token(ctx, graph, engine.TokenOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := count(k.server.journal.take(), "token"); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestBusyLock(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.options.LockTimeout = 30 * time.Millisecond
	k.engine = engine.New(k.options)
	unlock, err := k.store.Lock(k.ctx, graph, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	k.clock.pass(58 * time.Minute)
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-1" || tok.Warning != "" {
		t.Errorf("due, but valid: %+v", tok)
	}
	k.clock.pass(time.Hour)
	_, err = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassTemporary || !errors.Is(err, state.ErrBusy) {
		t.Errorf("expired: %v", err)
	}
}

const never = acme + `
connection "graph" {
  provider        = "acme"
  client_id       = "app"
  scopes          = ["read"]
  unknown_outcome = "never"
}
`

// With unknown_outcome = "never", one request is all that a refresh token is
// ever risked in, whether the process that sent it is still there or not.
func TestUnknownOutcomeIsNeverTriedAgain(t *testing.T) {
	k := newKit(t)
	k.applied(never)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	for i := range 3 {
		_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
		if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), "oauthctl apply -replace='connection.graph'") {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if n := count(k.server.journal.take(), "token refresh_token"); n != 1 {
		t.Errorf("the refresh token was sent %d times", n)
	}
}

// A process that was killed leaves an intent and no status: whoever finds that
// it must not try again says so in the state, where status and plan see it.
func TestUnknownOutcomeOfAKilledProcessIsNoted(t *testing.T) {
	k := newKit(t)
	k.applied(never)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(hangUp)
	_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	rec := k.record(graph)
	rec.Status = state.StatusOK // as the killed process left it
	if err := k.store.Put(k.ctx, rec); err != nil {
		t.Fatal(err)
	}
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	if class(err) != engine.ClassNeedsUser || !strings.Contains(err.Error(), `unknown_outcome = "never"`) {
		t.Errorf("%v", err)
	}
	if rec := k.record(graph); rec.Status != state.StatusUnknown || rec.Tokens.RefreshToken != "refresh-1" {
		t.Errorf("status %s, refresh token %s", rec.Status, rec.Tokens.RefreshToken.Reveal())
	}
}

// Changing one's mind is a change of the settings, without a consent.
func TestUnknownOutcomeIsASetting(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.server.setFault(hangUp)
	p := k.plan(k.config(never), plan.Options{})
	if len(p.Changes) != 1 || p.Changes[0].Action != plan.Update || p.Changes[0].NeedsUser {
		t.Fatalf("%+v", p.Changes)
	}
	k.applied(never)
	if got := k.record(graph).Info.Client.UnknownOutcome; got != "never" {
		t.Errorf("%q", got)
	}
	if p := k.plan(k.config(strings.Replace(never, `"never"`, `"retry_once"`, 1)), plan.Options{}); len(p.Changes) != 1 || p.Changes[0].Action != plan.Update {
		t.Errorf("%+v", p.Changes)
	}
	k.applied(one)
	if p := k.plan(k.config(strings.Replace(never, `"never"`, `"retry_once"`, 1)), plan.Options{}); !p.Empty() {
		t.Errorf("the default, written down, is a change: %+v", p.Changes)
	}
}

package engine_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

// An answer that comes when the connection has been removed, or authorized
// anew, does not bring the old grant back, at whatever moment that happened.
func TestLateAnswersDoNotResurrect(t *testing.T) {
	type world struct {
		*kit
		other *state.Store // of another process
	}
	remove := func(t *testing.T, w world) {
		r, err := w.other.Get(w.ctx, graph, state.PartInfo)
		if err == nil {
			err = w.other.Delete(w.ctx, graph, r.Generation)
		}
		if err != nil {
			t.Error(err)
		}
	}
	authorize := func(t *testing.T, w world) {
		r, err := w.other.Get(w.ctx, graph, state.PartAll)
		if err != nil {
			r = &state.Record{Summary: state.Summary{Addr: graph, Provider: "acme", Status: state.StatusOK}, Info: &state.Info{Grant: "authorization_code"}}
		}
		r.Info.Intent, r.Status, r.ExpiresAt = nil, state.StatusOK, w.clock.now().Add(time.Hour)
		r.Tokens = &state.Tokens{AccessToken: "access-new", RefreshToken: "refresh-new", TokenType: "Bearer"}
		if err := w.other.Put(w.ctx, r); err != nil {
			t.Error(err)
		}
	}
	events := map[string]struct {
		do    func(*testing.T, world)
		stays bool // a record, with the new grant
	}{
		"removed":             {remove, false},
		"authorized anew":     {authorize, true},
		"removed, then anew":  {func(t *testing.T, w world) { remove(t, w); authorize(t, w) }, true},
		"anew, then removed":  {func(t *testing.T, w world) { authorize(t, w); remove(t, w) }, false},
		"anew, and once more": {func(t *testing.T, w world) { authorize(t, w); authorize(t, w) }, true},
	}
	// when arranges that f is called once, at its moment.
	moments := map[string]func(w world, f func()){
		"before the intent":            func(w world, f func()) { w.watch("probe", f) },
		"as the server has the token":  func(w world, f func()) { w.atToken(f) },
		"as the answer is to be saved": func(w world, f func()) { w.atToken(func() { w.watch("write", f) }) },
	}
	for what, ev := range events {
		for moment, when := range moments {
			t.Run(what+" "+moment, func(t *testing.T) {
				w := world{kit: newKit(t)}
				w.other = w.open(w.backend)
				w.applied(one)
				w.clock.pass(2 * time.Hour)
				happened := false
				when(w, func() {
					if !happened {
						happened = true
						ev.do(t, w)
					}
				})
				tok, err := w.engine.Token(w.ctx, graph, engine.TokenOptions{})
				if !happened {
					t.Fatal("nothing happened")
				}
				rec, readErr := w.store.Get(w.ctx, graph, state.PartAll)
				switch {
				case ev.stays && (readErr != nil || rec.Tokens.RefreshToken != "refresh-new" || rec.Tokens.AccessToken != "access-new"):
					t.Errorf("the new grant is lost: %+v, %v", rec, readErr)
				case ev.stays && err == nil && tok.AccessToken != "access-new":
					t.Errorf("handed out: %s", tok.AccessToken.Reveal())
				case !ev.stays && readErr == nil:
					t.Errorf("resurrected: %+v", rec.Tokens)
				case !ev.stays && err == nil:
					t.Errorf("handed out: %s", tok.AccessToken.Reveal())
				}
				sent := count(w.server.journal.take(), "token refresh_token")
				if !ev.stays && sent > 0 && !slices.Contains(w.revokedTokens(), "refresh-2") {
					t.Errorf("the answer that nobody keeps is not revoked: %v", w.revokedTokens())
				}
			})
		}
	}
}

// atToken calls f when the server has a refresh token, before it answers.
func (k *kit) atToken(f func()) {
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { f(); return false })
}

func (k *kit) revokedTokens() []string {
	k.server.mu.Lock()
	defer k.server.mu.Unlock()
	return slices.Clone(k.server.revoked)
}

// destroy waits for a refresh that is under way, and ends what it brought.
func TestDestroyWaitsForARefresh(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.clock.pass(2 * time.Hour)
	p := k.plan(cfg, plan.Options{Destroy: true})
	asked, release := make(chan struct{}), make(chan struct{})
	k.atToken(sync.OnceFunc(func() { close(asked); <-release }))
	refreshed, destroyed := make(chan error), make(chan *engine.Outcome)
	go func() {
		_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{})
		refreshed <- err
	}()
	<-asked
	go func() {
		out, _ := k.engine.Apply(k.ctx, cfg, p)
		destroyed <- out
	}()
	close(release)
	if err := <-refreshed; err != nil {
		t.Errorf("the refresh: %v", err)
	}
	if out := <-destroyed; out == nil || out.Results[0].State != engine.Done {
		t.Errorf("destroy: %+v", out)
	}
	if _, err := k.store.Get(k.ctx, graph, state.PartAll); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	if !slices.Contains(k.revokedTokens(), "refresh-2") {
		t.Errorf("revoked: %v", k.revokedTokens())
	}
}

// An answer that comes when somebody has changed the settings without the lock
// (-lock=false), or has consented anew and been given the same refresh token,
// brings its tokens and takes nothing back.
func TestLateAnswerKeepsNewSettings(t *testing.T) {
	for what, rotates := range map[string]bool{"rotated": true, "the same refresh token": false} {
		t.Run(what, func(t *testing.T) {
			k := newKit(t)
			k.server.keep = !rotates
			other := k.open(k.backend)
			k.applied(one)
			k.clock.pass(2 * time.Hour)
			k.atToken(func() {
				r, err := other.Get(k.ctx, graph, state.PartAll)
				if err == nil {
					r.Info.RefreshBefore, r.Info.Requested = 20*time.Minute, []string{"read", "write"}
					err = other.PutNext(k.ctx, r)
				}
				if err != nil {
					t.Error(err)
				}
			})
			tok := k.token(graph, engine.TokenOptions{})
			r := k.record(graph)
			if !r.Tokens.AccessToken.Equal(tok.AccessToken) || tok.AccessToken != "access-2" || rotates && r.Tokens.RefreshToken != "refresh-2" || r.Info.Intent != nil {
				t.Errorf("%s %s %+v", r.Tokens.AccessToken.Reveal(), r.Tokens.RefreshToken.Reveal(), r.Info.Intent)
			}
			if r.Info.RefreshBefore != 20*time.Minute || len(r.Info.Requested) != 2 || r.Info.ConfigSerial != 2 {
				t.Errorf("the new settings are lost: %s, %v, serial %d", r.Info.RefreshBefore, r.Info.Requested, r.Info.ConfigSerial)
			}
		})
	}
}

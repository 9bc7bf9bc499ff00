package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/state"
)

// rolledBack is a machine that has refreshed, and finds the record from before in the state.
func rolledBack(t *testing.T, accept bool) *kit {
	t.Helper()
	k := newKit(t)
	k.pins = t.TempDir()
	k.store = k.open(k.backend)
	k.options.Store = k.store
	k.engine = engine.New(k.options)
	k.applied(one)
	old, err := k.backend.Get(k.ctx, graph, state.PartAll)
	if err != nil {
		t.Fatal(err)
	}
	k.clock.pass(10 * time.Minute)
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	h, err := k.backend.Header(k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.backend.Write(k.ctx, state.Batch{Epoch: h.Epoch, Changes: []state.Change{{Row: old, Was: k.record(graph).Generation}}}); err != nil {
		t.Fatal(err)
	}
	if accept {
		s, err := state.Open(k.ctx, k.backend, state.Options{Identities: func() ([]age.Identity, error) { return []age.Identity{k.id}, nil }, Now: k.clock.now, PinDir: k.pins, AcceptRollback: true})
		if err != nil {
			t.Fatal(err)
		}
		k.options.Store = s
		k.engine = engine.New(k.options)
	}
	k.server.journal.take()
	return k
}

func TestARefreshTokenFromAnOlderStateIsNotSent(t *testing.T) {
	k := rolledBack(t, false)
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-1" {
		t.Errorf("a valid token is served: %+v", tok)
	}
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true})
	if class(err) != engine.ClassState || !errors.Is(err, state.ErrRollback) || !strings.Contains(err.Error(), "-accept-rollback") {
		t.Errorf("error %v", err)
	}
	k.clock.pass(46 * time.Minute) // due, and valid for a moment
	if tok := k.token(graph, engine.TokenOptions{}); !strings.Contains(tok.Warning, "older than one") {
		t.Errorf("%+v", tok)
	}
	k.clock.pass(time.Hour)
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassState {
		t.Errorf("error %v", err)
	}
	if n := count(k.server.journal.take(), "token"); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAnOlderStateThatIsMeantIsRefreshed(t *testing.T) {
	k := rolledBack(t, true)
	k.server.live["refresh-1"] = k.server.live["refresh-2"] // of a server that forgives
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true}); errors.Is(err, state.ErrRollback) {
		t.Errorf("error %v", err)
	}
	if n := count(k.server.journal.take(), "token refresh_token"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

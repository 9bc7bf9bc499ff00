package engine_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

const wide = acme + `
connection "graph" {
  provider  = "acme"
  client_id = "app"
  scopes    = ["read", "write"]
}
`

// A token for fewer scopes is for whoever asked: the connection keeps its own,
// and the refresh token that came with it.
func TestNarrowTokenIsNotKept(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(wide)
	before := k.record(graph)
	tok := k.token(graph, engine.TokenOptions{Scopes: []string{"read"}})
	if !slices.Equal(tok.Scopes, []string{"read"}) || tok.AccessToken.Equal(before.Tokens.AccessToken) || tok.AccessToken.Empty() {
		t.Fatalf("%+v", tok)
	}
	after := k.record(graph)
	if !after.Tokens.AccessToken.Equal(before.Tokens.AccessToken) || !after.ExpiresAt.Equal(before.ExpiresAt) ||
		!slices.Equal(after.Info.Granted, before.Info.Granted) || !slices.Equal(after.Info.Requested, before.Info.Requested) {
		t.Errorf("the grant was changed: %+v %+v", after.Summary, after.Info)
	}
	if after.Tokens.RefreshToken.Equal(before.Tokens.RefreshToken) || after.Info.Intent != nil {
		t.Error("the rotated refresh token was lost")
	}
	if got := k.token(graph, engine.TokenOptions{}); !got.AccessToken.Equal(before.Tokens.AccessToken) {
		t.Error("the next caller got the narrow token")
	}
	if got := k.token(graph, engine.TokenOptions{ForceRefresh: true}); !got.Refreshed {
		t.Error("the kept refresh token does not work")
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("plan %+v", p.Changes)
	}
}

func TestNarrowForClientCredentials(t *testing.T) {
	k := newKit(t)
	k.applied(strings.TrimSuffix(wide, "}\n") + "  client_secret = env(\"OLD\")\n  grant \"client_credentials\" {}\n}\n")
	before := k.record(graph)
	tok := k.token(graph, engine.TokenOptions{Scopes: []string{"write"}})
	if after := k.record(graph); !slices.Equal(tok.Scopes, []string{"write"}) || !after.Tokens.AccessToken.Equal(before.Tokens.AccessToken) {
		t.Errorf("%v", tok.Scopes)
	}
}

func TestNarrowToScopesThatAreNotThere(t *testing.T) {
	k := newKit(t)
	k.applied(wide)
	k.server.journal.take()
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{Scopes: []string{"read", "admin"}})
	if err == nil || !strings.Contains(err.Error(), "does not have the scope admin; it has read, write") {
		t.Errorf("%v", err)
	}
	if did := k.server.journal.take(); count(did, "token") > 0 {
		t.Errorf("did %v", did)
	}
}

// A server that hands out the whole grant, whatever it is asked for, is found
// out; the refresh token that it rotated is kept all the same.
func TestServerThatDoesNotNarrow(t *testing.T) {
	k := newKit(t)
	k.applied(wide)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"wide","refresh_token":"refresh-new","token_type":"Bearer","expires_in":3600,"scope":"read write"}`))
		return true
	})
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{Scopes: []string{"read"}})
	if err == nil || !strings.Contains(err.Error(), "the server does not narrow tokens: asked for less, it granted write too") {
		t.Errorf("%v", err)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken.Reveal() != "refresh-new" || rec.Status != state.StatusOK || rec.Info.Intent != nil {
		t.Errorf("%s %q", rec.Status, rec.Tokens.RefreshToken.Reveal())
	}
}

// That fewer scopes were refused says nothing of a refresh as it is.
func TestRefusedNarrowingIsNotRemembered(t *testing.T) {
	k := newKit(t)
	k.applied(wide)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusBadRequest, "invalid_scope")
		return true
	})
	if _, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{Scopes: []string{"read"}}); err == nil {
		t.Fatal("no error")
	}
	k.server.setFault(nil)
	if tok := k.token(graph, engine.TokenOptions{ForceRefresh: true}); !tok.Refreshed {
		t.Errorf("%+v", tok)
	}
}

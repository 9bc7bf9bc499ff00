package engine_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/nacl/box"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Through the client that everything goes through, with a token of the place that
// comes from a connection: what the owner of the key reads is the access token.
func TestPublishedThroughTheCommonClient(t *testing.T) {
	k := newKit(t)
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got, auth, busy := map[string]string{}, map[string]bool{}, false
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		auth[r.Header.Get("Authorization")] = true
		var in struct {
			Value string `json:"encrypted_value"`
		}
		switch {
		case busy && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/TWO"):
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		case r.Method == http.MethodGet:
			fmt.Fprintf(w, `{"key_id":"1","key":%q}`, base64.StdEncoding.EncodeToString(public[:]))
		case r.Method == http.MethodPut:
			_ = json.NewDecoder(r.Body).Decode(&in)
			sealed, _ := base64.StdEncoding.DecodeString(in.Value)
			open, _ := box.OpenAnonymous(nil, sealed, public, private)
			got[r.URL.Path] = string(open)
			w.WriteHeader(http.StatusCreated)
		default:
			delete(got, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer hub.Close()
	text := one + `
connection "hub" {
  provider      = "acme"
  client_id     = "hub"
  client_secret = env("HUB")
  grant "client_credentials" {}
}
sink "github_actions" "ci" {
  url        = "` + hub.URL + `"
  repository = "octo/app"
  token      = connection.hub.access_token
  secrets    = { ONE = connection.graph.access_token, TWO = connection.graph.refresh_token }
}
`
	ci := addr.Addr{Kind: addr.KindSink, Type: "github_actions", Name: "ci"}
	busy = true
	cfg := k.config(text)
	r := result(t, k.apply(cfg, plan.Options{}), ci.String())
	if r.State != engine.Failed || class(r.Err) != engine.ClassTemporary || !strings.Contains(r.Err.Error(), "try again in 1m") {
		t.Fatalf("%s: %v", r.State, r.Err)
	}
	if c := change(t, k.plan(cfg, plan.Options{}), ci); c.Action != plan.Publish || c.Reasons[0] != plan.ReasonIncomplete {
		t.Errorf("%s %v", c.Action, c.Reasons)
	}
	busy = false
	k.applied(text)
	rec, of := k.record(graph), k.record(addr.Connection("hub"))
	const path = "/repos/octo/app/actions/secrets/"
	if got[path+"ONE"] != rec.Tokens.AccessToken.Reveal() || got[path+"TWO"] != rec.Tokens.RefreshToken.Reveal() || len(auth) != 1 || !auth["Bearer "+of.Tokens.AccessToken.Reveal()] {
		t.Errorf("%v, %v", got, auth)
	}
	// Another token of the place is no reason to publish.
	k.token(addr.Connection("hub"), engine.TokenOptions{ForceRefresh: true})
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("published again because of the place's own token")
	}
	for _, r := range k.apply(cfg, plan.Options{Destroy: true}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %v", r.Addr, r.Err)
		}
	}
	if len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

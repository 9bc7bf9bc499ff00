package engine_test

import (
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// What is left at servers when the key is lost is told without a key: by the
// configuration, as far as it fits, and else by the preset of that name.
func TestOrphans(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one + `
provider "spotify" {
  title                  = "Not Spotify"
  authorization_endpoint = "SERVER/authorize"
  token_endpoint         = "SERVER/token"
  revocation             = "none"
  revocation_note        = "Ask the helpdesk."
}
connection "music" {
  for_each  = toset(["a", "b"])
  provider  = "spotify"
  client_id = "app-${each.key}"
}
`)
	store, err := state.Open(k.ctx, k.backend, state.Options{Now: k.clock.now}) // without any identity
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	k.options.Store = store
	e := engine.New(k.options)
	if _, err := e.Token(k.ctx, graph, engine.TokenOptions{}); class(err) != engine.ClassState {
		t.Errorf("the state opens without a key: %v", err)
	}

	host := k.server.Listener.Addr().String()
	music := addr.Connection("music")
	type want struct{ title, host, revoke string }
	for name, tc := range map[string]struct {
		with bool
		want map[addr.Addr]want
	}{
		"with the configuration": {true, map[addr.Addr]want{
			graph:               {"acme", host, ""},
			music.Instance("a"): {"Not Spotify", host, "Ask the helpdesk."},
			music.Instance("b"): {"Not Spotify", host, "Ask the helpdesk."},
		}},
		"without": {false, map[addr.Addr]want{
			graph:               {"acme", "", ""},
			music.Instance("a"): {"Spotify", "accounts.spotify.com", "Remove access at https://www.spotify.com/account/apps/."},
			music.Instance("b"): {"Spotify", "accounts.spotify.com", "Remove access at https://www.spotify.com/account/apps/."},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			given := cfg
			if !tc.with {
				given = nil
			}
			list, err := e.Orphans(k.ctx, given)
			if err != nil || len(list) != len(tc.want) {
				t.Fatalf("%d, want %d: %v %+v", len(list), len(tc.want), err, list)
			}
			for _, o := range list {
				if got := (want{o.Title, o.Host, o.Revoke}); got != tc.want[o.Addr] {
					t.Errorf("%s: %+v, want %+v", o.Addr, got, tc.want[o.Addr])
				}
			}
		})
	}

	_, recipient := k.other()
	k.handOver(engine.HandOverOptions{To: []string{recipient}})
	list, err := e.Orphans(k.ctx, cfg)
	if err != nil || len(list) != 2 {
		t.Errorf("what another state has is not lost: %v %+v", err, list)
	}
}

package engine_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
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

// Whatever wants a new token, the old refresh token is not sent for it.
func TestNothingSendsARefreshTokenFromAnOlderState(t *testing.T) {
	for name, want := range map[string]func(*kit, *schema.Config) error{
		"token -force-refresh": func(k *kit, _ *schema.Config) error {
			_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true})
			return err
		},
		"token -min-ttl": func(k *kit, _ *schema.Config) error {
			_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{MinTTL: 2 * time.Hour})
			return err
		},
		"token -scopes": func(k *kit, _ *schema.Config) error {
			_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{Scopes: []string{"read"}})
			return err
		},
		"a token that was refused": func(k *kit, _ *schema.Config) error {
			_, err := k.engine.Refused(k.ctx, graph, "access-1")
			return err
		},
		"the agent": func(k *kit, _ *schema.Config) error {
			keeper := engine.NewKeeper(engine.KeeperOptions{Now: k.clock.now, Open: func(context.Context, time.Duration) (*engine.Engine, func(), error) {
				return k.engine, func() {}, nil
			}})
			_, err := keeper.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true}, time.Second)
			return err
		},
		"refresh": func(k *kit, _ *schema.Config) error {
			out, err := k.engine.Refresh(k.ctx, []addr.Addr{graph})
			return cmp.Or(err, result(k.t.(*testing.T), out, "graph").Err)
		},
		"apply -refresh-only": func(k *kit, cfg *schema.Config) error {
			k.clock.pass(time.Hour)
			return result(k.t.(*testing.T), k.apply(cfg, plan.Options{RefreshOnly: true}), "graph").Err
		},
		"a connection that it feeds": func(k *kit, _ *schema.Config) error {
			k.clock.pass(time.Hour)
			fed := &state.Record{Summary: state.Summary{Addr: addr.Connection("fed"), Provider: "acme", Status: state.StatusOK},
				Info:   &state.Info{Grant: "token_exchange", Exchange: &state.Exchange{Subject: state.Source{Connection: graph.String(), Attribute: "access_token"}}},
				Tokens: &state.Tokens{AccessToken: "access-fed"}}
			if err := k.store.Put(k.ctx, fed); err != nil {
				return err
			}
			_, err := k.engine.Token(k.ctx, fed.Addr, engine.TokenOptions{ForceRefresh: true})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := rolledBack(t, false)
			cfg := k.config(one)
			k.clock.pass(10 * time.Minute)
			if err := want(k, cfg); !errors.Is(err, state.ErrRollback) {
				t.Errorf("error %v", err)
			}
			if n := count(k.server.journal.take(), "token"); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
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

// An apply that takes long, and that another one overtakes, writes records that are the
// newest of all: also to a machine that has seen another life of the address meanwhile.
func TestAnApplyThatWasOvertakenIsNoRollback(t *testing.T) {
	k := newKit(t)
	k.pins = t.TempDir()
	k.store = k.open(k.backend)
	k.options.Store = k.store
	k.engine = engine.New(k.options)
	cfg := k.config(one + strings.Replace(strings.TrimPrefix(one, acme), "graph", "mail", 1))
	asked := 0
	var late addr.Addr
	k.server.setFault(func(_ http.ResponseWriter, r *http.Request, form url.Values) bool {
		if form.Get("grant_type") != "authorization_code" {
			return false
		}
		if asked++; asked != 2 {
			return false
		}
		there := k.open(k.backend) // another machine: it remembers as this one does
		all, err := there.All(k.ctx, state.PartAll)
		if err != nil || len(all) != 1 {
			t.Errorf("%d records, %v", len(all), err)
			return false
		}
		for _, c := range cfg.Connections {
			if c.Addr != all[0].Addr {
				late = c.Addr
			}
		}
		other := *all[0]
		other.Addr, other.Generation = late, 0
		if err := there.PutNext(k.ctx, &other); err != nil {
			t.Error(err)
		}
		if _, err := there.DeleteNext(k.ctx, late, other.Generation); err != nil {
			t.Error(err)
		}
		return false
	})
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	_, serial, err := k.store.Lineage(k.ctx)
	if now := k.record(late).Info.ConfigSerial; err != nil || now != serial || now != 4 {
		t.Errorf("it is of serial %d, and the state at %d, %v", now, serial, err)
	}
}

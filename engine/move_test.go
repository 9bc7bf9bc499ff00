package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

const oneMoved = `
moved {
  from = connection.graph
  to   = connection.mail
}
`

// renamed is text with the connection graph called mail, and a block that says so.
func renamed(text string) string {
	return strings.ReplaceAll(text, `connection "graph"`, `connection "mail"`) + oneMoved
}

func TestMoveAsksNobody(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	before, visits := k.record(graph), k.person.visits.Load()
	out := k.apply(k.config(renamed(one)), plan.Options{})
	r := result(t, out, "mail")
	if r.State != engine.Done || r.Action != plan.Move || r.MovedFrom != graph {
		t.Errorf("got %+v", r)
	}
	after := k.record(addr.Connection("mail"))
	if diff := cmp.Diff(before.Tokens, after.Tokens); diff != "" {
		t.Errorf("the tokens are not those that were there:\n%s", diff)
	}
	if _, err := k.store.Get(k.ctx, graph, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("the former address gives %v", err)
	}
	if n := k.person.visits.Load() - visits; n != 0 {
		t.Errorf("%d consents were asked for", n)
	}
	if journal := k.server.journal.take(); count(journal, "token") != 0 {
		t.Errorf("a move made requests: %v", journal)
	}
	if p := k.plan(k.config(renamed(one)), plan.Options{}); !p.Empty() {
		t.Errorf("the next plan is not empty: %+v", p.Changes)
	}
}

// What changes besides is done at the new address; revoking too.
func TestMoveThenChange(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	out := k.apply(k.config(strings.Replace(renamed(one), `["read"]`, `["read", "write"]`, 1)), plan.Options{})
	if r := result(t, out, "mail"); r.State != engine.Done || r.Action != plan.Reauthorize || r.MovedFrom != graph {
		t.Errorf("got %+v", r)
	}
	rows, _ := k.store.Summaries(k.ctx)
	if len(rows) != 1 || rows[0].Addr.Name != "mail" {
		t.Errorf("the state has %v", rows)
	}
	out = k.apply(k.config(acme+`
moved {
  from = connection.mail
  to   = connection.gone
}
`), plan.Options{})
	if r := result(t, out, "gone"); r.State != engine.Done || r.Action != plan.Revoke {
		t.Errorf("got %+v", r)
	}
	if rows, _ = k.store.Summaries(k.ctx); len(rows) != 0 {
		t.Errorf("the state has %v", rows)
	}
}

// A move that cannot be made fails what was to move, and nothing else.
func TestMoveThatCannotBeMade(t *testing.T) {
	k := newKit(t)
	k.options.LockTimeout = 10 * time.Millisecond
	k.engine = engine.New(k.options)
	k.applied(one)
	unlock, err := k.store.Lock(k.ctx, graph, "refresh")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	out := k.apply(k.config(renamed(one)+`
connection "robot" {
  provider      = "acme"
  client_id     = "robot"
  client_secret = env("ROBOT")
  grant "client_credentials" {}
}`), plan.Options{})
	if r := result(t, out, "mail"); r.State != engine.Failed || class(r.Err) != engine.ClassTemporary {
		t.Errorf("the move under a lock: %+v", r)
	}
	if r := result(t, out, "robot"); r.State != engine.Done {
		t.Errorf("what does not move: %+v", r)
	}
	k.record(graph)
}

// A plan made before a move is stale; a refresh between plan and move is not lost.
func TestMoveAndPlansMadeBefore(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	cfg := k.config(renamed(one))
	p := k.plan(cfg, plan.Options{})
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	fresh := k.record(graph).Tokens
	if _, err := k.engine.Apply(k.ctx, cfg, p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fresh, k.record(addr.Connection("mail")).Tokens); diff != "" {
		t.Errorf("the refresh between plan and apply is lost:\n%s", diff)
	}
	if _, err := k.engine.Apply(k.ctx, cfg, p); err == nil {
		t.Error("a plan from before the move is not refused")
	}
}

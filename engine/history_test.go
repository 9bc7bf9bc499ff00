package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// made is what made the generations that are kept, oldest first.
func (k *kit) made() string {
	k.t.Helper()
	all, err := k.engine.History(k.ctx, graph)
	if err != nil {
		k.t.Fatal(err)
	}
	out := ""
	for _, g := range all {
		out = fmt.Sprintf("%d %s, ", g.Generation, g.What) + out
		if g.Tokens != nil {
			k.t.Error("a history has tokens")
		}
	}
	return strings.TrimSuffix(out, ", ")
}

func TestHistorySaysWhatMadeAGeneration(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	if got := k.made(); got != "1 authorized, 2 refresh_begun, 3 refreshed" {
		t.Errorf("made by %s", got)
	}
	k.clock.pass(2 * time.Hour)
	k.server.live = map[string]string{}
	_, _ = k.engine.Token(k.ctx, graph, engine.TokenOptions{})
	k.clock.pass(time.Hour)
	k.apply(cfg, plan.Options{})
	if got := k.made(); got != "1 authorized, 2 refresh_begun, 3 refreshed, 4 refresh_begun, 5 refused, 6 authorized" {
		t.Errorf("made by %s", got)
	}
}

func TestRestoreMakesAKeptGenerationTheNewest(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	r, err := k.engine.PlanRestore(k.ctx, graph, 1)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, "may end the grant") || !strings.Contains(text, "has ended") {
		t.Errorf("warnings:\n%s", text)
	}
	_, before, _ := k.store.Lineage(k.ctx)
	if err := k.engine.Restore(k.ctx, r); err != nil {
		t.Fatal(err)
	}
	rec := k.record(graph)
	_, after, _ := k.store.Lineage(k.ctx)
	if rec.Generation != 4 || rec.Tokens.RefreshToken != "refresh-1" || after != before+1 || rec.Info.ConfigSerial != after {
		t.Errorf("generation %d, %q, serial %d after %d", rec.Generation, rec.Tokens.RefreshToken.Reveal(), after, before)
	}
	if got := k.made(); !strings.HasSuffix(got, "3 refreshed, 4 restored") {
		t.Errorf("made by %s", got)
	}
	// What was present is kept in turn.
	if r, err = k.engine.PlanRestore(k.ctx, graph, 3); err != nil {
		t.Fatal(err)
	}
	if err := k.engine.Restore(k.ctx, r); err != nil || k.record(graph).Tokens.RefreshToken != "refresh-2" {
		t.Errorf("going back again: %v", err)
	}
}

func TestRestoreWarnsByTheRecordedCostOfReuse(t *testing.T) {
	for _, c := range []struct{ rotation, blast, want string }{
		{"single_use", "grant", "may end the grant"},
		{"single_use", "client_user", "end every grant"},
		{"none", "", "the server may have ended it"},
	} {
		k := newKit(t)
		k.applied(one)
		rec := k.record(graph)
		rec.Info.Client.Rotation, rec.Info.Client.BlastRadius = c.rotation, c.blast
		if err := k.store.Put(k.ctx, rec); err != nil {
			t.Fatal(err)
		}
		rec.Tokens.RefreshToken = "another"
		if err := k.store.Put(k.ctx, rec); err != nil {
			t.Fatal(err)
		}
		r, err := k.engine.PlanRestore(k.ctx, graph, 2)
		if err != nil || !strings.Contains(strings.Join(r.Warnings, "\n"), c.want) {
			t.Errorf("%s %s: %v, %v", c.rotation, c.blast, r, err)
		}
	}
}

func TestRestoreOfWhatChangedMeanwhileIsRefused(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	r, err := k.engine.PlanRestore(k.ctx, graph, 1)
	if err != nil {
		t.Fatal(err)
	}
	k.clock.pass(2 * time.Hour)
	k.token(graph, engine.TokenOptions{})
	if err := k.engine.Restore(k.ctx, r); class(err) != engine.ClassTemporary {
		t.Errorf("error %v", err)
	}
	if rec := k.record(graph); rec.Tokens.RefreshToken != "refresh-3" {
		t.Errorf("a newer token was lost: %q", rec.Tokens.RefreshToken.Reveal())
	}
}

func TestRestoreBringsBackWhatWasRemoved(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	if err := k.store.Delete(k.ctx, graph, 1); err != nil {
		t.Fatal(err)
	}
	r, err := k.engine.PlanRestore(k.ctx, graph, 1)
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "removed") {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := k.engine.Restore(k.ctx, r); err != nil {
		t.Fatal(err)
	}
	if rec := k.record(graph); rec.Generation != 2 || rec.Status != state.StatusOK {
		t.Errorf("%+v", rec.Summary)
	}
	if _, err := k.engine.PlanRestore(k.ctx, addr.Connection("grap"), 1); err == nil || !strings.Contains(err.Error(), "did you mean") {
		t.Errorf("a typo: %v", err)
	}
}

// What was handed over is not restored without a word: two states with one refresh
// token end each other's consent.
func TestRestoreOfWhatWasHandedOver(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one)
	_, recipient := k.other()
	was := k.record(graph).Generation
	pipe := func([]byte) (bool, error) { return false, nil } // what is known to have arrived leaves nothing
	if _, err := k.engine.HandOver(k.ctx, graph, engine.HandOverOptions{To: []string{recipient}}, pipe); err != nil {
		t.Fatal(err)
	}
	r, err := k.engine.PlanRestore(k.ctx, graph, was)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(r.Warnings, "; "); !strings.Contains(text, "handed over to the state of "+recipient) || !strings.Contains(text, "the state that refreshes first") || strings.Contains(text, "has been replaced since") {
		t.Errorf("warnings: %s", text)
	}

	gone := k.record(graph).Generation
	k.apply(cfg, plan.Options{Replace: []addr.Addr{graph}})
	if r, err = k.engine.PlanRestore(k.ctx, graph, gone); err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "no tokens") {
		t.Errorf("warnings: %q", r.Warnings)
	}
}

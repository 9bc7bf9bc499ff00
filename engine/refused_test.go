package engine_test

import (
	"testing"
	"time"
)

// A token that a server refuses is renewed once, and not for every refusal.
func TestRefusedTokenIsRenewed(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	first := k.record(graph).Tokens.AccessToken
	k.server.journal.take()
	refused := func(want bool) {
		t.Helper()
		renewed, err := k.engine.Refused(k.ctx, graph, first)
		if err != nil || renewed != want {
			t.Errorf("renewed %t, %v", renewed, err)
		}
	}
	refused(false) // it is new: the server does not like this client
	k.clock.pass(6 * time.Minute)
	if renewed, err := k.engine.Refused(k.ctx, graph, "another"); renewed || err != nil {
		t.Errorf("renewed %t, %v", renewed, err)
	}
	if renewed, err := k.engine.Refused(k.ctx, graph, ""); renewed || err != nil {
		t.Errorf("renewed %t, %v", renewed, err)
	}
	if did := k.server.journal.take(); count(did, "token") > 0 {
		t.Errorf("did %v", did)
	}
	refused(true)
	if k.record(graph).Tokens.AccessToken.Equal(first) {
		t.Error("it is still there")
	}
	refused(false) // the refused one is gone
}

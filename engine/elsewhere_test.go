package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// Whoever may change the configuration must not get the tokens that are stored:
// an endpoint elsewhere needs a new consent, as another server does.
func TestStoredTokensStayAtTheirServer(t *testing.T) {
	for name, change := range map[string]struct{ from, to string }{
		"refresh":       {`SERVER/revoke"`, `SERVER/revoke"` + "\n" + `refresh_endpoint = "https://evil.example/token"`},
		"refresh, near": {`SERVER/revoke"`, `SERVER/revoke"` + "\n" + `refresh_endpoint = "SERVER/other"`},
		"revocation":    {`SERVER/revoke"`, `https://evil.example/revoke"`},
		"introspection": {`SERVER/revoke"`, `SERVER/revoke"` + "\n" + `introspection_endpoint = "https://evil.example/look"`},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.applied(one)
			before := k.record(graph).Info.Client
			cfg := k.config(strings.Replace(one, change.from, change.to, 1))
			p := k.plan(cfg, plan.Options{})
			c := p.Changes[0]
			if c.Action != plan.Reauthorize || !c.Replaces || !c.NeedsUser || !slices.Contains(c.Reasons, plan.ReasonServerChanged) {
				t.Errorf("planned %s for %v, replaces %v", c.Action, c.Reasons, c.Replaces)
			}
			// Even a plan that overlooks it must not take the tokens along.
			c.Action, c.NeedsUser, c.Replaces = plan.Update, false, false
			p.Changes[0] = c
			out, err := k.engine.Apply(k.ctx, cfg, p)
			if err != nil {
				t.Fatal(err)
			}
			if r := result(t, out, "graph"); r.State != engine.Failed {
				t.Errorf("the endpoint was laid over stored tokens: %s", r.State)
			}
			if now := k.record(graph).Info.Client; now.RefreshEndpoint != before.RefreshEndpoint || now.RevocationEndpoint != before.RevocationEndpoint {
				t.Error("the record has the new endpoint")
			}
		})
	}
}

// A server may move a page of its own.
func TestRevocationElsewhereAtTheSameServerIsAnUpdate(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	cfg := k.config(strings.Replace(one, "SERVER/revoke", "SERVER/v2/revoke", 1))
	if c := k.plan(cfg, plan.Options{}).Changes[0]; c.Action != plan.Update {
		t.Errorf("planned %s for %v", c.Action, c.Reasons)
	}
}

package engine_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// A block that nothing acts upon is an error, at its place.
func TestSinksAreRefused(t *testing.T) {
	k := newKit(t)
	cfg := k.config(one + "\nsink \"github_actions\" \"ci\" {\n  repository = \"octo/app\"\n}\n")
	if diags := k.engine.Validate(k.ctx, cfg); !diags.HasErrors() || !strings.Contains(diags[0].Summary, "sink") {
		t.Errorf("validate: %v", diags)
	}
	_, diags, err := k.engine.Plan(k.ctx, cfg, plan.Options{})
	if err != nil || !diags.HasErrors() || !strings.Contains(diags[0].Detail, "publishes tokens nowhere") {
		t.Errorf("plan: %v, %v", diags, err)
	}
}

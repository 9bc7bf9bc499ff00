package view

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// languagePlan has what blocks other than connections lead to.
func languagePlan() *plan.Plan {
	moved := func(from, to addr.Addr, c plan.Change) plan.Change {
		c.Addr, c.MovedFrom, c.Generation = to, from, 3
		return c
	}
	only := plan.Change{Action: plan.Move, Reasons: []plan.Reason{plan.ReasonMoved}, Provider: "google", Title: "Google"}
	return &plan.Plan{
		CreatedAt: sampleNow(), Checks: sampleChecks(),
		Changes: []plan.Change{
			{
				Addr: conn("adopted"), Action: plan.Import, Reasons: []plan.Reason{plan.ReasonTokenGiven}, Provider: "google", Title: "Google",
				Grant: "authorization_code", Scopes: []string{"email", "openid"}, Account: "alice@example.com", Hosts: []string{"oauth2.googleapis.com"}, Refresh: 90 * 24 * hour,
			},
			{
				Addr: conn("down"), Action: plan.Reauthorize, Reasons: []plan.Reason{plan.ReasonTriggered}, NeedsUser: true, Way: "browser",
				Provider: "google", Title: "Google", Grant: "authorization_code", Scopes: []string{"email"}, DependsOn: []addr.Addr{conn("up")},
			},
			{
				Addr: conn("handed-over"), Action: plan.Forget, Reasons: []plan.Reason{plan.ReasonLetGo}, Provider: "google", Title: "Google",
				Account: "alice@example.com", Generation: 2, Revocable: true, Notes: []string{"forgotten here, and not revoked at the server, as requested"},
			},
			moved(conn("mail"), conn("post"), only),
			moved(conn("shop").Instance("eu"), conn("shop").Instance("europe"), only),
			moved(conn("tv"), conn("video"), plan.Change{
				Action: plan.Update, Reasons: []plan.Reason{plan.ReasonLifetimesChanged}, Provider: "github", Title: "GitHub",
				Before: map[string]string{"token_lifetimes.access": "1h"}, After: map[string]string{"token_lifetimes.access": "2h"}, Access: 2 * hour,
			}),
		},
	}
}

func sampleChecks() []schema.CheckResult {
	return []schema.CheckResult{
		{Name: "accounts", Verdict: schema.Fail, Problems: []string{"bob@example.org is not one of ours."}, Range: hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 12}}},
		{Name: "later", Verdict: schema.Unknown},
		{Name: "scopes", Verdict: schema.Pass},
	}
}

func languageOutcome() *engine.Outcome {
	return &engine.Outcome{Checks: sampleChecks(), Results: []engine.Result{
		{Addr: conn("adopted"), Action: plan.Import, State: engine.Done, Account: "alice@example.com", Warnings: []string{"the server does not say which scopes the token has: those of the configuration are assumed"}},
		{Addr: conn("post"), MovedFrom: conn("mail"), Action: plan.Move, State: engine.Done},
		{Addr: conn("video"), MovedFrom: conn("tv"), Action: plan.Update, State: engine.Done, ExpiresAt: sampleNow().Add(time.Hour)},
		{Addr: conn("crm"), MovedFrom: conn("sales"), Action: plan.Move, State: engine.Failed, Err: sampleErrors()[1]},
	}}
}

package view

import (
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func sinkAddr(kind, name string) addr.Addr {
	return addr.Addr{Kind: addr.KindSink, Type: kind, Name: name}
}

// sinksPlan is a plan with everything that sinks say.
func sinksPlan() *plan.Plan {
	from := []addr.Addr{conn("graph")}
	return &plan.Plan{CreatedAt: sampleNow(), Changes: []plan.Change{
		{Addr: conn("graph"), Action: plan.NoOp},
		{
			Addr: sinkAddr("file", "ci"), Action: plan.Publish, Provider: "file", Generation: 2, DependsOn: from,
			Reasons: []plan.Reason{plan.ReasonTokenDue, plan.ReasonNamesChanged}, Unknown: []string{"GRAPH_TOKEN"},
			Publication: &plan.Publication{Place: "the file out/ci.env", Names: []string{"GRAPH_HEADER", "GRAPH_TOKEN"}, Removed: []string{"OLD_TOKEN"}, From: from},
		},
		{
			Addr: sinkAddr("file", "gone"), Action: plan.Forget, Provider: "file", Reasons: []plan.Reason{plan.ReasonRemoved},
			Publication: &plan.Publication{Place: "the file gone\x1b[2J.env"}, Notes: []string{"what was published to the file gone\x1b[2J.env stays there: TOKEN"},
		},
		{Addr: sinkAddr("file", "same"), Action: plan.NoOp},
		{
			Addr: sinkAddr("github_actions", "deploy"), Action: plan.Publish, Provider: "github_actions", DependsOn: from, Hosts: []string{"api.github.com"},
			Reasons: []plan.Reason{plan.ReasonTargetChanged}, Before: map[string]string{"place": "the Actions secrets of octo/old at api.github.com"},
			After:       map[string]string{"place": "the Actions secrets of octo/app at api.github.com"},
			Publication: &plan.Publication{Place: "the Actions secrets of octo/app at api.github.com", Names: []string{"GRAPH_TOKEN"}, From: from},
			Notes:       []string{"what was published to the Actions secrets of octo/old at api.github.com stays there: GRAPH_TOKEN"},
		},
		{
			Addr: sinkAddr("github_actions", "old"), Action: plan.Remove, Provider: "github_actions", Hosts: []string{"api.github.com"}, Reasons: []plan.Reason{plan.ReasonDestroy},
			Publication: &plan.Publication{Place: "the Actions secrets of octo/old at api.github.com", Removed: []string{"GRAPH_TOKEN"}},
		},
	}}
}

func sinksOutcome() *engine.Outcome {
	return &engine.Outcome{Results: []engine.Result{
		{Addr: sinkAddr("file", "ci"), Action: plan.Publish, State: engine.Done, Place: "the file out/ci.env"},
		{Addr: sinkAddr("file", "gone"), Action: plan.Forget, State: engine.Done, Place: "the file gone.env",
			Warnings: []string{"forgotten here, and left there: TOKEN at the file gone.env"}},
		{Addr: sinkAddr("github_actions", "deploy"), Action: plan.Publish, State: engine.Failed, Place: "the Actions secrets of octo/app at api.github.com",
			Err: &engine.Error{Class: engine.ClassTemporary, Addr: sinkAddr("github_actions", "deploy"), Doing: "publish sink.github_actions.deploy", Remedy: "try again in 1m30s"}},
		{Addr: sinkAddr("github_actions", "old"), Action: plan.Remove, State: engine.Done, Place: "the Actions secrets of octo/old at api.github.com"},
	}}
}

func sinkRows() []state.Summary {
	return append(sampleRows()[1:2:2], state.Summary{Addr: sinkAddr("file", "ci"), Provider: "file", Status: state.StatusOK, UpdatedAt: sampleNow(), Generation: 2})
}

func sinkRecords() []*state.Record {
	record := func(name string, p *state.Published) *state.Record {
		return &state.Record{
			Summary: state.Summary{Addr: sinkAddr("github_actions", name), Provider: "github_actions", Status: state.StatusOK, UpdatedAt: sampleNow(), Generation: 3},
			Info:    &state.Info{ConfigSerial: 7, DependsOn: []string{"connection.graph"}, Published: p},
		}
	}
	return []*state.Record{
		record("deploy", &state.Published{
			Place: "the Actions secrets of octo/app at api.github.com", Hosts: []string{"api.github.com"}, Settings: "CANARY-digest",
			Names: []string{"GRAPH_TOKEN", "OTHER"}, Digests: map[string]string{"GRAPH_TOKEN": "CANARY-digest", "OTHER": "CANARY-digest"}, At: sampleNow().Add(-time.Hour),
		}),
		record("half", &state.Published{
			Place: "the Actions secrets of octo/app at api.github.com", Names: []string{"GRAPH_TOKEN", "OTHER"}, Digests: map[string]string{"OTHER": "CANARY-digest"}, At: sampleNow(),
		}),
		{Summary: state.Summary{Addr: sinkAddr("file", "ci"), Provider: "file", Status: state.StatusOK}},
	}
}

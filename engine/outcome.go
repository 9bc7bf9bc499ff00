package engine

import (
	"time"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Outcome is what an apply did, in address order.
type Outcome struct {
	Results []Result
	Outputs []schema.Output
	Checks  []schema.CheckResult // check blocks, as things are now
}

// Result is what became of one change.
type Result struct {
	Addr             addr.Addr
	MovedFrom        addr.Addr // where it was until this apply; zero: it did not move
	Action           plan.Action
	State            ResultState
	Err              error    // of a failure, or why it was skipped or waits
	Warnings         []string // scopes that are missing, a revocation that did not work
	ExpiresAt        time.Time
	RefreshExpiresAt time.Time
	Account          string
	Place            string // of a sink: where its values are, or were
	Elapsed          time.Duration

	published bool // what it published is at its place, whatever else failed
}

// ResultState is how a change ended.
type ResultState string

// The ends of a change.
const (
	Done    ResultState = "done"
	Failed  ResultState = "failed"
	Skipped ResultState = "skipped" // something it depends on failed or waits
	Waiting ResultState = "waiting" // for a person
)

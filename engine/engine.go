// Package engine knows time and order: it plans, applies, hands out and
// refreshes tokens, and revokes.
//
// Its rule for every token: received, sealed, written, and only then used or
// printed. Commands call the methods of [Engine] and show the [Event]s.
//
// The package does not know flags, the screen, the environment, or exit codes.
package engine

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Options of an Engine. Everything from outside comes through here.
type Options struct {
	Store       *state.Store
	Catalog     *providers.Catalog // may be nil for Token, Refresh, Status
	HTTP        *http.Client
	User        grant.User // nil: nobody is here
	Now         func() time.Time
	Rand        io.Reader
	Parallelism int           // 0: 10
	LockTimeout time.Duration // 0: 10 s
	OnEvent     func(Event)   // called from one goroutine at a time; nil: nobody listens
}

// Engine does the work of all commands.
type Engine struct{ o Options }

// New returns an Engine.
func New(o Options) *Engine { return &Engine{o: o} }

// Validate resolves every connection of the configuration against its preset
// and grant, without state and network.
func (e *Engine) Validate(ctx context.Context, cfg *schema.Config) hcl.Diagnostics { panic("contract") }

// Plan computes what would happen. It makes no request and changes nothing.
func (e *Engine) Plan(ctx context.Context, cfg *schema.Config, o plan.Options) (*plan.Plan, hcl.Diagnostics, error) {
	panic("contract")
}

// Apply carries out a plan made from the same configuration.
func (e *Engine) Apply(ctx context.Context, cfg *schema.Config, p *plan.Plan) (*Outcome, error) {
	panic("contract")
}

// Outcome is what an apply did, in address order.
type Outcome struct {
	Results []Result
	Outputs []schema.Output
}

// Result is what became of one change.
type Result struct {
	Addr             addr.Addr
	Action           plan.Action
	State            ResultState
	Err              error    // of a failure, or why it was skipped or waits
	Warnings         []string // scopes that are missing, a revocation that did not work
	ExpiresAt        time.Time
	RefreshExpiresAt time.Time
	Account          string
	Elapsed          time.Duration
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

// Token is an access token to hand out.
type Token struct {
	Addr        addr.Addr
	AccessToken secret.Secret
	TokenType   string
	ExpiresAt   time.Time // zero: unknown
	Scopes      []string
	Refreshed   bool
	Warning     string // a refresh that failed while the old token is still valid
}

// TokenOptions of Token.
type TokenOptions struct {
	MinTTL       time.Duration
	ForceRefresh bool
}

// Token returns a valid access token, refreshing it when it is due, exactly
// once however many callers ask. Errors: see Error.
func (e *Engine) Token(ctx context.Context, a addr.Addr, o TokenOptions) (*Token, error) {
	panic("contract")
}

// Refresh refreshes connections now, each once, whether due or not.
func (e *Engine) Refresh(ctx context.Context, addrs []addr.Addr) (*Outcome, error) { panic("contract") }

// Attributes returns schema.AttributesType values of connections for expressions; sensitive
// ones are marked, and unknown if withTokens is false.
func (e *Engine) Attributes(ctx context.Context, withTokens bool) (map[addr.Addr]cty.Value, error) {
	panic("contract")
}

// Event is something that happened during Apply or Token.
type Event struct {
	Type    EventType
	Addr    addr.Addr
	Action  plan.Action
	Text    string
	Err     error
	Elapsed time.Duration
	At      time.Time
}

// EventType names an event in human and JSON output.
type EventType string

// The events.
const (
	EventStart    EventType = "change_start"
	EventDone     EventType = "change_complete"
	EventFailed   EventType = "change_errored"
	EventSkipped  EventType = "change_skipped"
	EventWaiting  EventType = "interaction_required"
	EventProgress EventType = "change_progress"
	EventWarning  EventType = "warning"
)

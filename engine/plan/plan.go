// Package plan decides what has to happen. [Compute] compares what the
// configuration wants with what the state holds and returns a [Plan].
//
// It is a pure function of its input. It does not know the network, the
// operating system, the clock, secrets, or how a plan looks on a screen.
package plan

import (
	"time"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Action is what happens to one connection or sink.
type Action string

// The actions, and the symbols that stand for them.
const (
	NoOp        Action = "no-op"
	Authorize   Action = "authorize"   // +  not in the state yet
	Import      Action = "import"      // <  not in the state yet, and a refresh token is given
	Reauthorize Action = "reauthorize" // ±  a new consent replaces the present one
	Refresh     Action = "refresh"     // ~
	Update      Action = "update"      // ~  settings that need no request: lifetimes, description
	Revoke      Action = "revoke"      // -
	Forget      Action = "forget"      // .  leave the state without being revoked
	Publish     Action = "publish"     // >  a sink is new or out of date
	Remove      Action = "remove"      // -  what a sink has published is taken away
	Move        Action = "move"        // →  only its address changes
)

// Symbol is the sign of an action in human output.
func (a Action) Symbol() string {
	switch a {
	case Authorize:
		return "+"
	case Import:
		return "<"
	case Reauthorize:
		return "±"
	case Refresh, Update:
		return "~"
	case Revoke, Remove:
		return "-"
	case Forget:
		return "."
	case Publish:
		return ">"
	case Move:
		return "→"
	}
	return " "
}

// Reason says why; it is separate from the action. The set is closed.
type Reason string

// The reasons.
const (
	ReasonNew               Reason = "new"
	ReasonTokenGiven        Reason = "token_given" // an import block, or oauthctl import
	ReasonScopesAdded       Reason = "scopes_added"
	ReasonScopesRemoved     Reason = "scopes_removed"
	ReasonClientChanged     Reason = "client_changed" // client id, secret, authentication
	ReasonServerChanged     Reason = "server_changed" // issuer or token endpoint: a replacement
	ReasonGrantChanged      Reason = "grant_changed"  // grant type or its settings
	ReasonAccountChanged    Reason = "account_changed"
	ReasonRedirectChanged   Reason = "redirect_changed"
	ReasonRefreshRejected   Reason = "refresh_rejected" // the server refused the refresh token
	ReasonRefreshEnded      Reason = "refresh_ended"    // the refresh token is at its end
	ReasonNoRefreshToken    Reason = "no_refresh_token" // expired, and nothing to refresh it with
	ReasonOutcomeUnknown    Reason = "outcome_unknown"  // a refresh was sent and no answer came
	ReasonLifetimesChanged  Reason = "lifetimes_changed"
	ReasonRequested         Reason = "requested" // -replace, -refresh-only, refresh
	ReasonRemoved           Reason = "removed"   // not in the configuration any more
	ReasonDestroy           Reason = "destroy"
	ReasonDependencyChanged Reason = "dependency_changed"
	ReasonMoved             Reason = "moved"            // a moved block: another address, the same consent
	ReasonLetGo             Reason = "let_go"           // a removed block: forget it, and leave the grant alone
	ReasonTriggered         Reason = "triggered"        // replace_triggered_by: another connection gets a new grant
	ReasonTargetChanged     Reason = "target_changed"   // of a sink: another place, or other settings of it
	ReasonNamesChanged      Reason = "names_changed"    // of a sink: other names are published
	ReasonValueChanged      Reason = "value_changed"    // of a sink: what was published is not the value any more
	ReasonStateChanges      Reason = "state_changes"    // of a sink: it publishes the state, and the same plan changes that
	ReasonTokenDue          Reason = "token_due"        // of a sink: an access token is due, and has to be renewed before it is published
	ReasonIncomplete        Reason = "incomplete"       // of a sink: publishing failed half-way
	ReasonSettingsChanged   Reason = "settings_changed" // provider's name, facts of the preset: what a refresh needs
)

// Want is one connection as the configuration wants it: provider resolved,
// grant decoded, everything that the comparison needs and nothing secret.
type Want struct {
	Addr      addr.Addr
	DependsOn []addr.Addr
	Provider  string // as in the configuration
	Title     string // of the server

	Issuer        string // "" if the server has none
	TokenEndpoint string // "" if discovery will say
	ClientID      string
	ClientAuth    string
	SecretEnds    time.Time // zero: not known
	Grant         string
	Interactive   bool              // the grant needs a person
	Way           string            // how a person consents: "browser", "device", "paste", "" (nobody is needed)
	WayReason     string            // why this way, if the configuration alone does not say so
	WayProblem    string            // why the way that was asked for cannot be gone
	Scopes        []string          // that will be asked for, Added included
	Added         []string          // that the provider's rules add (offline_access)
	ScopeNames    map[string]string // what the server calls some of them
	CanNarrow     bool              // a refresh may ask for fewer scopes
	RedirectURI   string
	Account       string
	Hosts         []string // that will be spoken to, sorted
	TokenHosts    []string // that helpers may hand the token to, sorted
	Access        time.Duration
	Refresh       time.Duration
	RefreshBefore time.Duration
	// Fingerprint: keyed digests of inputs whose change means a new consent, as in state.Info.
	// The names are those of the attributes.
	Fingerprint map[string]string
	Client      *state.Client   // what a refresh will need, as far as it is known before discovery; nil: not compared
	Exchange    *state.Exchange // of a grant that presents a token; nil: of no such grant
	Revocable   bool            // the server has a revocation endpoint (or may have: discovery will say)
	Notes       []string
	Unknown     []string // attributes not known until DependsOn are applied
	Import      bool     `json:",omitempty"` // a refresh token is given, for as long as it is not in the state
	// FromState names attributes that are known only because the state has the
	// connections in DependsOn; they become unknown when one of those changes.
	FromState []string

	Ignored     []string    // attributes whose differences are no change: ignore_changes
	TriggeredBy []addr.Addr // of DependsOn, those whose new grant asks for one here

	Sink *SinkWant // it is no connection but a sink, and has nothing of what only connections have
}

// Options are the wishes of one run.
type Options struct {
	Destroy     bool
	RefreshOnly bool
	Targets     []addr.Addr // with everything they depend on; empty: all
	Excludes    []addr.Addr
	Replace     []addr.Addr
	Refresh     []addr.Addr // connections to refresh on request
	NoRevoke    bool        // forget instead of revoking
	Consent     Consent
}

// Consent is what consents can count on where the plan is made: how a person is
// asked is part of it, and is kept with a saved one.
type Consent struct {
	Way       string // that was asked for: "browser", "device", "paste"; "": it is chosen
	NoBrowser string // why no browser can be opened; "": one can
	NoKeys    bool   // nobody can type or paste
}

// Change is what will happen to one connection or sink, and why.
type Change struct {
	Addr          addr.Addr
	MovedFrom     addr.Addr // where the record is until apply moves it; zero: it has not moved
	Action        Action
	Reasons       []Reason
	NeedsUser     bool
	Way           string
	WayReason     string
	Provider      string
	Title         string
	Grant         string
	ScopesAdded   []string          // asked for now and not granted before
	ScopesRemoved []string          // granted before and not wanted now
	Scopes        []string          // that will be asked for
	ScopesByRule  []string          // of these, added by the provider's rules
	ScopeNames    map[string]string // what the server calls some of them
	RedirectURI   string
	Account       string
	Hosts         []string
	TokenHosts    []string      // that helpers may hand the token to
	Access        time.Duration // expected lifetimes; 0: the server says
	Refresh       time.Duration
	Replaces      bool              // a grant with another server or client: the old secrets are not sent to the new one
	Revocable     bool              // the old grant can be revoked at the server
	Before, After map[string]string // settings that differ, by attribute name; nothing secret
	DependsOn     []addr.Addr
	Generation    uint64 // of the record that the plan was made from; 0: none
	Notes         []string
	Unknown       []string
	Publication   *Publication // of a sink; nil: nothing is done at its place
}

// Plan is the outcome of Compute: every connection that was looked at once, in
// address order, no-ops included. What Targets and Excludes leave out is not in it.
type Plan struct {
	Lineage   string // of the state; "" if there is none yet
	Serial    uint64 // configuration serial that the plan was made from
	Changes   []Change
	Options   Options
	CreatedAt time.Time
	Warnings  []Warning
	Checks    []schema.CheckResult // check blocks, as far as it can be known; the engine fills it
	Prevented []addr.Addr          // that would be destroyed, and must not be: prevent_destroy
	Outputs   []OutputChange       // that will be recorded with other values; the engine fills it
	// Recipients is a change of whom the state is encrypted for. Compute knows
	// nothing of it: whoever does fills it in.
	Recipients Recipients
}

// Recipients is a change of whom a state is encrypted for, by their names.
type Recipients struct {
	Added, Removed []string
	// Resealed is how many records are sealed again under a new data key,
	// because somebody is removed.
	Resealed int
}

// Empty reports whether it stays as it is.
func (r *Recipients) Empty() bool { return len(r.Added)+len(r.Removed) == 0 }

// Warning is something to know that changes nothing.
type Warning struct {
	Addr    addr.Addr
	Summary string
	Detail  string
}

// Counts are the numbers of the summary line.
type Counts struct {
	Authorize, Import, Reauthorize, Refresh, Update, Revoke, Forget, Publish, Remove int
	Move                                                                             int // and nothing else
	NoOp, NeedUser                                                                   int
}

// Input is everything that Compute looks at.
type Input struct {
	Wants     []Want                  // sorted by address
	Records   []*state.Record         // sorted by address; Info opened, Tokens not
	Moved     map[addr.Addr]addr.Addr // where records that have moved come from: see MoveRecords
	Removed   []schema.Removed        // removed blocks
	Protected func(addr.Addr) bool    // prevent_destroy; nil: nothing is
	Now       time.Time
	Lineage   string
	Serial    uint64
	Outputs   bool // what is recorded of outputs changes, and the state with it
	Options   Options
}

// Counts adds up the changes.
func (p *Plan) Counts() Counts {
	var n Counts
	for i := range p.Changes {
		c := &p.Changes[i]
		switch c.Action {
		case Authorize:
			n.Authorize++
		case Import:
			n.Import++
		case Reauthorize:
			n.Reauthorize++
		case Refresh:
			n.Refresh++
		case Update:
			n.Update++
		case Revoke:
			n.Revoke++
		case Forget:
			n.Forget++
		case Publish:
			n.Publish++
		case Remove:
			n.Remove++
		case Move:
			n.Move++
		case NoOp:
			n.NoOp++
		}
		if c.NeedsUser {
			n.NeedUser++
		}
	}
	return n
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool {
	for i := range p.Changes {
		if p.Changes[i].Action != NoOp {
			return false
		}
	}
	return len(p.Outputs) == 0
}

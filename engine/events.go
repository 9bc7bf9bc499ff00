package engine

import (
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Event is something that happened during Apply or Token.
type Event struct {
	Type    EventType
	Addr    addr.Addr
	Action  plan.Action
	Text    string
	Err     error
	Elapsed time.Duration
	At      time.Time
	// Of what was saved, with EventDone; zero: unknown, or nothing was saved.
	ExpiresAt        time.Time
	RefreshExpiresAt time.Time
	// Asked is what a person is being asked, with EventWaiting; nil: nobody is here
	// to be asked, and the connection waits for another run.
	Asked *Asked
}

// Asked is what a person is being asked: a page to open, or a code to enter.
// State, nonce and PKCE challenge are in the URL, as on a screen; no secret is.
type Asked struct {
	Way                     grant.Way
	URL                     string
	RedirectURI             string
	Listening               string // address that the answer has to reach; "": it is pasted
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	Account                 string
	Until                   time.Time
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

// emit tells the listener, one event at a time.
func (e *Engine) emit(ev Event) {
	if e.o.OnEvent == nil {
		return
	}
	e.events.Lock()
	defer e.events.Unlock()
	ev.At = e.now()
	e.o.OnEvent(ev)
}

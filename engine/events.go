package engine

import (
	"time"

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

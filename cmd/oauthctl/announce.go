package main

import (
	"context"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// announcer says what a person is asked in an event as well, so that another
// program can show it.
type announcer struct {
	grant.User
	event func(engine.Event)
}

// Open implements [grant.User].
func (a *announcer) Open(ctx context.Context, v grant.Visit) (func(), error) {
	a.visit(v, grant.WayBrowser)
	return a.User.Open(ctx, v)
}

// Paste implements [grant.User].
func (a *announcer) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	a.visit(v, grant.WayPaste)
	return a.User.Paste(ctx, v)
}

// Code implements [grant.User].
func (a *announcer) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	a.event(engine.Event{Type: engine.EventWaiting, Addr: d.Addr, Asked: &engine.Asked{
		Way: grant.WayDevice, UserCode: d.UserCode, VerificationURI: d.VerificationURI,
		VerificationURIComplete: d.VerificationURIComplete, Account: d.Account, Until: d.Deadline,
	}})
	return a.User.Code(ctx, d)
}

func (a *announcer) visit(v grant.Visit, way grant.Way) {
	a.event(engine.Event{Type: engine.EventWaiting, Addr: v.Addr, Text: v.Problem, Asked: &engine.Asked{
		Way: way, URL: v.URL, RedirectURI: v.RedirectURI, Listening: v.Listening, Account: v.Account, Until: v.Deadline,
	}})
}

// asked is the person at this terminal, and whoever reads the events.
func (c *cli) asked() grant.User { return &announcer{User: c.console(), event: c.event} }

// event shows an event. Those of the engine come one at a time, and those about
// a person beside them.
func (c *cli) event(e engine.Event) {
	c.telling.Lock()
	defer c.telling.Unlock()
	if e.At.IsZero() {
		e.At = c.Now()
	}
	c.view.Event(e)
}

package view

import (
	"strings"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// heading says in words what a change is.
func heading(c *plan.Change) string {
	switch c.Action {
	case plan.Authorize:
		return "will be authorized"
	case plan.Import:
		return "will be imported"
	case plan.Reauthorize:
		if c.NeedsUser {
			return "needs a new consent"
		}
		return "will be authorized again"
	case plan.Refresh:
		return "will be refreshed"
	case plan.Update:
		return "will be updated here, without a request"
	case plan.Revoke:
		return "will be revoked"
	case plan.Forget:
		if c.Addr.Kind == addr.KindSink {
			return "will be forgotten here, and left there"
		}
		return "will be forgotten here, not revoked there"
	case plan.Publish:
		return "will be published"
	case plan.Remove:
		return "will be removed from where it was published"
	case plan.Move:
		return "has moved here from " + Safe(c.MovedFrom.String())
	}
	return "stays as it is"
}

// headings is heading for many instances at once.
func headings(c *plan.Change) string {
	if s := heading(c); strings.HasPrefix(s, "needs ") {
		return "need " + strings.TrimPrefix(s, "needs ")
	}
	return heading(c)
}

// legend explains a sign.
var legend = []struct {
	action plan.Action
	words  string
}{
	{plan.Authorize, "authorize"},
	{plan.Import, "import a refresh token"},
	{plan.Reauthorize, "authorize again, replacing the present grant"},
	{plan.Refresh, "refresh"},
	{plan.Update, "update settings"},
	{plan.Revoke, "revoke"},
	{plan.Forget, "forget, without revoking"},
	{plan.Publish, "publish"},
	{plan.Remove, "remove what was published"},
	{plan.Move, "move to another address, tokens and all"},
}

// reason puts a reason into plain words.
func reason(r plan.Reason) string {
	switch r {
	case plan.ReasonNew:
		return "it is not in the state yet"
	case plan.ReasonTokenGiven:
		return "a refresh token is given for it, so that nobody has to consent"
	case plan.ReasonScopesAdded:
		return "scopes are added"
	case plan.ReasonScopesRemoved:
		return "scopes are removed"
	case plan.ReasonClientChanged:
		return "the client changed (id, secret or authentication)"
	case plan.ReasonServerChanged:
		return "the server changed (issuer or token endpoint)"
	case plan.ReasonGrantChanged:
		return "the grant or its settings changed"
	case plan.ReasonAccountChanged:
		return "another account is wanted"
	case plan.ReasonRedirectChanged:
		return "the redirect URI changed"
	case plan.ReasonRefreshRejected:
		return "the server refused the refresh token"
	case plan.ReasonRefreshEnded:
		return "the refresh token is at its end"
	case plan.ReasonNoRefreshToken:
		return "the access token ended and there is no refresh token"
	case plan.ReasonOutcomeUnknown:
		return "a refresh was sent and no answer came, so the refresh token may be spent"
	case plan.ReasonLifetimesChanged:
		return "the lifetimes in the configuration changed"
	case plan.ReasonRequested:
		return "you asked for it"
	case plan.ReasonRemoved:
		return "it is not in the configuration any more"
	case plan.ReasonDestroy:
		return "you asked to destroy"
	case plan.ReasonLetGo:
		return "a removed block says to forget it and to leave the grant alone"
	case plan.ReasonTriggered:
		return "a connection that it is tied to (replace_triggered_by) gets a new grant"
	case plan.ReasonMoved:
		return "a moved block says so; nobody has to consent again"
	case plan.ReasonTargetChanged:
		return "where it is published changed"
	case plan.ReasonNamesChanged:
		return "the names that are published changed"
	case plan.ReasonValueChanged:
		return "a value is not the one that was published"
	case plan.ReasonTokenDue:
		return "an access token is due, and will be renewed"
	case plan.ReasonStateChanges:
		return "the state changes, and is published when everything else is saved"
	case plan.ReasonIncomplete:
		return "publishing failed half-way the last time"
	case plan.ReasonDependencyChanged:
		return "a connection that it depends on changes"
	}
	return Safe(strings.ReplaceAll(string(r), "_", " "))
}

// way says how a person is needed.
func way(c *plan.Change) string {
	switch c.Way {
	case "browser":
		if c.WayReason != "" && strings.HasPrefix(c.WayReason, "no browser") {
			return "a person, in a browser whose answer comes back to this machine"
		}
		return "a person, in a browser on this machine"
	case "device":
		return "a person, who enters a code on any device"
	case "paste":
		if strings.HasPrefix(c.RedirectURI, "http://") { // on loopback: it is listened on as well
			return "a person, in any browser: the answer comes back here, or is pasted"
		}
		return "a person, who signs in anywhere and pastes the final address here"
	}
	return "a person"
}

// asks says what a person is asked to do.
func asks(a *engine.Asked) string {
	switch {
	case a.Way == "device":
		return "enter the code " + Safe(a.UserCode) + " at " + Safe(a.VerificationURI)
	case a.Listening == "":
		return "open the page, and give the address that the browser ends at"
	}
	return "open the page"
}

// consented says how a consent was given, where the grant does not say so itself.
func consented(in *state.Info) string {
	if in.Way == "device" && in.Grant != "device_code" {
		return "consented to by device code"
	}
	return ""
}

// condition puts a status into words.
func condition(s state.Status) string {
	switch s {
	case state.StatusOK:
		return "ok"
	case state.StatusNeedsConsent:
		return "needs consent"
	case state.StatusUnknown:
		return "outcome unknown"
	case state.StatusHandedOver:
		return "handed over"
	}
	return Safe(string(s))
}

// ing is what is going on while an action runs.
func ing(a plan.Action) string {
	switch a {
	case plan.Authorize:
		return "authorizing"
	case plan.Import:
		return "importing"
	case plan.Reauthorize:
		return "authorizing again"
	case plan.Refresh:
		return "refreshing"
	case plan.Update:
		return "updating"
	case plan.Revoke:
		return "revoking"
	case plan.Forget:
		return "forgetting"
	case plan.Publish:
		return "publishing"
	case plan.Remove:
		return "removing"
	case plan.Move:
		return "moving"
	}
	return "working"
}

// ed is what an action has done.
func ed(a plan.Action) string {
	switch a {
	case plan.Authorize:
		return "authorized"
	case plan.Import:
		return "imported"
	case plan.Reauthorize:
		return "reauthorized"
	case plan.Refresh:
		return "refreshed"
	case plan.Update:
		return "updated"
	case plan.Revoke:
		return "revoked"
	case plan.Forget:
		return "forgotten"
	case plan.Publish:
		return "published"
	case plan.Remove:
		return "removed"
	case plan.Move:
		return "moved"
	}
	return "done"
}

package plan

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// decider decides item after item, dependencies first.
type decider struct {
	in       Input
	graph    *graph
	changes  []Change // by index of the item
	warnings []Warning
	changing bool // something has to be done, besides publishing the state
}

// decide gives the change of one item; a zero Change if there is nothing to say about it.
func (d *decider) decide(it *item) Change {
	c := d.choose(it)
	if from := d.in.Moved[it.addr]; !from.IsZero() && it.rec != nil {
		c.MovedFrom = from
		if c.Action == NoOp {
			c.Action, c.Reasons = Move, []Reason{ReasonMoved}
		}
	}
	return c
}

func (d *decider) choose(it *item) Change {
	if it.addr.Kind == addr.KindSink {
		return d.sink(it)
	}
	o := &d.in.Options
	if it.want != nil && !o.Destroy {
		d.warnSecret(it.want)
	}
	switch {
	case o.Destroy && it.rec == nil:
		return Change{}
	case o.Destroy:
		return d.revoke(it.rec, ReasonDestroy)
	case o.RefreshOnly:
		return d.refreshOnly(it)
	case it.want == nil && d.letGo(it.addr):
		return d.revoke(it.rec, ReasonLetGo)
	case it.want == nil:
		return d.revoke(it.rec, ReasonRemoved)
	case it.rec == nil && it.want.Import && !contained(o.Replace, it.addr):
		return adopt(it.want)
	case it.rec == nil:
		return authorize(it.want)
	}
	return d.compare(it)
}

// authorize is the change for a connection that is not in the state.
func authorize(w *Want) Change {
	c := fromWant(w)
	c.Action, c.Reasons = Authorize, []Reason{ReasonNew}
	c.ScopesAdded = w.Scopes
	c.NeedsUser = w.Interactive
	c.Unknown = w.Unknown
	return c
}

// adopt is the change for a connection that is not in the state, and whose
// refresh token is given. Nobody is asked; what was granted, the server will say.
func adopt(w *Want) Change {
	c := fromWant(w)
	c.Action, c.Reasons = Import, []Reason{ReasonTokenGiven}
	c.Way, c.RedirectURI = "", ""
	c.Unknown = w.Unknown
	if w.Client == nil || w.Client.Rotation != "none" && w.Client.Rotation != "replaced" {
		c.Notes = append(c.Notes, "the refresh token is sent once, to prove it; if the server replaces it then, copies of it elsewhere end")
	}
	return c
}

// revoke is the change for a record that has to go. Where the server cannot
// revoke (Revocable is false), it is forgotten here and not revoked there,
// which is never called a revocation.
func (d *decider) revoke(r *state.Record, why Reason) Change {
	c := fromRecord(r)
	c.Action, c.Reasons = Revoke, []Reason{why}
	if r.Info != nil {
		c.ScopesRemoved = r.Info.Granted
		c.DependsOn = recordDeps(r)
	}
	switch {
	case d.in.Options.NoRevoke, why == ReasonLetGo:
		c.Action, c.Hosts = Forget, nil
		c.Notes = append(c.Notes, "forgotten here, and not revoked at the server, as requested")
	case r.Status == state.StatusHandedOver:
		c.Action, c.Hosts, c.Revocable = Forget, nil, false
		c.Notes = append(c.Notes, "its consent was handed over to another state, and is not revoked: revoke it there")
	case !c.Revocable:
		c.Action = Forget
		c.Notes = append(c.Notes, cannotRevoke(r))
	}
	return c
}

// cannotRevoke says what becomes of a grant whose server cannot revoke it.
func cannotRevoke(r *state.Record) string {
	s := "the server cannot revoke it, so what was granted lives on there until it ends"
	if r.Info != nil && r.Info.Client.RevocationNote != "" {
		s += ": " + r.Info.Client.RevocationNote
	}
	return s
}

// refreshOnly renews what the state has and can be renewed, and leaves everything else alone.
func (d *decider) refreshOnly(it *item) Change {
	if it.rec == nil {
		return noOp(fromWant(it.want))
	}
	c := fromRecord(it.rec)
	if it.rec.Status != state.StatusOK || !hasRefresh(it.rec) && !renewsItself(it.rec) {
		return noOp(c)
	}
	c.Action, c.Reasons = Refresh, []Reason{ReasonRequested}
	for _, s := range it.rec.Info.Exchange.Feeders() { // what feeds it is refreshed first
		if a, err := addr.Parse(s); err == nil {
			c.DependsOn = append(c.DependsOn, a)
		}
	}
	return c
}

func noOp(c Change) Change {
	c.Action = NoOp
	return c
}

// hasRefresh: there is a refresh token. Without one, a new consent is due when
// the access token ends.
func hasRefresh(r *state.Record) bool { return r.Info != nil && r.Info.HasRefresh }

// renewsItself: nobody consented, so that the client asks again.
func renewsItself(r *state.Record) bool {
	return r.Info != nil && (r.Info.Grant == "client_credentials" || r.Info.Exchange != nil)
}

// fromWant fills what a change says of the wish.
func fromWant(w *Want) Change {
	c := Change{
		Addr: w.Addr, Way: w.Way, WayReason: w.WayReason, Provider: w.Provider, Title: w.Title, Grant: w.Grant,
		Scopes: w.Scopes, ScopesByRule: w.Added, ScopeNames: w.ScopeNames, RedirectURI: w.RedirectURI, Account: w.Account,
		Hosts: w.Hosts, TokenHosts: w.TokenHosts, Access: w.Access, Refresh: w.Refresh,
		DependsOn: w.DependsOn, Notes: slices.Clip(w.Notes),
	}
	if w.Way == "device" { // nothing is redirected
		c.RedirectURI = ""
	}
	return c
}

// fromRecord fills what a change says of a record.
func fromRecord(r *state.Record) Change {
	c := Change{Addr: r.Addr, Provider: r.Provider, Generation: r.Generation}
	if r.Info == nil {
		return c
	}
	c.Title, c.Grant, c.Account = r.Info.Title, r.Info.Grant, r.Info.Account
	c.Revocable = revocable(r)
	if c.Revocable {
		c.Hosts = hostOf(r.Info.Client.RevocationEndpoint)
	}
	return c
}

func revocable(r *state.Record) bool {
	return r.Info != nil && r.Info.Client.RevocationEndpoint != ""
}

func hostOf(endpoint string) []string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}

// warnings that change nothing

// warnMargin is how long before the end of a refresh token a plan begins to
// say so; for short-lived ones, a fifth of their life.
const warnMargin = 7 * 24 * time.Hour

func (d *decider) warnEnd(r *state.Record) {
	end := r.RefreshExpiresAt
	left := end.Sub(d.in.Now)
	margin := warnMargin
	if life := end.Sub(r.Info.AuthorizedAt); !r.Info.AuthorizedAt.IsZero() {
		margin = min(margin, life/5)
	}
	if end.IsZero() || left <= 0 || left > margin || !hasRefresh(r) {
		return
	}
	d.warn(r.Addr, "A new consent will be due soon",
		"The refresh token ends on "+end.UTC().Format("2006-01-02 at 15:04 UTC")+
			". Until then nothing has to be done; to consent earlier, run: oauthctl apply -replace='"+r.Addr.String()+"'")
}

// secretMargin is how long before the end of a client secret a plan begins to
// say so: time to have a new one made.
const secretMargin = 30 * 24 * time.Hour

func (d *decider) warnSecret(w *Want) {
	left := w.SecretEnds.Sub(d.in.Now)
	if w.SecretEnds.IsZero() || left > secretMargin {
		return
	}
	summary := "The client secret has expired"
	switch {
	case left >= 48*time.Hour:
		summary = fmt.Sprintf("The client secret expires in %d days", left/(24*time.Hour))
	case left >= 2*time.Hour:
		summary = fmt.Sprintf("The client secret expires in %d hours", left/time.Hour)
	case left > 0:
		summary = "The client secret expires in less than two hours"
	}
	d.warn(w.Addr, summary, "secret_expires_at says "+w.SecretEnds.UTC().Format("2006-01-02 15:04 UTC")+
		". Have a new secret made, set client_secret and secret_expires_at, and run oauthctl apply.")
}

func (d *decider) warn(a addr.Addr, summary, detail string) {
	d.warnings = append(d.warnings, Warning{Addr: a, Summary: summary, Detail: detail})
}

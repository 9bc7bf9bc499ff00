package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// difference gathers what differs between a want and its record.
type difference struct {
	w       *Want
	r       *state.Record
	info    *state.Info
	unknown []string
	ignored []string
	c       *Change
}

// rank orders the actions that a comparison can lead to: the strongest wins.
func rank(a Action) int {
	return slices.Index([]Action{NoOp, Update, Refresh, Reauthorize, Publish}, a)
}

func (d *difference) add(a Action, why Reason) {
	if rank(a) > rank(d.c.Action) {
		d.c.Action = a
	}
	if !slices.Contains(d.c.Reasons, why) {
		d.c.Reasons = append(d.c.Reasons, why)
	}
}

func (d *difference) show(name, before, after string) {
	if d.c.Before == nil {
		d.c.Before, d.c.After = map[string]string{}, map[string]string{}
	}
	d.c.Before[name], d.c.After[name] = before, after
}

// known reports whether an attribute is to be compared: it is known, and not ignored.
func (d *difference) known(attr string) bool {
	return !slices.Contains(d.unknown, attr) && !slices.Contains(d.ignored, attr)
}

// renew is what a change of the client's own credentials leads to: a person's
// consent survives it, so that a refresh with the new ones proves that they
// work; where nobody is needed, a new grant does.
func (d *difference) renew() Action {
	if d.w.Interactive {
		return Refresh
	}
	return Reauthorize
}

// compare decides about a connection that is wanted and held.
func (d *decider) compare(it *item) Change {
	w, r := it.want, it.rec
	c := noOp(fromWant(w))
	c.Generation, c.Revocable = r.Generation, revocable(r)
	info := r.Info
	if info == nil {
		info = &state.Info{}
	}
	if r.Status == state.StatusHandedOver && !contained(d.in.Options.Replace, w.Addr) {
		c.Notes = append(c.Notes, handedOver)
		return c
	}
	x := &difference{w: w, r: r, info: info, unknown: w.Unknown, ignored: w.Ignored, c: &c}
	if len(w.Unknown)+len(w.FromState)+len(w.Exchange.Feeders()) > 0 && d.dependencyChanges(it) {
		x.unknown = append(slices.Clone(w.Unknown), w.FromState...)
		slices.Sort(x.unknown)
		x.add(Reauthorize, ReasonDependencyChanged)
	}
	x.server()
	x.elsewhere()
	x.client()
	x.grant()
	x.exchange()
	x.account()
	x.scopes()
	x.redirect()
	x.health(d.in.Now)
	x.lifetimes()
	x.settings()
	d.requested(x)
	d.triggered(it, x)
	c.Unknown = x.unknown
	c.NeedsUser = c.Action == Reauthorize && w.Interactive
	if c.NeedsUser && !c.Revocable && (c.Replaces || slices.Contains(c.Reasons, ReasonAccountChanged)) {
		c.Notes = append(c.Notes, "the present grant: "+cannotRevoke(r))
	}
	if c.Action == NoOp {
		d.warnScopes(x)
	}
	if c.Action != Reauthorize && w.Interactive && r.Info != nil {
		d.warnEnd(r)
	}
	return c
}

// handedOver is said of a connection whose tokens are in another state. What the
// configuration wants of it is for the plan there; here, only a new consent could
// bring it about, and nobody is asked for that unless it is wished.
const handedOver = "its consent was handed over to another state, where it is kept; for one of its own here, use -replace"

// dependencyChanges reports whether something that the item depends on gets a new grant.
func (d *decider) dependencyChanges(it *item) bool {
	return slices.ContainsFunc(it.deps, func(i int) bool {
		return begins(d.changes[i].Action)
	})
}

// begins: the connection gets another grant than it has.
func begins(a Action) bool { return a == Authorize || a == Reauthorize || a == Import }

// server compares issuer and token endpoint where both sides know them. If they
// have neither in common, nothing proves that it is still the same server.
func (d *difference) server() {
	if slices.ContainsFunc(d.unknown, func(s string) bool { return !slices.Contains(compared, s) }) {
		return // an argument of the provider: where the server is will be known later
	}
	old, comparable, changed := d.info.Client, false, false
	for _, f := range []struct{ name, before, after string }{
		{"issuer", old.Issuer, d.w.Issuer},
		{"token_endpoint", old.TokenEndpoint, d.w.TokenEndpoint},
	} {
		if f.before == "" || f.after == "" {
			continue
		}
		comparable = true
		if f.before != f.after {
			changed = true
			d.show(f.name, f.before, f.after)
		}
	}
	if !comparable && (d.w.Issuer != "" || d.w.TokenEndpoint != "") {
		changed = true
		d.show("server", cmp.Or(old.Issuer, old.TokenEndpoint), cmp.Or(d.w.Issuer, d.w.TokenEndpoint))
	}
	if changed {
		d.c.Replaces = true
		d.add(Reauthorize, ReasonServerChanged)
	}
}

// compared are the attributes whose values are compared one by one; others are
// arguments of the provider.
var compared = []string{
	"client_id", "client_secret", "client_auth", "client_assertion", "scopes", "redirect_uris", "account", "hosts",
	"resource", "audience", "authorize_params", "token_params", "description", "application_type", "token_lifetimes", "grant", "unknown_outcome",
}

func (d *difference) client() {
	old := d.info.Client
	if d.known("client_id") && old.ClientID != d.w.ClientID {
		d.c.Replaces = true
		d.show("client_id", old.ClientID, d.w.ClientID)
		d.add(Reauthorize, ReasonClientChanged)
	}
	if d.known("client_auth") && old.Auth != "" && d.w.ClientAuth != "" && old.Auth != d.w.ClientAuth {
		d.show("client_auth", old.Auth, d.w.ClientAuth)
		d.add(d.renew(), ReasonClientChanged)
	}
	if d.digestDiffers("client_secret") {
		d.show("client_secret", "(sensitive)", "(sensitive, changed)")
		d.add(d.renew(), ReasonClientChanged)
	}
	d.assertion()
}

// digestDiffers compares one fingerprint; a name that is missing on one side
// counts as empty. Those of the grant are unknown together.
func (d *difference) digestDiffers(name string) bool {
	return d.known(name) && (d.known("grant") || credential(name)) && d.info.Fingerprint[name] != d.w.Fingerprint[name]
}

// credential reports whether a fingerprint is of the client, and not of the grant.
func credential(name string) bool { return name == "client_secret" || name == "private_key" }

func (d *difference) grant() {
	if d.info.Grant != d.w.Grant && !slices.Contains(d.ignored, "grant") {
		d.show("grant", d.info.Grant, d.w.Grant)
		d.add(Reauthorize, ReasonGrantChanged)
	}
	for _, name := range d.digestNames() {
		if !credential(name) && d.digestDiffers(name) {
			d.show(name, "", "(changed)")
			d.add(Reauthorize, ReasonGrantChanged)
		}
	}
}

func (d *difference) digestNames() []string {
	if len(d.info.Fingerprint)+len(d.w.Fingerprint) == 0 {
		return nil
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(d.info.Fingerprint)), maps.Keys(d.w.Fingerprint))
	slices.Sort(names)
	return slices.Compact(names)
}

// account compares the account only if one is wanted: without one, whoever
// consented is welcome.
func (d *difference) account() {
	if !d.known("account") || d.w.Account == "" || !d.w.Interactive {
		return
	}
	if strings.EqualFold(d.w.Account, d.info.Account) || d.w.Account == d.info.Subject {
		return
	}
	d.show("account", d.info.Account, d.w.Account)
	d.add(Reauthorize, ReasonAccountChanged)
}

// scopes: granted ⊇ wanted is no drift. What was asked for and not granted was
// refused or is never listed by the server; asking again would change nothing.
func (d *difference) scopes() {
	if !d.known("scopes") {
		return
	}
	had := d.info.Requested
	if had == nil && len(d.w.Scopes) > 0 { // asking for nothing takes what the server gives
		had = d.info.Granted
	}
	added := minus(minus(d.w.Scopes, d.info.Granted), d.info.Requested)
	removed := minus(had, d.w.Scopes)
	d.c.ScopesAdded, d.c.ScopesRemoved = added, removed
	if len(added) > 0 {
		d.add(Reauthorize, ReasonScopesAdded)
	}
	if len(removed) == 0 {
		return
	}
	if d.w.CanNarrow {
		d.add(Refresh, ReasonScopesRemoved)
		return
	}
	d.add(Update, ReasonScopesRemoved)
	if len(added) == 0 {
		d.c.Notes = append(d.c.Notes, "the server keeps granting the removed scopes until there is a new consent (-replace)")
	}
}

// minus lists what is in a and not in b, in the order of a.
func minus(a, b []string) []string {
	if slices.Equal(a, b) {
		return nil
	}
	has := func(s string) bool { return slices.Contains(b, s) }
	if len(b) > 16 {
		set := make(map[string]bool, len(b))
		for _, s := range b {
			set[s] = true
		}
		has = func(s string) bool { return set[s] }
	}
	var out []string
	for _, s := range a {
		if !has(s) {
			out = append(out, s)
		}
	}
	return out
}

// redirect: a grant does not depend on the URI at which its code arrived, so
// that a new one matters at the next consent only.
func (d *difference) redirect() {
	if !d.known("redirect_uris") || d.info.RedirectURI == d.w.RedirectURI {
		return
	}
	d.show("redirect_uri", d.info.RedirectURI, d.w.RedirectURI)
	d.add(Update, ReasonRedirectChanged)
}

// health looks at what became of the grant since. An access token that has
// expired is no change while it can be refreshed.
func (d *difference) health(now time.Time) {
	ended := d.w.Interactive && !d.r.RefreshExpiresAt.IsZero() && !now.Before(d.r.RefreshExpiresAt)
	switch {
	case d.r.Status == state.StatusUnknown:
		d.add(Reauthorize, ReasonOutcomeUnknown)
	case ended && !hasRefresh(d.r):
		d.add(Reauthorize, ReasonNoRefreshToken)
	case ended:
		d.add(Reauthorize, ReasonRefreshEnded)
	case d.r.Status == state.StatusNeedsConsent:
		d.add(Reauthorize, ReasonRefreshRejected)
	}
}

func (d *difference) lifetimes() {
	if !d.known("token_lifetimes") {
		return
	}
	for _, f := range []struct {
		name          string
		before, after time.Duration
	}{
		{"token_lifetimes.access", d.info.Access, d.w.Access},
		{"token_lifetimes.refresh", d.info.Refresh, d.w.Refresh},
		{"token_lifetimes.refresh_before", d.info.RefreshBefore, d.w.RefreshBefore},
	} {
		if f.before != f.after {
			d.show(f.name, lifetime(f.before), lifetime(f.after))
			d.add(Update, ReasonLifetimesChanged)
		}
	}
}

func lifetime(v time.Duration) string {
	if v == 0 {
		return ""
	}
	return schema.FormatDuration(v)
}

// settings compares what a later refresh will need besides all that.
func (d *difference) settings() {
	if d.info.Provider != d.w.Provider {
		d.show("provider", d.info.Provider, d.w.Provider)
		d.add(Update, ReasonSettingsChanged)
	}
	if d.known("hosts") && !slices.Equal(d.info.Hosts, d.w.TokenHosts) {
		d.show("hosts", strings.Join(d.info.Hosts, ", "), strings.Join(d.w.TokenHosts, ", "))
		d.add(Update, ReasonSettingsChanged)
	}
	if d.w.Client == nil {
		return
	}
	if d.known("token_params") && !maps.Equal(d.info.Client.TokenParams, d.w.Client.TokenParams) {
		d.show("token_params", "", "(changed)")
		d.add(d.renew(), ReasonSettingsChanged)
	}
	if old, now := d.info.Client.UnknownOutcome, d.w.Client.UnknownOutcome; old != now && d.known("unknown_outcome") {
		d.show("unknown_outcome", cmp.Or(old, "retry_once"), cmp.Or(now, "retry_once"))
		d.add(Update, ReasonSettingsChanged)
	}
	for _, name := range clientFacts(&d.info.Client, d.w.Client) {
		if _, shown := d.c.After[name]; shown {
			continue
		}
		d.show(name, "", "(changed)")
		d.add(Update, ReasonSettingsChanged)
	}
}

// clientFacts names the facts of the server that differ. What is empty now was
// filled by discovery, or will be, and is not compared.
func clientFacts(old, now *state.Client) []string {
	var names []string
	note := func(name string, differs bool) {
		if differs {
			names = append(names, name)
		}
	}
	endpoint := func(name, before, after string) { note(name, after != "" && before != after) }
	endpoint("refresh_endpoint", old.RefreshEndpoint, now.RefreshEndpoint)
	endpoint("revocation_endpoint", old.RevocationEndpoint, now.RevocationEndpoint)
	endpoint("introspection_endpoint", old.IntrospectionEndpoint, now.IntrospectionEndpoint)
	endpoint("jwks_uri", old.JWKSURI, now.JWKSURI)
	note("scope_separator", old.ScopeSeparator != now.ScopeSeparator)
	note("rotation", old.Rotation != now.Rotation || old.Grace != now.Grace || old.BlastRadius != now.BlastRadius)
	note("revocation_note", old.RevocationNote != now.RevocationNote)
	note("quirks", !slices.Equal(old.Quirks, now.Quirks))
	note("origin", old.Origin != now.Origin)
	return names
}

// requested adds what this run was asked to do.
func (d *decider) requested(x *difference) {
	if contained(d.in.Options.Replace, x.w.Addr) {
		x.add(Reauthorize, ReasonRequested)
	}
	if contained(d.in.Options.Refresh, x.w.Addr) {
		x.add(Refresh, ReasonRequested)
	}
}

// unlisted are scopes that ask for something else than a right; servers often
// leave them out of what they say they granted.
var unlisted = []string{"openid", "profile", "email", "address", "phone", "offline_access"}

func (d *decider) warnScopes(x *difference) {
	if len(x.info.Granted) == 0 || !x.known("scopes") {
		return
	}
	missing := minus(minus(minus(x.w.Scopes, x.info.Granted), x.w.Added), unlisted)
	if len(missing) == 0 {
		return
	}
	d.warn(x.w.Addr, "Scopes were asked for and not granted",
		"The server did not grant "+strings.Join(missing, ", ")+
			". To ask again, run: oauthctl apply -replace='"+x.w.Addr.String()+"'")
}

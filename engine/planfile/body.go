package planfile

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// body is what the file says. Durations are whole nanoseconds, so that nothing
// is lost on the way.
type body struct {
	Program    string                     `json:"oauthctl_version"`
	Sandbox    bool                       `json:"sandbox,omitempty"`
	CreatedAt  time.Time                  `json:"created_at"`
	Lineage    string                     `json:"lineage,omitempty"`
	Serial     uint64                     `json:"serial"`
	Options    options                    `json:"options"`
	Changes    []change                   `json:"changes"`
	Warnings   []warning                  `json:"warnings,omitempty"`
	Checks     []check                    `json:"checks,omitempty"`
	Prevented  []string                   `json:"prevented,omitempty"`
	Recipients recipients                 `json:"recipients"`
	Outputs    []output                   `json:"outputs,omitempty"`
	Salt       string                     `json:"salt"`
	Files      map[string]string          `json:"files"`
	Values     map[string]json.RawMessage `json:"variables"`
	Secrets    map[string]string          `json:"variables_to_give_again"`
	Inputs     map[string]string          `json:"inputs"`
}

type options struct {
	Destroy     bool     `json:"destroy,omitempty"`
	RefreshOnly bool     `json:"refresh_only,omitempty"`
	Targets     []string `json:"targets,omitempty"`
	Excludes    []string `json:"excludes,omitempty"`
	Replace     []string `json:"replace,omitempty"`
	Refresh     []string `json:"refresh,omitempty"`
	NoRevoke    bool     `json:"no_revoke,omitempty"`
	Consent     consent  `json:"consent,omitzero"`
}

// consent is what consents can count on; see [plan.Consent].
type consent struct {
	Way       string `json:"way,omitempty"`
	NoBrowser string `json:"no_browser,omitempty"`
	NoKeys    bool   `json:"no_keys,omitempty"`
}

type recipients struct {
	Added    []string `json:"added,omitempty"`
	Removed  []string `json:"removed,omitempty"`
	Resealed int      `json:"resealed,omitempty"`
}

type warning struct {
	Address string `json:"address,omitempty"`
	Summary string `json:"summary"`
	Detail  string `json:"detail,omitempty"`
}

// check is what a check block said, and where it begins.
type check struct {
	Name     string         `json:"name"`
	Status   schema.Verdict `json:"status"`
	Problems []string       `json:"problems,omitempty"`
	File     string         `json:"file"`
	Line     int            `json:"line"`
}

// change is one connection; see [plan.Change].
type change struct {
	Address       string            `json:"address"`
	MovedFrom     string            `json:"moved_from,omitempty"`
	Action        plan.Action       `json:"action"`
	Reasons       []plan.Reason     `json:"reasons,omitempty"`
	NeedsUser     bool              `json:"needs_user,omitempty"`
	Way           string            `json:"way,omitempty"`
	WayReason     string            `json:"way_reason,omitempty"`
	Provider      string            `json:"provider,omitempty"`
	Title         string            `json:"provider_title,omitempty"`
	Grant         string            `json:"grant,omitempty"`
	ScopesAdded   []string          `json:"scopes_added,omitempty"`
	ScopesRemoved []string          `json:"scopes_removed,omitempty"`
	Scopes        []string          `json:"scopes,omitempty"`
	ScopesByRule  []string          `json:"scopes_by_rule,omitempty"`
	ScopeNames    map[string]string `json:"scope_names,omitempty"`
	RedirectURI   string            `json:"redirect_uri,omitempty"`
	Account       string            `json:"account,omitempty"`
	Hosts         []string          `json:"hosts,omitempty"`
	TokenHosts    []string          `json:"token_hosts,omitempty"`
	Access        time.Duration     `json:"access_nanoseconds,omitempty"`
	Refresh       time.Duration     `json:"refresh_nanoseconds,omitempty"`
	Replaces      bool              `json:"replaces,omitempty"`
	Revocable     bool              `json:"revocable,omitempty"`
	Before        map[string]string `json:"before,omitempty"`
	After         map[string]string `json:"after,omitempty"`
	DependsOn     []string          `json:"depends_on,omitempty"`
	Generation    uint64            `json:"generation,omitempty"`
	Notes         []string          `json:"notes,omitempty"`
	Unknown       []string          `json:"unknown,omitempty"`
	Publication   *publication      `json:"publication,omitempty"`
}

// publication is what is done at the place of a sink; see [plan.Publication].
// output is a change of an output. What is sensitive has no values.
type output struct {
	Name      string            `json:"name"`
	Action    plan.OutputAction `json:"action"`
	Sensitive bool              `json:"sensitive,omitempty"`
	Before    *value            `json:"before,omitempty"`
	After     *value            `json:"after,omitempty"`
}

// value is one side of it, without Known if it is not known.
type value struct {
	Known json.RawMessage `json:"known,omitempty"`
}

type publication struct {
	Place   string   `json:"place"`
	Names   []string `json:"names,omitempty"`
	Removed []string `json:"removed,omitempty"`
	From    []string `json:"from,omitempty"`
}

func bodyOf(f *File) *body {
	p := f.Plan
	b := &body{
		Program: f.Program, Sandbox: f.Sandbox, CreatedAt: p.CreatedAt, Lineage: p.Lineage, Serial: p.Serial,
		Options: options{
			Destroy: p.Options.Destroy, RefreshOnly: p.Options.RefreshOnly, NoRevoke: p.Options.NoRevoke, Consent: consent(p.Options.Consent),
			Targets: names(p.Options.Targets), Excludes: names(p.Options.Excludes),
			Replace: names(p.Options.Replace), Refresh: names(p.Options.Refresh),
		},
		Changes: changesOf(p.Changes), Prevented: names(p.Prevented), Recipients: recipients(p.Recipients),
		Salt: f.Salt, Files: f.Files, Values: f.Values, Secrets: f.Secrets, Inputs: f.Inputs,
	}
	for _, o := range p.Outputs {
		b.Outputs = append(b.Outputs, output{o.Name, o.Action, o.Sensitive, valueOf(o.Before), valueOf(o.After)})
	}
	for _, w := range p.Warnings {
		b.Warnings = append(b.Warnings, warning{w.Addr.String(), w.Summary, w.Detail})
	}
	for _, r := range p.Checks {
		b.Checks = append(b.Checks, check{r.Name, r.Verdict, r.Problems, r.Range.Filename, r.Range.Start.Line})
	}
	return b
}

// valueOf is nil for no value.
func valueOf(v cty.Value) *value {
	if v == cty.NilVal {
		return nil
	}
	text, err := schema.EncodeValue(v)
	if !v.IsWhollyKnown() || err != nil { // no form in JSON: as good as not known
		return &value{}
	}
	return &value{text}
}

func changesOf(list []plan.Change) []change {
	out := make([]change, len(list))
	for i := range list {
		c := &list[i]
		out[i] = change{
			Address: c.Addr.String(), MovedFrom: c.MovedFrom.String(), Action: c.Action, Reasons: c.Reasons,
			NeedsUser: c.NeedsUser, Way: c.Way, WayReason: c.WayReason, Provider: c.Provider, Title: c.Title, Grant: c.Grant,
			ScopesAdded: c.ScopesAdded, ScopesRemoved: c.ScopesRemoved, Scopes: c.Scopes, ScopesByRule: c.ScopesByRule,
			ScopeNames: c.ScopeNames, RedirectURI: c.RedirectURI, Account: c.Account, Hosts: c.Hosts, TokenHosts: c.TokenHosts,
			Access: c.Access, Refresh: c.Refresh, Replaces: c.Replaces, Revocable: c.Revocable,
			Before: c.Before, After: c.After, DependsOn: names(c.DependsOn), Generation: c.Generation,
			Notes: c.Notes, Unknown: c.Unknown,
		}
		if p := c.Publication; p != nil {
			out[i].Publication = &publication{p.Place, p.Names, p.Removed, names(p.From)}
		}
	}
	return out
}

func (b *body) file() (*File, error) {
	r := &reader{}
	p := &plan.Plan{
		Lineage: b.Lineage, Serial: b.Serial, CreatedAt: b.CreatedAt,
		Options: plan.Options{
			Destroy: b.Options.Destroy, RefreshOnly: b.Options.RefreshOnly, NoRevoke: b.Options.NoRevoke, Consent: plan.Consent(b.Options.Consent),
			Targets: r.addrs(b.Options.Targets), Excludes: r.addrs(b.Options.Excludes),
			Replace: r.addrs(b.Options.Replace), Refresh: r.addrs(b.Options.Refresh),
		},
		Prevented: r.addrs(b.Prevented), Recipients: plan.Recipients(b.Recipients),
		Changes: make([]plan.Change, len(b.Changes)),
	}
	for i := range b.Changes {
		p.Changes[i] = r.change(&b.Changes[i])
		if i > 0 && addr.Compare(p.Changes[i-1].Addr, p.Changes[i].Addr) >= 0 {
			return nil, fmt.Errorf("the changes are not in order at %s", p.Changes[i].Addr)
		}
	}
	for _, o := range b.Outputs {
		p.Outputs = append(p.Outputs, plan.OutputChange{Name: o.Name, Action: o.Action, Sensitive: o.Sensitive, Before: r.value(o.Before), After: r.value(o.After)})
	}
	for _, w := range b.Warnings {
		p.Warnings = append(p.Warnings, plan.Warning{Addr: r.addr(w.Address), Summary: w.Summary, Detail: w.Detail})
	}
	for _, c := range b.Checks {
		result := schema.CheckResult{Name: c.Name, Verdict: c.Status, Problems: c.Problems}
		result.Range.Filename, result.Range.Start.Line = c.File, c.Line
		p.Checks = append(p.Checks, result)
	}
	return &File{
		Program: b.Program, Sandbox: b.Sandbox, Plan: p, Salt: b.Salt, Files: b.Files,
		Values: b.Values, Secrets: b.Secrets, Inputs: b.Inputs,
	}, r.err
}

// reader turns texts into addresses; the first error sticks.
type reader struct{ err error }

func (r *reader) addr(s string) addr.Addr {
	if s == "" {
		return addr.Addr{}
	}
	a, err := addr.Parse(s)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

func (r *reader) value(v *value) cty.Value {
	switch {
	case v == nil:
		return cty.NilVal
	case v.Known == nil:
		return cty.DynamicVal
	}
	known, err := schema.DecodeValue(v.Known)
	if err != nil && r.err == nil {
		r.err = err
	}
	return known
}

func (r *reader) addrs(list []string) []addr.Addr {
	var out []addr.Addr
	for _, s := range list {
		out = append(out, r.addr(s))
	}
	return out
}

func (r *reader) change(c *change) plan.Change {
	out := plan.Change{
		Addr: r.addr(c.Address), MovedFrom: r.addr(c.MovedFrom), Action: c.Action, Reasons: c.Reasons,
		NeedsUser: c.NeedsUser, Way: c.Way, WayReason: c.WayReason, Provider: c.Provider, Title: c.Title, Grant: c.Grant,
		ScopesAdded: c.ScopesAdded, ScopesRemoved: c.ScopesRemoved, Scopes: c.Scopes, ScopesByRule: c.ScopesByRule,
		ScopeNames: c.ScopeNames, RedirectURI: c.RedirectURI, Account: c.Account, Hosts: c.Hosts, TokenHosts: c.TokenHosts,
		Access: c.Access, Refresh: c.Refresh, Replaces: c.Replaces, Revocable: c.Revocable,
		Before: c.Before, After: c.After, DependsOn: r.addrs(c.DependsOn), Generation: c.Generation,
		Notes: c.Notes, Unknown: c.Unknown,
	}
	if p := c.Publication; p != nil {
		out.Publication = &plan.Publication{Place: p.Place, Names: p.Names, Removed: p.Removed, From: r.addrs(p.From)}
	}
	return out
}

func names(list []addr.Addr) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

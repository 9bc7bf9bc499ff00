package view

import (
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

type jsonPlan struct {
	jsonHead
	Timestamp *time.Time    `json:"timestamp,omitempty"`
	Lineage   string        `json:"lineage,omitempty"`
	Serial    uint64        `json:"serial"`
	Options   jsonOptions   `json:"options"`
	Changes   []jsonChange  `json:"changes"`
	Summary   jsonCounts    `json:"summary"`
	Warnings  []jsonWarning `json:"warnings"`
	Checks    []jsonCheck   `json:"checks,omitempty"`
	// For whom the state will be encrypted besides, or not any more.
	Recipients *jsonRecipients    `json:"recipients,omitempty"`
	Outputs    []jsonOutputChange `json:"output_changes,omitempty"`
}

// jsonOutputChange is an output that will be recorded with another value. Those of
// sensitive ones are left out.
type jsonOutputChange struct {
	Name      string            `json:"name"`
	Action    plan.OutputAction `json:"action"`
	Sensitive bool              `json:"sensitive"`
	Before    *jsonOutput       `json:"before,omitempty"`
	After     *jsonOutput       `json:"after,omitempty"`
}

func jsonOutputChangesOf(list []plan.OutputChange) []jsonOutputChange {
	var out []jsonOutputChange
	side := func(v cty.Value) *jsonOutput {
		if v == cty.NilVal {
			return nil
		}
		o := jsonOutputOf(schema.Output{Value: v})
		return &o
	}
	for _, c := range list {
		out = append(out, jsonOutputChange{c.Name, c.Action, c.Sensitive, side(c.Before), side(c.After)})
	}
	return out
}

type jsonRecipients struct {
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`
	Resealed int      `json:"resealed_records"`
}

func jsonRecipientsOf(r *plan.Recipients) *jsonRecipients {
	if r.Empty() {
		return nil
	}
	return &jsonRecipients{list(r.Added), list(r.Removed), r.Resealed}
}

type jsonOptions struct {
	Destroy     bool     `json:"destroy"`
	RefreshOnly bool     `json:"refresh_only"`
	Targets     []string `json:"targets"`
	Excludes    []string `json:"excludes"`
	Replace     []string `json:"replace"`
	Refresh     []string `json:"refresh"`
	Consent     string   `json:"consent,omitempty"`
}

type jsonWarning struct {
	Address string `json:"address,omitempty"`
	Summary string `json:"summary"`
	Detail  string `json:"detail"`
}

// jsonChange is one connection or sink of a plan.
type jsonChange struct {
	Address       string            `json:"address"`
	MovedFrom     string            `json:"moved_from,omitempty"`
	Name          string            `json:"name"`
	Key           *string           `json:"key,omitempty"`
	Action        plan.Action       `json:"action"`
	Reasons       []plan.Reason     `json:"reasons"`
	NeedsUser     bool              `json:"needs_user"`
	Way           string            `json:"way,omitempty"`
	WayReason     string            `json:"way_reason,omitempty"`
	Provider      string            `json:"provider,omitempty"`
	Title         string            `json:"provider_title,omitempty"`
	Grant         string            `json:"grant,omitempty"`
	Scopes        []string          `json:"scopes"`
	ScopesAdded   []string          `json:"scopes_added"`
	ScopesRemoved []string          `json:"scopes_removed"`
	ScopesByRule  []string          `json:"scopes_by_rule"`
	ScopeNames    map[string]string `json:"scope_names,omitempty"`
	RedirectURI   string            `json:"redirect_uri,omitempty"`
	Account       string            `json:"account,omitempty"`
	Hosts         []string          `json:"hosts"`
	TokenHosts    []string          `json:"token_hosts,omitempty"`
	Access        int64             `json:"access_seconds,omitempty"`
	Refresh       int64             `json:"refresh_seconds,omitempty"`
	Replaces      bool              `json:"replaces"`
	Revocable     bool              `json:"revocable"`
	Before        map[string]string `json:"before,omitempty"`
	After         map[string]string `json:"after,omitempty"`
	DependsOn     []string          `json:"depends_on"`
	Generation    uint64            `json:"generation"`
	Notes         []string          `json:"notes"`
	Unknown       []string          `json:"unknown"`
	Publication   *jsonPublication  `json:"publication,omitempty"`
}

// jsonPublication is what is done at the place of a sink.
type jsonPublication struct {
	Place   string   `json:"place"`
	Names   []string `json:"names"`
	Removed []string `json:"removed"`
	From    []string `json:"from"`
}

// Plan implements View.
func (j *programs) Plan(pl *plan.Plan) {
	if j.o.Stream {
		j.planEvents(pl)
		return
	}
	doc := jsonPlan{
		jsonHead: j.head(), Timestamp: at(pl.CreatedAt), Lineage: pl.Lineage, Serial: pl.Serial,
		Options: jsonOptions{
			Destroy: pl.Options.Destroy, RefreshOnly: pl.Options.RefreshOnly, Targets: names(pl.Options.Targets),
			Excludes: names(pl.Options.Excludes), Replace: names(pl.Options.Replace), Refresh: names(pl.Options.Refresh), Consent: pl.Options.Consent.Way,
		},
		Changes:  make([]jsonChange, len(pl.Changes)),
		Summary:  jsonCounts(pl.Counts()),
		Warnings: []jsonWarning{}, Checks: jsonChecks(pl.Checks), Recipients: jsonRecipientsOf(&pl.Recipients),
		Outputs: jsonOutputChangesOf(pl.Outputs),
	}
	for i := range pl.Changes {
		doc.Changes[i] = jsonChangeOf(&pl.Changes[i])
	}
	for _, w := range pl.Warnings {
		doc.Warnings = append(doc.Warnings, jsonWarning{w.Addr.String(), w.Summary, j.o.commands(w.Detail)})
	}
	write(j.o.Out, doc)
}

func jsonChangeOf(c *plan.Change) jsonChange {
	out := jsonChange{
		Address: c.Addr.String(), MovedFrom: c.MovedFrom.String(), Name: c.Addr.Name, Action: c.Action, Reasons: list(c.Reasons),
		NeedsUser: c.NeedsUser, Way: c.Way, WayReason: c.WayReason, Provider: c.Provider, Title: c.Title, Grant: c.Grant,
		Scopes: list(c.Scopes), ScopesAdded: list(c.ScopesAdded), ScopesRemoved: list(c.ScopesRemoved), ScopesByRule: list(c.ScopesByRule), ScopeNames: c.ScopeNames,
		RedirectURI: c.RedirectURI, Account: c.Account, Hosts: list(c.Hosts), TokenHosts: c.TokenHosts,
		Access: seconds(c.Access), Refresh: seconds(c.Refresh), Replaces: c.Replaces, Revocable: c.Revocable,
		Before: c.Before, After: c.After, DependsOn: names(c.DependsOn), Generation: c.Generation,
		Notes: list(c.Notes), Unknown: list(c.Unknown),
	}
	if p := c.Publication; p != nil {
		out.Publication = &jsonPublication{Place: p.Place, Names: list(p.Names), Removed: list(p.Removed), From: names(p.From)}
	}
	if c.Addr.Keyed {
		out.Key = &c.Addr.Key
	}
	return out
}

func names(as []addr.Addr) []string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.String()
	}
	return out
}

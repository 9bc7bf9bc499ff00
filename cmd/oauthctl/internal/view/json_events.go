package view

import (
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
)

// jsonEvent is one line of a stream.
type jsonEvent struct {
	Level      string             `json:"@level"`
	Message    string             `json:"@message"`
	Module     string             `json:"@module"`
	Timestamp  time.Time          `json:"@timestamp"`
	Type       string             `json:"type"`
	Version    string             `json:"oauthctl,omitempty"`
	Format     string             `json:"format_version,omitempty"`
	Sandbox    bool               `json:"sandbox,omitempty"`
	Addr       string             `json:"addr,omitempty"`
	Action     plan.Action        `json:"action,omitempty"`
	Text       string             `json:"text,omitempty"`
	Elapsed    *int64             `json:"elapsed_seconds,omitempty"`
	Expires    *time.Time         `json:"expires_at,omitempty"`
	Consent    *time.Time         `json:"refresh_expires_at,omitempty"`
	Asked      *jsonAsked         `json:"interaction,omitempty"`
	Error      *jsonFailure       `json:"error,omitempty"`
	Diagnostic *jsonDiag          `json:"diagnostic,omitempty"`
	Change     *jsonChange        `json:"change,omitempty"`
	Changes    *jsonCounts        `json:"changes,omitempty"`
	Recipients *jsonRecipients    `json:"recipients,omitempty"`
	Summary    *jsonEnds          `json:"summary,omitempty"`
	Results    []jsonResult       `json:"results,omitempty"`
	Outputs    *jsonOutputs       `json:"outputs,omitempty"`
	Outs       []jsonOutputChange `json:"output_changes,omitempty"`
	Checks     []jsonCheck        `json:"checks,omitempty"`
	Test       *jsonTest          `json:"test,omitempty"`
}

// jsonAsked is what a person is being asked.
type jsonAsked struct {
	Way                     string     `json:"way"`
	URL                     string     `json:"url,omitempty"`
	RedirectURI             string     `json:"redirect_uri,omitempty"`
	Listening               string     `json:"listening,omitempty"`
	UserCode                string     `json:"user_code,omitempty"`
	VerificationURI         string     `json:"verification_uri,omitempty"`
	VerificationURIComplete string     `json:"verification_uri_complete,omitempty"`
	Account                 string     `json:"account,omitempty"`
	Until                   *time.Time `json:"expires_at,omitempty"`
}

// jsonEnds counts how the changes of an apply ended.
type jsonEnds struct {
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	Waiting int `json:"waiting"`
}

type jsonResult struct {
	Addr             string             `json:"addr"`
	MovedFrom        string             `json:"moved_from,omitempty"`
	Action           plan.Action        `json:"action"`
	State            engine.ResultState `json:"state"`
	Error            *jsonFailure       `json:"error,omitempty"`
	Warnings         []string           `json:"warnings"`
	ExpiresAt        *time.Time         `json:"expires_at,omitempty"`
	RefreshExpiresAt *time.Time         `json:"refresh_expires_at,omitempty"`
	Account          string             `json:"account,omitempty"`
	Place            string             `json:"place,omitempty"`
	Elapsed          int64              `json:"elapsed_seconds"`
}

func (j *programs) event(kind, level, message string) jsonEvent {
	return jsonEvent{Level: levelOf(level), Message: message, Module: "oauthctl.ui", Timestamp: j.o.Now().UTC().Truncate(time.Millisecond), Type: kind}
}

func levelOf(severity string) string {
	switch severity {
	case "warning", "warn":
		return "warn"
	case "error":
		return "error"
	}
	return "info"
}

// begin writes the first line of a stream once.
func (j *programs) begin() {
	if j.began {
		return
	}
	j.began = true
	e := j.event("version", "info", "oauthctl "+j.o.Version)
	e.Version, e.Format, e.Sandbox = j.o.Version, FormatVersion, j.o.Sandbox
	write(j.o.Out, e)
}

// planEvents writes a plan into a stream: a line for each change, and the numbers.
func (j *programs) planEvents(pl *plan.Plan) {
	j.begin()
	for _, w := range pl.Warnings {
		j.message(jsonDiag{Severity: "warning", Summary: w.Summary, Detail: j.o.commands(w.Detail), Address: w.Addr.String()})
	}
	for i := range pl.Changes {
		c := jsonChangeOf(&pl.Changes[i])
		if c.Action == plan.NoOp {
			continue
		}
		e := j.event("planned_change", "info", c.Address+": "+heading(&pl.Changes[i]))
		e.Addr, e.Action, e.Change = c.Address, c.Action, &c
		write(j.o.Out, e)
	}
	counts := pl.Counts()
	e := j.event("change_summary", "info", "Plan: "+planSummary(counts))
	e.Checks = jsonChecks(pl.Checks)
	e.Outs = jsonOutputChangesOf(pl.Outputs)
	e.Changes, e.Recipients = (*jsonCounts)(&counts), jsonRecipientsOf(&pl.Recipients)
	write(j.o.Out, e)
}

// Event implements View.
func (j *programs) Event(ev engine.Event) {
	j.begin()
	e := j.event(string(ev.Type), "info", message(ev, j.o.Sandbox))
	if !ev.At.IsZero() {
		e.Timestamp = ev.At.UTC().Truncate(time.Millisecond)
	}
	e.Addr, e.Action, e.Text = ev.Addr.String(), ev.Action, ev.Text
	switch ev.Type {
	case engine.EventFailed:
		e.Level = "error"
	case engine.EventWarning, engine.EventWaiting, engine.EventSkipped:
		if ev.Asked == nil {
			e.Level = "warn"
		}
	}
	if ev.Elapsed > 0 {
		s := seconds(ev.Elapsed)
		e.Elapsed = &s
	}
	e.Expires, e.Consent = at(ev.ExpiresAt), at(ev.RefreshExpiresAt)
	if a := ev.Asked; a != nil {
		e.Asked = &jsonAsked{
			Way: string(a.Way), URL: a.URL, RedirectURI: a.RedirectURI, Listening: a.Listening, UserCode: a.UserCode,
			VerificationURI: a.VerificationURI, VerificationURIComplete: a.VerificationURIComplete, Account: a.Account, Until: at(a.Until),
		}
	}
	e.Error = j.o.jsonFailure(ev.Err)
	write(j.o.Out, e)
}

// message is an event in one line.
func message(e engine.Event, sandbox bool) string {
	head := e.Addr.String() + ": "
	if e.Addr.IsZero() {
		head = ""
	}
	word, _, rest := happening(Theme{}, e, sandbox)
	return head + word + rest
}

// Applied implements View.
func (j *programs) Applied(out *engine.Outcome, verb string) {
	j.begin()
	n := ends(out.Results)
	head, rest, complete := closing(out.Results, verb)
	e := j.event("apply_complete", "info", head+" "+rest)
	switch {
	case n[engine.Failed] > 0:
		e.Level = "error"
	case !complete:
		e.Level = "warn"
	}
	e.Summary = &jsonEnds{n[engine.Done], n[engine.Failed], n[engine.Skipped], n[engine.Waiting]}
	for _, r := range out.Results {
		e.Results = append(e.Results, jsonResult{
			Addr: r.Addr.String(), MovedFrom: r.MovedFrom.String(), Action: r.Action, State: r.State, Error: j.o.jsonFailure(r.Err), Warnings: list(r.Warnings),
			ExpiresAt: at(r.ExpiresAt), RefreshExpiresAt: at(r.RefreshExpiresAt), Account: r.Account, Place: r.Place, Elapsed: seconds(r.Elapsed),
		})
	}
	e.Outputs = jsonOutputsOf(out.Outputs)
	e.Checks = jsonChecks(out.Checks)
	write(j.o.Out, e)
}

package view

import (
	"encoding/json"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// jsonSummary is what can be read of a connection without a key.
type jsonSummary struct {
	Address          string       `json:"address"`
	Provider         string       `json:"provider"`
	Status           state.Status `json:"status"`
	NeedsUser        bool         `json:"needs_user"`
	ExpiresAt        *time.Time   `json:"expires_at"`
	ExpiresIn        *int64       `json:"expires_in_seconds"`
	RefreshExpiresAt *time.Time   `json:"refresh_expires_at"`
	RefreshExpiresIn *int64       `json:"refresh_expires_in_seconds"`
	UpdatedAt        *time.Time   `json:"updated_at"`
	Generation       uint64       `json:"generation"`
}

func (j *programs) summary(s state.Summary) jsonSummary {
	now := j.o.Now()
	left := func(t time.Time) *int64 {
		if t.IsZero() {
			return nil
		}
		n := seconds(t.Sub(now))
		return &n
	}
	return jsonSummary{
		Address: s.Addr.String(), Provider: s.Provider, Status: s.Status, NeedsUser: urgencyOf(s, now, soon) <= urgentUnknown,
		ExpiresAt: at(s.ExpiresAt), ExpiresIn: left(s.ExpiresAt),
		RefreshExpiresAt: at(s.RefreshExpiresAt), RefreshExpiresIn: left(s.RefreshExpiresAt),
		UpdatedAt: at(s.UpdatedAt), Generation: s.Generation,
	}
}

// Status implements View.
func (j *programs) Status(rows []state.Summary, location string, warn time.Duration, copies []string) {
	rows, sinks := split(rows)
	all := make([]jsonSummary, len(rows))
	var sum struct {
		Total     int `json:"total"`
		OK        int `json:"ok"`
		Away      int `json:"handed_over,omitempty"`
		NeedUser  int `json:"needs_user"`
		DueInWeek int `json:"consent_due_within_a_week"`
	}
	sum.Total = len(rows)
	for i, r := range rows {
		all[i] = j.summary(r)
		switch u := urgencyOf(r, j.o.Now(), soon); {
		case u <= urgentUnknown:
			sum.NeedUser++
		case u == urgentSoon:
			sum.DueInWeek++
			sum.OK++
		case u == away:
			sum.Away++
		default:
			sum.OK++
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Timestamp   *time.Time    `json:"timestamp"`
		Location    string        `json:"location"`
		Connections []jsonSummary `json:"connections"`
		Sinks       []jsonSink    `json:"sinks,omitempty"`
		Summary     any           `json:"summary"`
		Warn        *jsonWarn     `json:"warn,omitempty"`
		Copies      []string      `json:"emergency_copies,omitempty"`
	}{j.head(), at(j.o.Now()), location, all, jsonSinksOf(sinks), sum, j.warn(rows, warn), copies})
}

// jsonWarn is what -warn finds.
type jsonWarn struct {
	Within int64    `json:"within_seconds"`
	Ended  []string `json:"ended"`
	Ending []string `json:"ending"`
}

func (j *programs) warn(rows []state.Summary, within time.Duration) *jsonWarn {
	if within == 0 {
		return nil
	}
	ended, ending := Due(rows, j.o.Now(), within)
	return &jsonWarn{seconds(within), addresses(ended), addresses(ending)}
}

func addresses(list []addr.Addr) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.String()
	}
	return out
}

// jsonRecord is one connection in full, without tokens and secrets.
type jsonRecord struct {
	jsonSummary
	Title         string     `json:"provider_title,omitempty"`
	Grant         string     `json:"grant,omitempty"`
	Way           string     `json:"way,omitempty"`
	HandedTo      []string   `json:"handed_over_to,omitempty"`
	HandedAt      *time.Time `json:"handed_over_at,omitempty"`
	ClientID      string     `json:"client_id,omitempty"`
	ClientAuth    string     `json:"client_auth,omitempty"`
	Issuer        string     `json:"issuer,omitempty"`
	TokenEndpoint string     `json:"token_endpoint,omitempty"`
	RedirectURI   string     `json:"redirect_uri,omitempty"`
	Account       string     `json:"account,omitempty"`
	Subject       string     `json:"subject,omitempty"`
	TokenHosts    []string   `json:"token_hosts,omitempty"`
	Requested     []string   `json:"scopes_requested"`
	Granted       []string   `json:"scopes_granted"`
	AuthorizedAt  *time.Time `json:"authorized_at,omitempty"`
	RefreshedAt   *time.Time `json:"refreshed_at,omitempty"`
	Access        int64      `json:"access_seconds,omitempty"`
	Refresh       int64      `json:"refresh_seconds,omitempty"`
	RefreshBefore int64      `json:"refresh_before_seconds,omitempty"`
	DependsOn     []string   `json:"depends_on"`
	Presents      []string   `json:"presents,omitempty"`
	ConfigSerial  uint64     `json:"config_serial"`
	TokenType     string     `json:"token_type,omitempty"`
	Holds         []string   `json:"holds"`
	UnderWaySince *time.Time `json:"refresh_sent_at,omitempty"`
	LastError     string     `json:"last_error,omitempty"`
	LastErrorEnds *time.Time `json:"last_error_until,omitempty"`
}

// Record implements View.
func (j *programs) Record(r *state.Record) { j.Records([]*state.Record{r}, nil) }

// Records implements View.
func (j *programs) Records(rs []*state.Record, outs []schema.Output) {
	all := make([]jsonRecord, 0, len(rs))
	var sinks []jsonSink
	for _, r := range rs {
		if isSink(r) {
			sinks = append(sinks, jsonSinkRecord(r))
		} else {
			all = append(all, j.record(r))
		}
	}
	write(j.o.Out, struct {
		jsonHead
		Connections []jsonRecord `json:"connections"`
		Sinks       []jsonSink   `json:"sinks,omitempty"`
		Outputs     *jsonOutputs `json:"outputs,omitempty"`
	}{j.head(), all, sinks, jsonOutputsOf(outs)})
}

func (j *programs) record(r *state.Record) jsonRecord {
	out := jsonRecord{jsonSummary: j.summary(r.Summary), Requested: []string{}, Granted: []string{}, DependsOn: []string{}, Holds: []string{}}
	if in := r.Info; in != nil {
		out.Title, out.Grant, out.Way, out.ClientID, out.ClientAuth = in.Title, in.Grant, in.Way, in.Client.ClientID, in.Client.Auth
		out.Issuer, out.TokenEndpoint, out.RedirectURI = in.Client.Issuer, in.Client.TokenEndpoint, in.RedirectURI
		out.HandedTo, out.HandedAt = in.HandedTo, at(in.HandedAt)
		out.Account, out.Subject, out.Requested, out.Granted = in.Account, in.Subject, list(in.Requested), list(in.Granted)
		out.TokenHosts = in.Hosts
		out.AuthorizedAt, out.RefreshedAt = at(in.AuthorizedAt), at(in.RefreshedAt)
		out.Access, out.Refresh, out.RefreshBefore = seconds(in.Access), seconds(in.Refresh), seconds(in.RefreshBefore)
		out.DependsOn, out.ConfigSerial = list(in.DependsOn), in.ConfigSerial
		out.Presents = presents(in.Exchange)
		if in.Intent != nil {
			out.UnderWaySince = at(in.Intent.At)
		}
		if in.Reject != nil {
			out.LastError, out.LastErrorEnds = in.Reject.Error, at(in.Reject.Until)
		}
	}
	if t := r.Tokens; t != nil {
		out.TokenType = t.TokenType
		for _, h := range []struct {
			name string
			held bool
		}{
			{"access_token", !t.AccessToken.Empty()},
			{"refresh_token", !t.RefreshToken.Empty()},
			{"id_token", !t.IDToken.Empty()},
			{"client_secret", !t.ClientSecret.Empty()},
			{"client_key", !t.ClientKey.Empty()},
			{"grant_key", !t.GrantKey.Empty()},
			{"subject_token", !t.SubjectToken.Empty()},
			{"actor_token", !t.ActorToken.Empty()},
		} {
			if h.held {
				out.Holds = append(out.Holds, h.name)
			}
		}
	}
	return out
}

// jsonOutputs are output values by name.
type jsonOutputs map[string]jsonOutput

type jsonOutput struct {
	Sensitive bool            `json:"sensitive"`
	Unknown   bool            `json:"unknown,omitempty"`
	Type      json.RawMessage `json:"type,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
}

// Outputs implements View.
func (j *programs) Outputs(outs []schema.Output) {
	values := jsonOutputs{}
	if o := jsonOutputsOf(outs); o != nil {
		values = *o
	}
	write(j.o.Out, struct {
		jsonHead
		Outputs jsonOutputs `json:"outputs"`
	}{j.head(), values})
}

// Value implements View. A type is written as in a configuration.
func (j *programs) Value(v cty.Value, typ string) {
	if typ != "" {
		v = cty.StringVal(typ)
	}
	write(j.o.Out, struct {
		jsonHead
		jsonOutput
	}{j.head(), jsonOutputOf(schema.Output{Value: v, Sensitive: schema.IsSensitive(v)})})
}

func jsonOutputsOf(outs []schema.Output) *jsonOutputs {
	if len(outs) == 0 {
		return nil
	}
	values := jsonOutputs{}
	for _, o := range outs {
		values[o.Name] = jsonOutputOf(o)
	}
	return &values
}

// jsonOutputOf leaves out the value of what is sensitive or not known yet.
func jsonOutputOf(o schema.Output) jsonOutput {
	out := jsonOutput{Sensitive: o.Sensitive}
	if o.Value == cty.NilVal {
		return out
	}
	if !o.Value.IsWhollyKnown() {
		out.Unknown = true
		return out
	}
	if o.Sensitive || o.Value.ContainsMarked() {
		out.Sensitive = true
		return out
	}
	t, err := ctyjson.MarshalType(o.Value.Type())
	if err != nil {
		return out
	}
	v, err := ctyjson.Marshal(o.Value, o.Value.Type())
	if err != nil {
		return out
	}
	out.Type, out.Value = t, v
	return out
}

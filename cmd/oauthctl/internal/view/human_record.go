package view

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Record implements View.
func (h *human) Record(r *state.Record) { h.Records([]*state.Record{r}, nil) }

// Records implements View.
func (h *human) Records(rs []*state.Record, outs []schema.Output) {
	p := h.out()
	defer p.flush()
	now := h.o.Now()
	for i, r := range rs {
		if i > 0 {
			p.line()
		}
		if isSink(r) {
			p.sink(r, now)
		} else {
			p.record(r, now)
		}
	}
	if len(outs) > 0 {
		if len(rs) > 0 {
			p.line()
		}
		p.line(p.Strong.On("Outputs:"))
		p.line()
		p.outputs(outs)
	}
}

const recordIndent = 2

func (p *page) record(r *state.Record, now time.Time) {
	st := standingOf(r.Summary, now, soon)
	p.line(p.urgency(st.urgency).On(st.sign), " ", p.Strong.On(Safe(r.Addr.String())), " ", p.urgency(st.urgency).On(st.condition))
	if r.Info == nil {
		p.field("provider", Safe(r.Provider))
		p.times(r, now)
		p.renewal(r, st)
		return
	}
	in := r.Info
	p.field("provider", provider(Safe(in.Provider), Safe(in.Title)))
	p.field("grant", Safe(in.Grant)+comma(consented(in)))
	p.field("presents", Safe(strings.Join(presents(in.Exchange), ", ")))
	p.field("client id", Safe(in.Client.ClientID))
	p.field("client auth", Safe(in.Client.Auth)+comma(assertedBy(&in.Client)))
	p.field("issuer", Safe(in.Client.Issuer))
	p.field("token endpoint", Safe(in.Client.TokenEndpoint))
	p.field("refresh endpoint", Safe(in.Client.RefreshEndpoint))
	p.field("redirect URI", Safe(in.RedirectURI))
	p.field("account", Safe(in.Account))
	p.field("subject", Safe(in.Subject))
	p.field("handed to", Safe(strings.Join(in.Hosts, ", ")))
	p.recordScopes(in)
	if len(in.HandedTo) > 0 {
		p.paintField("moved to", p.Warn, "the state of "+Safe(strings.Join(in.HandedTo, ", "))+", "+stamp(in.HandedAt, now))
	}
	p.times(r, now)
	p.field("authorized", stamp(in.AuthorizedAt, now))
	if in.RefreshedAt.After(in.AuthorizedAt) {
		p.field("refreshed", stamp(in.RefreshedAt, now))
	}
	p.field("lifetimes", recordLifetimes(in))
	p.field("depends on", Safe(strings.Join(in.DependsOn, ", ")))
	p.otherSecrets(r.Tokens)
	if in.Intent != nil {
		p.paintField("under way", p.Warn, "a refresh was sent "+stamp(in.Intent.At, now)+" by process "+itoa(in.Intent.PID)+" on "+Safe(in.Intent.Host))
	}
	if in.Reject != nil {
		p.paintField("last answer", p.Warn, Safe(in.Reject.Error)+", not asked again until "+date(in.Reject.Until, now))
	}
	p.field("generation", strconv.FormatUint(r.Generation, 10)+" (configuration serial "+strconv.FormatUint(in.ConfigSerial, 10)+")")
	p.renewal(r, st)
}

func (p *page) times(r *state.Record, now time.Time) {
	access, refresh := "", ""
	if t := r.Tokens; t != nil {
		access = join(held(t.AccessToken), Safe(t.TokenType))
		refresh = held(t.RefreshToken)
	}
	ends := "no known end"
	if !r.ExpiresAt.IsZero() {
		ends = dated(expiry(r.ExpiresAt, now), date(r.ExpiresAt, now))
	}
	p.field("access token", join(access, ends))
	p.field("refresh token", refresh)
	if !r.RefreshExpiresAt.IsZero() {
		p.field("next consent", dated(due(r.RefreshExpiresAt, now), date(r.RefreshExpiresAt, now)))
	}
	p.field("updated", stamp(r.UpdatedAt, now))
}

// held says that there is a secret, and not more.
func held(s secret.Secret) string {
	if s.Empty() {
		return ""
	}
	return s.String()
}

// renewal says what to type when only a new consent helps.
func (p *page) renewal(r *state.Record, st standing) {
	if st.urgency <= urgentUnknown {
		p.paintField("do now", p.Info, "oauthctl apply -target="+shellWord(r.Addr.String()))
	}
}

func stamp(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(t, now) + " · " + date(t, now)
}

func recordLifetimes(in *state.Info) string {
	s := lifetimes(in.Access, in.Refresh)
	if in.RefreshBefore > 0 {
		s = join(s, "refreshed "+schema.FormatDuration(in.RefreshBefore)+" before the end")
	}
	return s
}

// recordScopes lists what was granted, and marks what differs from the request.
func (p *page) recordScopes(in *state.Info) {
	label := "scopes"
	item := func(paint Paint, s string) {
		p.paintField(label, paint, s)
		label = " "
	}
	for _, s := range in.Granted {
		if len(in.Requested) > 0 && !slices.Contains(in.Requested, s) {
			item(Paint{}, Safe(s)+" (granted without being asked for)")
			continue
		}
		item(Paint{}, Safe(s))
	}
	for _, s := range in.Requested {
		if !slices.Contains(in.Granted, s) {
			item(p.Warn, Safe(s)+" (asked for, not granted)")
		}
	}
}

// assertedBy says what of this machine a client proves itself with.
func assertedBy(c *state.Client) string {
	switch {
	case c.AssertionFile != "":
		return "with the file " + Safe(c.AssertionFile)
	case c.AssertionEnv != "":
		return "with the environment variable " + Safe(c.AssertionEnv)
	case c.AssertionGitHub:
		return "with a token of GitHub Actions"
	}
	return ""
}

// presents says what a grant presents, and where it is read.
func presents(x *state.Exchange) []string {
	if x == nil {
		return nil
	}
	if x.Signed {
		words := "an assertion of " + x.Issuer
		if x.SubjectID != "" && x.SubjectID != x.Issuer {
			words += " for " + x.SubjectID
		}
		return []string{words}
	}
	out := []string{source(x.Subject)}
	if x.ActorType != "" {
		out = append(out, source(x.Actor))
	}
	return out
}

func source(s state.Source) string {
	switch {
	case s.Connection != "":
		return s.Connection + "." + s.Attribute
	case s.File != "":
		return "the file " + s.File
	case s.Env != "":
		return "the environment variable " + s.Env
	}
	return "a token of the configuration"
}

// otherSecrets says which further secrets there are, never what they are.
func (p *page) otherSecrets(t *state.Tokens) {
	if t == nil {
		return
	}
	p.field("id token", held(t.IDToken))
	p.field("client secret", held(t.ClientSecret))
	p.field("client key", held(t.ClientKey))
	p.field("grant key", held(t.GrantKey))
	p.field("subject token", held(t.SubjectToken))
	p.field("actor token", held(t.ActorToken))
	for _, k := range slices.Sorted(maps.Keys(t.Extra)) {
		p.field("extra", Safe(k)+" "+held(t.Extra[k]))
	}
}

// field is a row with a wider label column.
func (p *page) field(label, value string) { p.paintField(label, Paint{}, value) }

func (p *page) paintField(label string, paint Paint, value string) {
	if value == "" {
		return
	}
	const wide = 16
	lead := recordIndent + wide
	for i, l := range Wrap(p.o.commands(value), max(p.prose()-lead, 20)) {
		if i > 0 {
			label = ""
		}
		p.line(strings.Repeat(" ", recordIndent), p.Dim.On(pad(label, wide)), paint.On(l))
	}
}

// Providers implements View.
func (h *human) Providers(list []providers.Entry) {
	p := h.out()
	defer p.flush()
	heads := []string{"NAME", "SERVER", "ARGUMENTS"}
	cells := make([][]string, len(list))
	for i, e := range list {
		args := make([]string, len(e.Arguments))
		for j, a := range e.Arguments {
			args[j] = Safe(a.Name)
			if a.Required {
				args[j] += " (required)"
			}
		}
		cells[i] = []string{Safe(e.Name), Safe(e.Title), strings.Join(args, ", ")}
	}
	t, _ := fit(heads, cells, p.width, []int{1, 2})
	p.line(p.Dim.On(t.row(heads)))
	for _, c := range cells {
		args := append(Wrap(c[2], t.widths[2]), "") // to be read in full, on as many lines as it takes
		for i := range max(len(args)-1, 1) {
			if i > 0 {
				c[0], c[1] = "", ""
			}
			c[2] = args[i]
			p.line(t.cells(c, func(col int, s string) string {
				if col == 0 {
					return p.Strong.On(s)
				}
				return s
			}))
		}
	}
	p.line()
	p.text(0, p.Dim, count(len(list), "provider")+`. The HCL of one, to paste and change: oauthctl providers show NAME`)
}

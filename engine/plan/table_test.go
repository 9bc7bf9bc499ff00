package plan_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// The decision tables are the files testdata/*.txtar. Every case is a group of
// sections: "NAME: want" and "NAME: state" hold one connection a line with what
// differs from an ordinary one, "NAME: options" the wishes of the run, and
// "NAME: plan" what has to come out. testdata/README explains the words.

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestCompute(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no decision tables: %v", err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases(t, file, ar) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+c.name, func(t *testing.T) {
				if got := c.run(t); got != c.plan {
					t.Errorf("%s\n--- want ---\n%s--- got ---\n%s", file, c.plan, got)
				}
			})
		}
	}
}

type tableCase struct{ name, want, state, moved, options, plan string }

func cases(t *testing.T, file string, ar *txtar.Archive) []*tableCase {
	t.Helper()
	var out []*tableCase
	for _, f := range ar.Files {
		name, section, ok := strings.Cut(f.Name, ": ")
		if !ok {
			t.Fatalf("%s: section %q has no case", file, f.Name)
		}
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, &tableCase{name: name})
		}
		c, text := out[len(out)-1], string(f.Data)
		switch section {
		case "want":
			c.want = text
		case "state":
			c.state = text
		case "moved":
			c.moved = text
		case "options":
			c.options = text
		case "plan":
			c.plan = text
		default:
			t.Fatalf("%s: unknown section %q", file, f.Name)
		}
	}
	return out
}

func (c *tableCase) run(t *testing.T) string {
	t.Helper()
	in := plan.Input{Now: now, Lineage: "L", Serial: 7}
	for _, l := range lines(c.want) {
		in.Wants = append(in.Wants, wantOf(t, l))
	}
	for _, l := range lines(c.state) {
		in.Records = append(in.Records, recordOf(t, l))
	}
	for _, l := range lines(c.options) {
		if l.name == "let-go" || l.name == "let-revoke" {
			in.Removed = append(in.Removed, schema.Removed{From: address(t, l.words[0]), Destroy: l.name == "let-revoke"})
			continue
		}
		if l.name == "protect" {
			protected := addresses(t, strings.Join(l.words, ","))
			in.Protected = func(a addr.Addr) bool { return slices.Contains(protected, a.Block()) }
			continue
		}
		option(t, &in.Options, l)
	}
	var moves []schema.Moved
	for _, l := range lines(c.moved) {
		moves = append(moves, schema.Moved{From: address(t, l.name), To: address(t, l.words[0])})
	}
	var err error
	if in.Records, in.Moved, err = plan.MoveRecords(in.Records, moves); err != nil {
		return "error: " + err.Error() + "\n"
	}
	p, err := plan.Compute(in)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return render(p)
}

func lines(s string) []line {
	var out []line
	for l := range strings.Lines(s) {
		if f := strings.Fields(l); len(f) > 0 && f[0] != "#" {
			out = append(out, line{name: f[0], words: f[1:]})
		}
	}
	return out
}

type line struct {
	name  string
	words []string
}

// each calls f for every word: key and value, or a bare key.
func (l line) each(f func(key, value string)) {
	for _, w := range l.words {
		k, v, _ := strings.Cut(w, "=")
		f(k, v)
	}
}

func address(t testing.TB, s string) addr.Addr {
	t.Helper()
	a, err := addr.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func addresses(t testing.TB, s string) (out []addr.Addr) {
	t.Helper()
	for _, x := range words(s) {
		out = append(out, address(t, x))
	}
	return out
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func digests(s string) map[string]string {
	out := map[string]string{}
	for _, w := range words(s) {
		k, v, _ := strings.Cut(w, ":")
		out[k] = v
	}
	return out
}

func wantOf(t testing.TB, l line) plan.Want {
	t.Helper()
	if address(t, l.name).Kind == addr.KindSink {
		return sinkWantOf(t, l)
	}
	w := plan.Want{
		Addr: address(t, l.name), Provider: "acme", Title: "Acme", Issuer: "https://as.example",
		TokenEndpoint: "https://as.example/token", ClientID: "app", ClientAuth: "none", Grant: "authorization_code", Interactive: true,
		Way: "browser", Scopes: []string{"read"}, RedirectURI: "http://127.0.0.1/callback", Hosts: []string{"as.example"},
	}
	l.each(func(k, v string) {
		switch k {
		case "deps":
			w.DependsOn = addresses(t, v)
		case "provider":
			w.Provider = v
		case "issuer":
			w.Issuer = v
		case "token":
			w.TokenEndpoint = v
		case "client":
			w.ClientID = v
		case "auth":
			w.ClientAuth = v
		case "grant":
			w.Grant = v
			if v == "client_credentials" || v == "token_exchange" || v == "jwt_bearer" {
				w.Interactive, w.Way, w.CanNarrow, w.RedirectURI = false, "", true, ""
			}
		case "scopes":
			w.Scopes = words(v)
		case "added":
			w.Added = words(v)
		case "way":
			w.Way = v
		case "narrows":
			w.CanNarrow = true
		case "redirect":
			w.RedirectURI = v
		case "account":
			w.Account = v
		case "hosts":
			w.TokenHosts = words(v)
		case "import":
			w.Import = true
		case "access":
			w.Access = duration(t, v)
		case "refresh":
			w.Refresh = duration(t, v)
		case "before":
			w.RefreshBefore = duration(t, v)
		case "digests":
			w.Fingerprint = digests(v)
		case "rotation":
			w.Client = &state.Client{Rotation: v, ScopeSeparator: " "}
		case "params":
			w.Client = &state.Client{Rotation: "single_use", ScopeSeparator: " ", TokenParams: digests(v)}
		case "assertion":
			w.Client = &state.Client{Rotation: "single_use", ScopeSeparator: " "}
			assertion(t, w.Client, v)
		case "exchange":
			w.Exchange = exchange(t, v)
		case "unknown":
			w.Unknown = words(v)
		case "from-state":
			w.FromState = words(v)
		case "ignored":
			w.Ignored = words(v)
		case "triggers":
			w.DependsOn, w.TriggeredBy = addresses(t, v), addresses(t, v)
		default:
			t.Fatalf("want: unknown word %q", k)
		}
	})
	return w
}

// assertion is a list of what assertions are made with.
func assertion(t testing.TB, c *state.Client, list string) {
	t.Helper()
	for k, v := range digests(list) {
		switch k {
		case "algorithm":
			c.AssertionAlgorithm = v
		case "kid":
			c.AssertionKeyID = v
		case "audience":
			c.AssertionAudience = v
		case "certificate":
			c.CertificateSHA256 = v
		case "file":
			c.AssertionFile = v
		case "env":
			c.AssertionEnv = v
		case "life":
			c.AssertionLifetime = duration(t, v)
		default:
			t.Fatalf("assertion: unknown word %q", k)
		}
	}
}

// exchange is a list of what a grant presents, and what it asks for.
func exchange(t testing.TB, list string) *state.Exchange {
	t.Helper()
	x := &state.Exchange{}
	for k, v := range digests(list) {
		switch k {
		case "from":
			x.Subject = state.Source{Connection: "connection." + v, Attribute: "access_token"}
		case "env":
			x.Subject.Env = v
		case "type":
			x.SubjectType = v
		case "audience":
			x.Audience = []string{v}
		case "key":
			x.Signed, x.KeyID = true, v
		case "subject":
			x.SubjectID = v
		case "life":
			x.Lifetime = duration(t, v)
		default:
			t.Fatalf("exchange: unknown word %q", k)
		}
	}
	return x
}

func recordOf(t testing.TB, l line) *state.Record {
	t.Helper()
	if address(t, l.name).Kind == addr.KindSink {
		return sinkRecordOf(t, l)
	}
	r := &state.Record{
		Summary: state.Summary{
			Addr: address(t, l.name), Provider: "acme", Status: state.StatusOK, Generation: 3,
			ExpiresAt: now.Add(time.Hour), RefreshExpiresAt: now.Add(30 * 24 * time.Hour),
		},
		Info: &state.Info{
			Provider: "acme", Title: "Acme", Grant: "authorization_code", Requested: []string{"read"}, Granted: []string{"read"},
			Account: "alice@example.com", Subject: "sub-1", RedirectURI: "http://127.0.0.1/callback", AuthorizedAt: now.Add(-60 * 24 * time.Hour),
			HasRefresh: true,
			Client: state.Client{
				Issuer: "https://as.example", TokenEndpoint: "https://as.example/token", RevocationEndpoint: "https://as.example/revoke",
				ClientID: "app", Auth: "none", ScopeSeparator: " ", Rotation: "single_use",
			},
		},
	}
	l.each(func(k, v string) { recordWord(t, r, k, v) })
	return r
}

func recordWord(t testing.TB, r *state.Record, k, v string) {
	t.Helper()
	i := r.Info
	switch k {
	case "deps":
		for _, a := range addresses(t, v) {
			i.DependsOn = append(i.DependsOn, a.String())
		}
	case "provider":
		r.Provider, i.Provider = v, v
	case "issuer":
		i.Client.Issuer = v
	case "token":
		i.Client.TokenEndpoint = v
	case "client":
		i.Client.ClientID = v
	case "auth":
		i.Client.Auth = v
	case "grant":
		i.Grant = v
		if v == "client_credentials" || v == "token_exchange" || v == "jwt_bearer" {
			r.RefreshExpiresAt, i.RedirectURI, i.Account, i.HasRefresh = time.Time{}, "", "", false
		}
	case "way":
		i.Way = v
	case "granted":
		i.Granted = words(v)
	case "requested":
		i.Requested = words(v)
	case "account":
		i.Account = v
	case "hosts":
		i.Hosts = words(v)
	case "redirect":
		i.RedirectURI = v
	case "access":
		i.Access = duration(t, v)
	case "refresh":
		i.Refresh = duration(t, v)
	case "before":
		i.RefreshBefore = duration(t, v)
	case "digests":
		i.Fingerprint = digests(v)
	case "params":
		i.Client.TokenParams = digests(v)
	case "assertion":
		assertion(t, &i.Client, v)
	case "exchange":
		i.Exchange = exchange(t, v)
	case "no-revocation":
		i.Client.RevocationEndpoint, i.Client.RevocationNote = "", "remove it at https://as.example/apps"
	case "status":
		r.Status = state.Status(v)
	case "expires":
		r.ExpiresAt = when(t, v)
	case "no-refresh":
		r.RefreshExpiresAt, i.HasRefresh = r.ExpiresAt, false
	case "consent":
		r.RefreshExpiresAt = when(t, v)
	case "authorized":
		i.AuthorizedAt = when(t, v)
	default:
		t.Fatalf("state: unknown word %q", k)
	}
}

// when reads "+1h" and "-30d" as times around now; "never" is the zero time.
func when(t testing.TB, s string) time.Time {
	t.Helper()
	if s == "never" {
		return time.Time{}
	}
	d := duration(t, s[1:])
	if s[0] == '-' {
		d = -d
	}
	return now.Add(d)
}

func duration(t testing.TB, s string) time.Duration {
	t.Helper()
	days := time.Duration(1)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		s, days = n+"h", 24
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d * days
}

func option(t *testing.T, o *plan.Options, l line) {
	t.Helper()
	var of []addr.Addr
	for _, w := range l.words {
		of = append(of, address(t, w))
	}
	switch l.name {
	case "destroy":
		o.Destroy = true
	case "refresh-only":
		o.RefreshOnly = true
	case "no-revoke":
		o.NoRevoke = true
	case "target":
		o.Targets = of
	case "exclude":
		o.Excludes = of
	case "replace":
		o.Replace = of
	case "refresh":
		o.Refresh = of
	default:
		t.Fatalf("unknown option %q", l.name)
	}
}

// render writes a plan in the words of the tables.
func render(p *plan.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s", c.Addr.Short(), c.Action)
		if !c.MovedFrom.IsZero() {
			fmt.Fprintf(&b, " from=%s", c.MovedFrom.Short())
		}
		for _, r := range c.Reasons {
			fmt.Fprintf(&b, " %s", r)
		}
		for _, s := range c.ScopesAdded {
			fmt.Fprintf(&b, " +%s", s)
		}
		for _, s := range c.ScopesRemoved {
			fmt.Fprintf(&b, " -%s", s)
		}
		for _, f := range []struct {
			on   bool
			word string
		}{
			{c.NeedsUser, "PERSON"}, {c.Replaces, "REPLACES"},
			{(c.Action == plan.Revoke || c.Action == plan.Forget) && !c.Revocable && c.Addr.Kind != addr.KindSink, "IRREVOCABLE"},
		} {
			if f.on {
				fmt.Fprintf(&b, " %s", f.word)
			}
		}
		if c.Action != plan.NoOp && len(c.Unknown) > 0 {
			fmt.Fprintf(&b, " unknown=%s", strings.Join(c.Unknown, ","))
		}
		publication(&b, c.Publication)
		b.WriteByte('\n')
		var names []string
		for name := range c.After {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(&b, "  %s: %s -> %s\n", name, c.Before[name], c.After[name])
		}
		for _, n := range c.Notes {
			fmt.Fprintf(&b, "  note: %s\n", n)
		}
	}
	for _, a := range p.Prevented {
		fmt.Fprintf(&b, "prevented: %s\n", a.Short())
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %s: %s\n", w.Addr.Short(), w.Summary)
	}
	return b.String()
}

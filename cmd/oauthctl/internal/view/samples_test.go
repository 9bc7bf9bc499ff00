package view

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// Sample data: a small company on a Monday morning.

func sampleNow() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

const (
	hour = time.Hour
)

func conn(name string) addr.Addr { return addr.Connection(name) }

func samplePlan() *plan.Plan {
	return &plan.Plan{
		Lineage: "3f1c8a52-6a34-4f0e-9c77-0d2b6e0f4a10", Serial: 7, CreatedAt: sampleNow(),
		Changes: []plan.Change{
			{
				Addr: conn("archive"), Action: plan.Revoke, Reasons: []plan.Reason{plan.ReasonRemoved},
				Provider: "google", Title: "Google", Hosts: []string{"oauth2.googleapis.com"}, Revocable: true, Generation: 12,
			},
			{
				Addr: conn("crm"), Action: plan.Refresh, Reasons: []plan.Reason{plan.ReasonScopesRemoved},
				Provider: "acme", Title: "Acme", Grant: "authorization_code", Scopes: []string{"contacts.read"},
				ScopesRemoved: []string{"contacts.write"}, Hosts: []string{"login.acme.example"}, Access: hour, Generation: 4,
			},
			{
				Addr: conn("downstream"), Action: plan.Authorize, Reasons: []plan.Reason{plan.ReasonNew},
				Provider: "acme", Title: "Acme", Grant: "client_credentials", Hosts: []string{"login.acme.example"},
				DependsOn: []addr.Addr{conn("graph")}, Unknown: []string{"scopes", "audience"},
			},
			{
				Addr: conn("graph"), Action: plan.Authorize, Reasons: []plan.Reason{plan.ReasonNew}, NeedsUser: true, Way: "browser",
				Provider: "contoso", Title: "Microsoft Entra ID", Grant: "authorization_code",
				Scopes: []string{"Files.ReadWrite.All", "User.Read", "offline_access"}, ScopesAdded: []string{"Files.ReadWrite.All", "User.Read", "offline_access"},
				ScopesByRule: []string{"offline_access"}, RedirectURI: "http://localhost", TokenHosts: []string{"git.example.com", "registry.example:5000"}, Account: "alice@contoso.com",
				Hosts: []string{"graph.microsoft.com", "login.microsoftonline.com"}, Access: hour, Refresh: 90 * day, Revocable: false,
				Notes: []string{"The server cannot revoke tokens: what is destroyed later is forgotten here, not revoked there."},
			},
			{Addr: conn("mail"), Action: plan.NoOp, Provider: "google", Title: "Google", Grant: "authorization_code", Scopes: []string{"email"}, Generation: 3},
			{
				Addr: conn("nightly"), Action: plan.Update, Reasons: []plan.Reason{plan.ReasonLifetimesChanged}, Provider: "acme", Title: "Acme",
				Grant: "client_credentials", Before: map[string]string{"refresh_before": "5m"}, After: map[string]string{"refresh_before": "10m"}, Generation: 9,
			},
			{
				Addr: conn("old"), Action: plan.Forget, Reasons: []plan.Reason{plan.ReasonRemoved}, Provider: "contoso", Title: "Microsoft Entra ID", Generation: 2,
			},
			{
				Addr: conn("print"), Action: plan.Reauthorize, Reasons: []plan.Reason{plan.ReasonScopesAdded, plan.ReasonScopesRemoved, plan.ReasonClientChanged},
				NeedsUser: true, Way: "paste", Provider: "fabrikam", Title: "Fabrikam Login", Grant: "authorization_code",
				Scopes: []string{"List.Write", "Web.Read"}, ScopesAdded: []string{"List.Write"}, ScopesRemoved: []string{"Sites.Manage"},
				RedirectURI: "https://contoso.example/oauth/RedirectAccept.aspx?tenant=0123456789abcdef0123456789abcdef", Account: "print@fabrikam.example",
				Hosts: []string{"login.fabrikam.example"}, Access: 12 * hour, Refresh: 180 * day, Replaces: true, Revocable: true,
				Before: map[string]string{"client_id": "c78d058c-7f82-44ca-a077-fba855e14d38"}, After: map[string]string{"client_id": "0b7f1d9e-52a4-4c5e-8d5e-1f0f3c1a9f21"}, Generation: 31,
			},
			{Addr: conn("repo"), Action: plan.NoOp, Provider: "github", Title: "GitHub", Grant: "device_code", Scopes: []string{"repo"}, Generation: 1},
			{
				Addr: conn("tv").Instance("küche"), Action: plan.Authorize, Reasons: []plan.Reason{plan.ReasonNew}, NeedsUser: true, Way: "device",
				WayReason: "no browser here: this is an SSH session",
				Provider:  "github", Title: "GitHub", Grant: "authorization_code", Scopes: []string{"read:user"}, ScopesAdded: []string{"read:user"}, Hosts: []string{"github.com"},
			},
		},
		Warnings: []plan.Warning{{
			Addr: conn("mail"), Summary: "A consent ends soon",
			Detail: "The refresh token of connection.mail ends in 6 days. Renew it before with: oauthctl apply -replace=connection.mail",
		}},
	}
}

func emptyPlan() *plan.Plan {
	return &plan.Plan{CreatedAt: sampleNow(), Changes: []plan.Change{{Addr: conn("mail"), Action: plan.NoOp}}}
}

func foldPlan(n int) *plan.Plan {
	p := &plan.Plan{CreatedAt: sampleNow()}
	for i := range n {
		key := fmt.Sprintf("site-%05d", i)
		p.Changes = append(p.Changes, plan.Change{
			Addr: conn("audit").Instance(key), Action: plan.Authorize, Reasons: []plan.Reason{plan.ReasonNew}, NeedsUser: true, Way: "paste",
			Provider: "microsoft", Title: "Microsoft Entra ID", Grant: "authorization_code",
			Scopes: []string{"User.Read", "offline_access"}, ScopesAdded: []string{"User.Read", "offline_access"}, ScopesByRule: []string{"offline_access"},
			RedirectURI: "https://audits-" + key + ".example.com/auth/oauth2/microsoft/callback", Hosts: []string{"login.microsoftonline.com"}, Access: hour, Refresh: 90 * day,
		})
	}
	return p
}

func distinctPlan(n int) *plan.Plan {
	p := &plan.Plan{CreatedAt: sampleNow()}
	for i := range n {
		c := samplePlan().Changes[3]
		c.Addr = conn(fmt.Sprintf("graph%05d", i))
		p.Changes = append(p.Changes, c)
	}
	return p
}

func sampleEvents() []engine.Event {
	graph := conn("graph")
	return []engine.Event{
		{Type: engine.EventStart, Addr: graph, Action: plan.Authorize, At: sampleNow()},
		{Type: engine.EventStart, Addr: conn("archive"), Action: plan.Revoke, At: sampleNow()},
		{Type: engine.EventProgress, Addr: graph, Action: plan.Authorize, Text: "waiting for the consent", At: sampleNow()},
		{Type: engine.EventWaiting, Addr: graph, At: sampleNow(), Asked: &engine.Asked{
			Way: grant.WayDevice, UserCode: "WDJB-MJHT", VerificationURI: "https://login.acme.example/device",
			VerificationURIComplete: "https://login.acme.example/device?user_code=WDJB-MJHT", Account: "alice@contoso.com", Until: sampleNow().Add(15 * time.Minute),
		}},
		{Type: engine.EventDone, Addr: conn("archive"), Action: plan.Revoke, Elapsed: 300 * time.Millisecond, At: sampleNow()},
		{Type: engine.EventWarning, Addr: graph, Text: "the server did not grant Files.ReadWrite.All, although it was asked for it and said nothing", At: sampleNow()},
		{Type: engine.EventDone, Addr: graph, Action: plan.Authorize, Elapsed: 42 * time.Second, At: sampleNow(),
			ExpiresAt: sampleNow().Add(59 * time.Minute), RefreshExpiresAt: sampleNow().Add(90 * day)},
		{Type: engine.EventFailed, Addr: conn("crm"), Action: plan.Refresh, Elapsed: 2 * time.Second, Err: sampleErrors()[0], At: sampleNow()},
		{Type: engine.EventSkipped, Addr: conn("downstream"), Action: plan.Authorize, Err: errors.New("connection.crm failed"), At: sampleNow()},
		{Type: engine.EventWaiting, Addr: conn("print"), Action: plan.Reauthorize, Err: needsPerson(), At: sampleNow()},
	}
}

func needsPerson() error {
	return &engine.Error{
		Class: engine.ClassNeedsUser, Addr: conn("print"), Doing: "authorize connection.print",
		Remedy: "run: oauthctl apply -target='connection.print'", Err: errors.New("a person has to consent, and nobody is here"),
	}
}

func doneOutcome() *engine.Outcome {
	return &engine.Outcome{
		Results: []engine.Result{
			{Addr: conn("archive"), Action: plan.Revoke, State: engine.Done, Elapsed: time.Second},
			{
				Addr: conn("graph"), Action: plan.Authorize, State: engine.Done, Account: "alice@contoso.com", ExpiresAt: sampleNow().Add(59 * time.Minute),
				RefreshExpiresAt: sampleNow().Add(90 * day), Elapsed: 42 * time.Second,
			},
			{Addr: conn("print"), Action: plan.Reauthorize, State: engine.Done, ExpiresAt: sampleNow().Add(12 * hour), Elapsed: 61 * time.Second},
		},
		Outputs: sampleOutputs()[:2],
	}
}

func mixedOutcome() *engine.Outcome {
	out := doneOutcome()
	out.Results[0].Warnings = []string{"the server did not confirm the revocation"}
	out.Results[2] = engine.Result{Addr: conn("print"), Action: plan.Reauthorize, State: engine.Waiting, Err: needsPerson()}
	out.Results = append(out.Results,
		engine.Result{Addr: conn("crm"), Action: plan.Refresh, State: engine.Failed, Err: sampleErrors()[0], Elapsed: 2 * time.Second},
		engine.Result{Addr: conn("downstream"), Action: plan.Authorize, State: engine.Skipped, Err: errors.New("connection.crm failed")},
	)
	out.Outputs = nil
	return out
}

const forgotten = "forgotten here, not revoked there: the server cannot revoke. Remove the app at https://myapps.example.com"

func destroyOutcome() *engine.Outcome {
	return &engine.Outcome{Results: []engine.Result{
		{Addr: conn("archive"), Action: plan.Revoke, State: engine.Done},
		{Addr: conn("old"), Action: plan.Forget, State: engine.Done, Warnings: []string{forgotten}},
		{Addr: conn("older"), Action: plan.Forget, State: engine.Done, Warnings: []string{forgotten}},
	}}
}

func sampleErrors() []error {
	rejected := &grant.Error{
		Kind: grant.Rejected, Outcome: grant.Answered, Doing: "refresh at https://login.acme.example/oauth2/token", Code: "invalid_grant",
		Detail: "Token has been expired or revoked.", Hint: "an administrator revoked the session", Status: 400,
	}
	return []error{
		&engine.Error{
			Class: engine.ClassNeedsUser, Addr: conn("crm"), Doing: "refresh connection.crm",
			Remedy: "run: oauthctl apply -target='connection.crm'", Err: rejected,
		},
		&engine.Error{
			Class: engine.ClassTemporary, Addr: conn("graph"), Doing: "get a token for connection.graph", Remedy: "try again later",
			Err: &grant.Error{
				Kind: grant.Temporary, Outcome: grant.Unknown, Doing: "refresh at https://login.microsoftonline.com/common/oauth2/v2.0/token",
				Detail: "the server is busy", Status: 503, RetryAfter: 30 * time.Second,
			},
		},
		&engine.Error{
			Class: engine.ClassState, Doing: "open ./oauthctl.state", Remedy: "name the identity that the state was encrypted for with -identity",
			Err: fmt.Errorf("./oauthctl.state: %w", state.ErrNoKey),
		},
		fmt.Errorf("accept %q as an address: %w", "conn ection", errors.New(`want connection.NAME or connection.NAME["key"]`)),
		errors.Join(errors.New("the first of two"), fmt.Errorf("the second: %w", context.Canceled)),
	}
}

func recipientsPlan() *plan.Plan {
	p := emptyPlan()
	p.Recipients = plan.Recipients{
		Added:   []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"},
		Removed: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk9ZkZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZm"},

		Resealed: 1204,
	}
	return p
}

func outputsPlan() *plan.Plan {
	p := emptyPlan()
	p.Outputs = []plan.OutputChange{
		{Name: "account", Action: plan.UpdateOutput, Before: cty.StringVal("alice@contoso.com"), After: cty.StringVal("bob\x1b[31m@contoso.com")},
		{Name: "graph_expires_at", Action: plan.CreateOutput, After: cty.DynamicVal},
		{Name: "sites", Action: plan.DeleteOutput, Before: sampleOutputs()[2].Value},
		{Name: "of_a_lost_file", Action: plan.DeleteOutput, Before: cty.DynamicVal},
		{Name: "token", Action: plan.UpdateOutput, Sensitive: true},
		{Name: "token2", Action: plan.CreateOutput, Sensitive: true},
	}
	return p
}

func keySample() Key {
	own := "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	return Key{
		Source: "/home/alice/.config/oauthctl/identity.txt", Kept: KeptProtected, Recipients: []string{own},
		States: []KeyState{
			{Location: "/home/alice/work/oauthctl.state", Opens: true, Recipients: []string{own}},
			{Location: "/home/alice/\x1b[31mred/oauthctl.state", Recipients: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk9ZkZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZm"}},
			{Location: "/mnt/oauthctl.state", Problem: "open /mnt/x: it is not a file"},
		},
	}
}

func orphanSample() []engine.Orphan {
	return []engine.Orphan{
		{Addr: addr.Connection("graph"), Title: "Microsoft", Host: "login.microsoftonline.com", Docs: "https://learn.microsoft.com/entra",
			Revoke: "Remove the app at https://myapps.microsoft.com (work accounts).", Ends: sampleNow().Add(80 * day)},
		{Addr: addr.Connection("crm").Instance("eu"), Title: "Acme \x1b[31mlogin", Host: "login.acme.example", Ends: sampleNow().Add(-3 * hour)},
		{Addr: addr.Connection("old"), Title: "gone"},
	}
}

const sampleFile = `connection "graph" {
  provider      = "microsft"
  client_id     = "11111111-2222-3333-4444-555555555555"
  client_secret = "sk_live_0123456789abcdef"
  scopes        = ["User.Read", "Files.ReadWrite.All", "Calendars.ReadWrite", "Mail.Send", "Sites.Selected"]
}

connection "audit" {
  for_each = toset(["north", "south"])
	tab    = true
}
`

// sampleDiags are diagnostics about a file that the language has read.
func sampleDiags(t *testing.T) (hcl.Diagnostics, *schema.Sources) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(sampleFile), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	cfg, _ := schema.Load(t.Context(), schema.Source{Dir: "."})
	t.Chdir(here)
	lines := strings.Split(sampleFile, "\n")
	on := func(line int, text string) *hcl.Range {
		from := strings.Index(lines[line-1], text)
		if from < 0 {
			t.Fatalf("line %d does not hold %q", line, text)
		}
		start := len(strings.Join(lines[:line-1], "\n")) + min(line-1, 1) + from
		return &hcl.Range{
			Filename: "main.hcl",
			Start:    hcl.Pos{Line: line, Column: from + 1, Byte: start},
			End:      hcl.Pos{Line: line, Column: from + 1 + len(text), Byte: start + len(text)},
		}
	}
	about := func(a addr.Addr) any { return schema.DiagExtra{Addr: a} }
	return hcl.Diagnostics{
		{
			Severity: hcl.DiagError, Summary: "Literal secret", Subject: on(4, `"sk_live_0123456789abcdef"`), Extra: about(conn("graph")),
			Detail: "The value of client_secret stands in the file, where everybody reads it who reads the file. Take it from a variable or from the environment:\n\n    client_secret = env(\"GRAPH_SECRET\")\n\nThen change the secret at the server: it has been written down.",
		},
		{
			Severity: hcl.DiagError, Summary: "Unknown provider", Subject: on(2, `"microsft"`), Extra: about(conn("graph")),
			Detail: `There is no provider block and no preset "microsft". Did you mean "microsoft"?`,
		},
		{Severity: hcl.DiagWarning, Summary: "Deprecated attribute", Subject: on(10, "tab"), Detail: "tab is going to be removed.", Extra: about(conn("audit").Instance("north"))},
		{Severity: hcl.DiagWarning, Summary: "Deprecated attribute", Subject: on(10, "tab"), Detail: "tab is going to be removed.", Extra: about(conn("audit").Instance("south"))},
		{Severity: hcl.DiagError, Summary: "Too many scopes", Subject: on(5, `"Sites.Selected"`), Detail: "The server takes four."},
		{Severity: hcl.DiagError, Summary: "Duplicate connection", Subject: on(8, `connection "audit"`), Detail: "A connection of this name is declared in other.hcl line 3."},
		{Severity: hcl.DiagError, Summary: "No such variable file", Detail: "prod.oauthvars: no such file or directory"},
	}, cfg.Sources
}

func sampleRows() []state.Summary {
	now := sampleNow()
	row := func(a addr.Addr, provider string, st state.Status, access, consent time.Duration) state.Summary {
		s := state.Summary{Addr: a, Provider: provider, Status: st, UpdatedAt: now.Add(-3 * hour), Generation: 4}
		if access != 0 {
			s.ExpiresAt = now.Add(access)
		}
		if consent != 0 {
			s.RefreshExpiresAt = now.Add(consent)
		}
		return s
	}
	return []state.Summary{
		row(conn("crm"), "acme", state.StatusNeedsConsent, -3*day, -day),
		row(conn("graph"), "contoso", state.StatusOK, 42*time.Minute, 89*day+2*hour),
		row(conn("mail"), "google", state.StatusOK, -26*hour, 0),
		row(conn("nightly"), "acme", state.StatusUnknown, 5*time.Minute, 0),
		row(conn("print"), "fabrikam-print-service", state.StatusOK, 11*hour+30*time.Minute, 3*day),
		row(conn("site").Instance("münchen-süd"), "sharepoint", state.StatusOK, 0, 0),
	}
}

// sampleCopies are emergency copies: one that fits, and some that do not.
func sampleCopies() []engine.Recovered {
	const at = "/srv/oauthctl-"
	return []engine.Recovered{
		{Place: at + "4aad.emergency", Addr: addr.Connection("graph")},
		{Place: at + "9b1c.emergency", Addr: addr.Connection("crm"), Err: errors.New("the connection has other tokens by now")},
		{Place: at + "cut.emergency", Err: errors.New("it is not an emergency copy, or only a piece of one\x1b[2J")},
		{Place: "nosuch.emergency", Err: fs.ErrNotExist},
	}
}

func sampleHistory() []engine.Generation {
	now := sampleNow()
	gen := func(n uint64, what engine.What, ago time.Duration, status state.Status) engine.Generation {
		r := *sampleRecords()[0]
		in := *r.Info
		r.Info, r.Status, r.UpdatedAt, r.Generation = &in, status, now.Add(-ago), n
		return engine.Generation{Record: &r, What: what}
	}
	all := []engine.Generation{
		gen(12, engine.WhatRefused, 2*time.Minute, state.StatusNeedsConsent),
		gen(11, engine.WhatBegun, 3*time.Minute, state.StatusOK),
		gen(10, engine.WhatRefreshed, 18*time.Minute, state.StatusOK),
		gen(9, engine.WhatAuthorized, 22*hour, state.StatusOK),
	}
	all[0].Present = true
	return all
}

func sampleRecords() []*state.Record {
	now, rows := sampleNow(), sampleRows()
	return []*state.Record{
		{
			Summary: rows[1],
			Info: &state.Info{
				ConfigSerial: 7, Provider: "contoso", Title: "Microsoft Entra ID", Grant: "authorization_code",
				Client: state.Client{
					Issuer: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", ClientID: "11111111-2222-3333-4444-555555555555", Auth: "none",
					TokenEndpoint: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/oauth2/v2.0/token",
				},
				Requested: []string{"Files.ReadWrite.All", "User.Read"}, Granted: []string{"User.Read", "profile"}, Account: "alice@contoso.com",
				Subject: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", RedirectURI: "http://localhost", Hosts: []string{"git.example.com"}, Access: hour, Refresh: 90 * day, RefreshBefore: 5 * time.Minute,
				AuthorizedAt: now.Add(-22 * hour), RefreshedAt: now.Add(-18 * time.Minute), DependsOn: []string{"connection.base"},
				Intent: &state.Intent{At: now.Add(-5 * time.Second), PID: 4711, Host: "build-3"},
				Reject: &state.Reject{Error: "temporarily_unavailable", Until: now.Add(2 * time.Minute)},
			},
			Tokens: &state.Tokens{
				AccessToken: "CANARY-access", RefreshToken: "CANARY-refresh", ClientSecret: "CANARY-secret", TokenType: "Bearer",
				Extra: map[string]secret.Secret{"instance_url": "CANARY-extra"},
			},
		},
		{Summary: rows[0]},
	}
}

// presentRecords are of grants that present a token: one of another connection and
// one of the environment, one from a file, and one that is signed here.
func presentRecords() []*state.Record {
	conn := addr.Connection
	record := func(name, grant string, x *state.Exchange) *state.Record {
		return &state.Record{
			Summary: state.Summary{Addr: conn(name), Provider: "acme", Status: state.StatusOK, ExpiresAt: sampleNow().Add(42 * time.Minute), Generation: 2},
			Info: &state.Info{
				Provider: "acme", Title: "Acme", Grant: grant, Exchange: x, DependsOn: x.Feeders(),
				Client: state.Client{TokenEndpoint: "https://login.acme.example/token", ClientID: "app", Auth: "client_secret_basic"},
			},
			Tokens: &state.Tokens{AccessToken: "CANARY-access", SubjectToken: "CANARY-subject", ActorToken: "CANARY-actor", GrantKey: "CANARY-key"},
		}
	}
	return []*state.Record{
		record("downstream", "token_exchange", &state.Exchange{
			Subject: state.Source{Connection: conn("gateway").String(), Attribute: "access_token"}, SubjectType: "urn:ietf:params:oauth:token-type:access_token",
			Actor: state.Source{Env: "ACTOR_TOKEN"}, ActorType: "urn:ietf:params:oauth:token-type:jwt", Audience: []string{"https://api.acme.example"},
		}),
		record("federated", "jwt_bearer", &state.Exchange{Subject: state.Source{File: "/var/run/secrets/token"}}),
		record("service", "jwt_bearer", &state.Exchange{Signed: true, Issuer: "robot@acme.example", SubjectID: "alice@acme.example"}),
	}
}

func sampleOutputs() []schema.Output {
	return []schema.Output{
		{Name: "graph_expires_at", Value: cty.StringVal("2026-03-02T09:59:00Z")},
		{Name: "token", Value: cty.StringVal("CANARY-output"), Sensitive: true},
		{Name: "sites", Value: cty.ObjectVal(map[string]cty.Value{
			"north": cty.ListVal([]cty.Value{cty.StringVal("User.Read"), cty.StringVal(`say "hi"`)}),
			"süd":   cty.NumberIntVal(3),
			"none":  cty.NullVal(cty.String),
			"empty": cty.EmptyObjectVal,
			"ready": cty.True,
		})},
		{Name: "later", Value: cty.UnknownVal(cty.String)},
	}
}

func sampleProviders() []providers.Entry {
	return []providers.Entry{
		{Name: "github", Title: "GitHub", Docs: "https://docs.github.com/en/apps/oauth-apps"},
		{Name: "keycloak", Title: "Keycloak", Arguments: []providers.Argument{{Name: "host", Required: true, Example: "sso.example.com"}, {Name: "realm", Default: "master"}}},
		{Name: "microsoft", Title: "Microsoft Entra ID", Arguments: []providers.Argument{{Name: "tenant", Default: "organizations", Doc: "Directory (tenant) ID or domain.", Pattern: `[a-z0-9.-]+`}}},
	}
}

// sampleKnownErrors are two of the catalogue and two that nobody knows.
func sampleKnownErrors() ([]providers.KnownError, []providers.UnknownCode) {
	return []providers.KnownError{
			{
				Family: "aadsts", Server: "Microsoft Entra ID", Code: "AADSTS65001", Name: "DelegationDoesNotExist",
				Meaning: "The user or an administrator has not consented to the app.",
				Cause:   "Nobody has consented to these scopes for this app yet, or the consent was removed.",
				Remedy:  "Consent in the browser: oauthctl apply.", Needs: "person",
				Source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
				More:   "https://login.microsoftonline.com/error?code=65001",
			},
			{
				Family: "oauth", Server: "OAuth", Code: "slow_down", Name: "polled too often",
				Meaning: "The server was asked too often.", Cause: "The server was asked too often.",
				Remedy: "Wait and run oauthctl apply again.", Needs: "retry", Source: "https://www.rfc-editor.org/rfc/rfc8628#section-3.5",
			},
		}, []providers.UnknownCode{
			{Code: "invalid_grand\x1b[2J", Similar: []string{"invalid_grant"}},
			{Code: "AADSTS123456", More: "https://login.microsoftonline.com/error?code=123456"},
		}
}

// sampleScopes are one with a successor that is wider, and one without any.
func sampleScopes() []providers.ScopeRow {
	rows, err := providers.ExplainScopes("web.read AllProfiles.Write Social.Manage")
	if err != nil {
		panic(err)
	}
	return rows
}

func sampleVersion() VersionInfo {
	return VersionInfo{Version: "1.2.3", Commit: "1a2b3c4", Date: "2026-03-01", Go: "go1.26.8", Platform: "linux/amd64", StateFormat: 1}
}

func sampleLocks() []state.Held {
	now := sampleNow()
	return []state.Held{
		{Addr: addr.Connection("graph"), Holder: state.Holder{PID: 4711, Host: "build-7", User: "ci", Operation: "refresh", Since: now.Add(-2 * time.Second).Format(time.RFC3339)}},
		{Addr: addr.Connection("mail"), Lease: true, Holder: state.Holder{PID: 812, Host: "laptop", User: "alice", Operation: "consent", Since: now.Add(-90 * time.Second).Format(time.RFC3339)}},
		{Addr: addr.Connection("print")},
	}
}

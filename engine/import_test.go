package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

const adopted = one + `
import {
  to            = connection.graph
  refresh_token = env("OLD")
}
`

// givenKit is a kit whose server has given the token secret-old to somebody.
func givenKit(t *testing.T) *kit {
	t.Helper()
	k := newKit(t)
	k.server.live["secret-old"] = "app"
	return k
}

// imports applies a configuration that imports graph.
func (k *kit) imports(text string) engine.Result {
	k.t.Helper()
	r := k.apply(k.config(text), plan.Options{}).Results[0]
	if r.Action != plan.Import {
		k.t.Fatalf("%+v", r)
	}
	return r
}

// gone: nothing is in the state.
func (k *kit) gone() {
	k.t.Helper()
	if _, err := k.store.Get(k.ctx, graph, state.PartInfo); !errors.Is(err, state.ErrNotFound) {
		k.t.Errorf("the record is there still: %v", err)
	}
}

// Proven writable, the token and the intent to send it written, sent once, saved.
func TestImportHasAnOrder(t *testing.T) {
	k := givenKit(t)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool {
		rec := k.record(graph)
		if rec.Tokens.RefreshToken != "secret-old" || rec.Status != state.StatusUnknown || rec.Info.Intent == nil || rec.Info.Intent.Sends != 1 {
			t.Errorf("in the state while it is sent: %s %+v", rec.Status, rec.Info)
		}
		return false
	})
	if r := k.imports(adopted); r.State != engine.Done || len(r.Warnings) != 1 {
		t.Errorf("%+v", r)
	}
	did := k.server.journal.take()
	if diff := cmp.Diff([]string{"write", "token refresh_token app", "write"}, did[len(did)-3:]); diff != "" {
		t.Error(diff)
	}
	rec := k.record(graph)
	if rec.Status != state.StatusOK || rec.Info.Intent != nil || rec.Tokens.RefreshToken != "refresh-1" || rec.Tokens.AccessToken != "access-1" {
		t.Errorf("%s %+v", rec.Status, rec.Info)
	}
	if k.person.visits.Load() != 0 {
		t.Error("somebody was asked")
	}
	cfg := k.config(adopted)
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("imported, and the plan has changes: %+v", p.Changes)
	}
}

// A server that does not replace the token: the one that was imported stays.
func TestImportKeepsATokenThatIsNotReplaced(t *testing.T) {
	k := givenKit(t)
	k.server.keep = true
	k.imports(adopted)
	if rec := k.record(graph); rec.Tokens.RefreshToken != "secret-old" || !rec.Info.AuthorizedAt.IsZero() {
		t.Errorf("%+v", rec.Info)
	}
}

// The token need not exist any more once the connection is in the state.
func TestImportOfWhatIsThereEvaluatesNothing(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	for _, text := range []string{`env("OLD")`, `jsondecode("no JSON ${env("OLD")}")`} {
		cfg := k.config(strings.Replace(adopted, `env("OLD")`, text, 1))
		if p := k.plan(cfg, plan.Options{}); !p.Empty() {
			t.Errorf("%+v", p.Changes)
		}
	}
	broken := k.config(strings.Replace(adopted, `env("OLD")`, `jsondecode("no JSON ${env("OLD")}")`, 1))
	fresh := newKit(t)
	if _, diags, _ := fresh.engine.Plan(fresh.ctx, broken, plan.Options{}); !diags.HasErrors() {
		t.Error("a token that cannot be had is no error although it is needed")
	}
}

// What was refused, or never left, is taken out of the state again.
func TestRefusedImportLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fault  func(http.ResponseWriter, *http.Request, url.Values) bool
		class  engine.Class
		remedy string
	}{
		"refused": {refreshFaults["refused"].fault, engine.ClassNeedsUser, "give another token"},
		"client": {func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
			oauthError(w, http.StatusUnauthorized, "invalid_client")
			return true
		}, engine.ClassError, ""},
		"unavailable": {refreshFaults["unavailable"].fault, engine.ClassTemporary, "try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			k := givenKit(t)
			k.server.setFault(c.fault)
			r := k.imports(adopted)
			if r.State != engine.Failed || class(r.Err) != c.class || !strings.Contains(r.Err.Error(), c.remedy) {
				t.Errorf("%s: %v", r.State, r.Err)
			}
			k.gone()
			k.server.setFault(nil)
			if r := k.imports(adopted); r.State != engine.Done {
				t.Errorf("the second try: %v", r.Err)
			}
		})
	}
}

// A server that is not there got nothing: the token can be imported later.
func TestImportThatIsNotSentLeavesNothing(t *testing.T) {
	k := givenKit(t)
	k.server.Close()
	r := k.imports(adopted)
	if r.State != engine.Failed || class(r.Err) != engine.ClassTemporary || !strings.Contains(r.Err.Error(), "was not sent") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	k.gone()
}

// Sent, and no answer: the token stays in the state, and token goes on with it.
func TestImportOfUnknownOutcomeStays(t *testing.T) {
	k := givenKit(t)
	k.server.setFault(hangUp)
	r := k.imports(adopted)
	if r.State != engine.Failed || class(r.Err) != engine.ClassTemporary || !strings.Contains(r.Err.Error(), "oauthctl token 'connection.graph'") {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if rec := k.record(graph); rec.Status != state.StatusUnknown || rec.Tokens.RefreshToken != "secret-old" || rec.Info.Intent == nil {
		t.Errorf("%s %+v", rec.Status, rec.Info)
	}
	k.server.setFault(nil)
	if tok := k.token(graph, engine.TokenOptions{}); tok.AccessToken != "access-1" {
		t.Errorf("%+v", tok)
	}
	if rec := k.record(graph); rec.Status != state.StatusOK || rec.Tokens.RefreshToken != "refresh-1" {
		t.Errorf("%s %+v", rec.Status, rec.Info)
	}
}

// An interruption waits for the save.
func TestInterruptedImportIsSaved(t *testing.T) {
	k := givenKit(t)
	cfg := k.config(adopted)
	p := k.plan(cfg, plan.Options{})
	ctx, cancel := context.WithCancel(k.ctx)
	k.server.setFault(func(http.ResponseWriter, *http.Request, url.Values) bool { cancel(); return false })
	if _, err := k.engine.Apply(ctx, cfg, p); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if rec := k.record(graph); rec.Status != state.StatusOK || rec.Tokens.RefreshToken != "refresh-1" {
		t.Errorf("%s %+v", rec.Status, rec.Info)
	}
}

// Nothing is sent if the state cannot be written, or somebody was faster.
func TestImportIsNotSentInVain(t *testing.T) {
	for name, prevent := range map[string]func(k *kit){
		"unwritable": func(k *kit) { k.fail("write", state.ErrUnwritable) },
		"somebody else": func(k *kit) {
			k.watch("lock", func() {
				k.watch("lock", nil)
				other := state.Record{Summary: state.Summary{Addr: graph, Status: state.StatusOK}, Info: &state.Info{}, Tokens: &state.Tokens{}}
				if err := k.store.Put(k.ctx, &other); err != nil {
					t.Error(err)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := givenKit(t)
			if err := k.store.Create(k.ctx); err != nil {
				t.Fatal(err)
			}
			cfg := k.config(adopted)
			p := k.plan(cfg, plan.Options{})
			prevent(k)
			out, err := k.engine.Apply(k.ctx, cfg, p)
			if err == nil && out.Results[0].State != engine.Failed {
				t.Errorf("%+v", out.Results[0])
			}
			if n := count(k.server.journal.take(), "token"); n != 0 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// The token of somebody else is not taken, and not revoked; that the server has
// replaced it is said.
func TestImportOfAnotherAccount(t *testing.T) {
	for _, keep := range []bool{false, true} {
		k := givenKit(t)
		k.server.keep = keep
		k.server.Config.Handler.(*http.ServeMux).HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"sub": "7", "email": "bob@example.com"}`))
		})
		text := strings.Replace(adopted, `rotation {`, "userinfo_endpoint = \"SERVER/userinfo\"\n  rotation {", 1)
		text = strings.Replace(text, `"read"]`, "\"read\"]\n  account = \"alice@example.com\"", 1)
		r := k.imports(text)
		var e *grant.Error
		if r.State != engine.Failed || !errors.As(r.Err, &e) || e.Kind != grant.Account {
			t.Fatalf("%s: %v", r.State, r.Err)
		}
		said := r.Err.Error()
		if !strings.Contains(said, "bob@example.com") || !strings.Contains(said, "alice@example.com") || strings.Contains(said, "had replaced") == keep {
			t.Errorf("replaced: %v; said: %s", !keep, said)
		}
		k.gone()
		if n := count(k.server.journal.take(), "revoke"); n != 0 {
			t.Error("it was revoked")
		}
		if r := k.imports(strings.Replace(text, "alice", "bob", 1)); keep && (r.State != engine.Done || r.Account != "bob@example.com") {
			t.Errorf("the account that is declared: %+v", r)
		}
	}
}

// A grant in which nobody consents has no refresh token to import.
func TestImportNeedsAGrantWithRefreshTokens(t *testing.T) {
	k := newKit(t)
	cfg := k.config(strings.Replace(adopted, `scopes    = ["read"]`, `client_secret = env("S")
  grant "client_credentials" {}`, 1))
	_, diags, _ := k.engine.Plan(k.ctx, cfg, plan.Options{})
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "Nothing to import") {
		t.Errorf("%v", diags)
	}
}

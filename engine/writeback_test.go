package engine_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/state"
)

const writesBack = one + `
sink "file" "ci" {
  path  = "ci.env"
  state = "OAUTHCTL_STATE"
}
`

// isPublished: what was published is the state, record for record.
func (k *kit) isPublished(p *places) {
	k.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	value, found := strings.CutPrefix(p.files["ci.env"], "OAUTHCTL_STATE=")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil || !found {
		k.t.Fatalf("%v: %q", err, p.files["ci.env"])
	}
	var doc struct {
		Records []struct{ Info, Tokens []byte }
	}
	if err := json.Unmarshal(text, &doc); err != nil || len(doc.Records) == 0 {
		k.t.Fatalf("%v: %s", err, text)
	}
	for _, r := range k.records() {
		for _, d := range doc.Records {
			if token := r.Tokens.RefreshToken.Reveal(); token != "" && strings.Contains(string(text)+string(d.Info)+string(d.Tokens), token) {
				k.t.Error("a token is published in clear")
			}
		}
	}
	in, err := k.store.Push(k.ctx, text, state.PushOptions{DryRun: true})
	if err != nil || len(in.Changed)+len(in.Added)+len(in.Removed) > 0 || in.Unchanged == 0 {
		k.t.Errorf("what is published is not what is kept: %+v, %v", in, err)
	}
}

func (k *kit) records() []*state.Record {
	k.t.Helper()
	all, err := k.store.All(k.ctx, state.PartAll)
	if err != nil {
		k.t.Fatal(err)
	}
	return all
}

// What is published is the state as it is kept, with the note in it that it is
// published: who goes on from it has nothing to publish.
func TestTheStateIsPublishedAsItIsKept(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.config(writesBack)
	if c := change(t, k.plan(cfg, plan.Options{}), ci); c.Action != plan.Publish || !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonNew}) {
		t.Errorf("%s %v", c.Action, c.Reasons)
	}
	k.apply(cfg, plan.Options{})
	k.isPublished(p)
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("everything is published, and there is a change")
	}
	k.apply(cfg, plan.Options{})
	if p.writes != 1 {
		t.Errorf("%d writes", p.writes)
	}
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	c := change(t, k.plan(cfg, plan.Options{}), ci)
	if !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonValueChanged}) {
		t.Errorf("%v", c.Reasons)
	}
	if text := strings.Join(c.Notes, "\n"); !strings.Contains(text, "replaces what jobs have published") || !strings.Contains(text, "connection.graph") {
		t.Errorf("%s", text)
	}
	k.apply(cfg, plan.Options{})
	if p.writes != 2 || !k.plan(cfg, plan.Options{}).Empty() {
		t.Errorf("%d writes", p.writes)
	}
	k.isPublished(p)
	// What is only refreshed is published too.
	k.apply(cfg, plan.Options{RefreshOnly: true})
	if p.writes != 3 || !k.plan(cfg, plan.Options{}).Empty() {
		t.Errorf("%d writes", p.writes)
	}
	k.isPublished(p)
}

// Two places do not make each other publish for ever.
func TestTheStateIsPublishedToTwoPlaces(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(writesBack + "sink \"file\" \"too\" {\n  path  = \"too.env\"\n  state = \"STATE\"\n}\n")
	if !k.plan(cfg, plan.Options{}).Empty() || p.writes != 2 {
		t.Errorf("%d writes", p.writes)
	}
}

// Whom the state is sealed for is part of what is published.
func TestTheStateIsPublishedForItsRecipients(t *testing.T) {
	k := newKit(t)
	k.publishing()
	cfg := k.applied(writesBack)
	have, err := k.store.Recipients(k.ctx)
	if err != nil {
		t.Fatal(err)
	}
	k.options.Recipients = have
	k.engine = engine.New(k.options)
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("it is sealed for them, and there is a change")
	}
	k.options.Recipients = append(slices.Clone(have), "age1other")
	k.engine = engine.New(k.options)
	if c := change(t, k.plan(cfg, plan.Options{}), ci); c.Action != plan.Publish {
		t.Errorf("%s", c.Action)
	}
}

// Where the state is kept nowhere else, what is due is renewed to be published,
// after it was tried whether that can be done.
func TestWhatIsDueIsRenewedAndWrittenBack(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(writesBack)
	k.clock.pass(58 * time.Minute)
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("where the state is at home, a job may have renewed it")
	}
	k.options.WriteBack, k.options.User = true, nil
	k.engine = engine.New(k.options)
	pl := k.plan(cfg, plan.Options{})
	if c := change(t, pl, ci); !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonTokenDue}) || !engine.WritesBack(cfg, pl) {
		t.Errorf("%v", c.Reasons)
	}
	before := k.record(graph).Tokens.RefreshToken
	p.fail = errors.New("disk full")
	k.server.journal.take()
	_, err := k.engine.Apply(k.ctx, cfg, pl)
	if err == nil || !strings.Contains(err.Error(), "nothing was sent to any server") || count(k.server.journal.take(), "token") != 0 {
		t.Errorf("%v", err)
	}
	p.fail = nil
	if r := result(t, k.apply(cfg, plan.Options{}), ci.String()); r.State != engine.Done {
		t.Errorf("%v", r.Err)
	}
	if n := count(k.server.journal.take(), "token"); n != 1 || k.record(graph).Tokens.RefreshToken.Equal(before) {
		t.Errorf("renewed %d times", n)
	}
	k.isPublished(p)
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("everything is published, and there is a change")
	}
}

const alone = `
connection "other" {
  provider      = "acme"
  client_id     = "other"
  client_secret = env("OTHER")
  grant "client_credentials" {}
}
`

func refusesClients(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
	if form.Get("grant_type") != "client_credentials" {
		return false
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

// What succeeded is published although something else failed.
func TestWhatSucceededIsWrittenBack(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.config(writesBack + alone)
	k.server.setFault(refusesClients)
	out := k.apply(cfg, plan.Options{})
	if result(t, out, "other").State != engine.Failed || result(t, out, ci.String()).State != engine.Done || p.writes != 1 {
		t.Fatalf("%+v", out.Results)
	}
	k.isPublished(p)
	// Nothing is saved the next time, so nothing is published.
	out = k.apply(cfg, plan.Options{})
	if len(out.Results) != 1 || p.writes != 1 {
		t.Errorf("%d writes: %+v", p.writes, out.Results)
	}
	// A renewal that fails is an error, and what else there is to publish is published.
	k.options.WriteBack = true
	k.engine = engine.New(k.options)
	k.clock.pass(2 * time.Hour)
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, form url.Values) bool {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return true
	})
	out = k.apply(cfg, plan.Options{})
	if r := result(t, out, ci.String()); r.State != engine.Failed || class(r.Err) != engine.ClassNeedsUser || engine.Unpublished(cfg, out) {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	k.isPublished(p)
}

// When everything is spent and publishing fails, that is said.
func TestWhatIsNotWrittenBackIsSaid(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(writesBack)
	k.options.WriteBack = true
	write, calls := k.options.Publish.WriteFile, 0
	k.options.Publish.WriteFile = func(name string, text []byte) error {
		if calls++; calls == 2 {
			return errors.New("disk full")
		}
		return write(name, text)
	}
	k.engine = engine.New(k.options)
	k.clock.pass(58 * time.Minute)
	out := k.apply(cfg, plan.Options{})
	if r := result(t, out, ci.String()); r.State != engine.Failed || !strings.Contains(r.Err.Error(), "is not where the next one will look") || !engine.Unpublished(cfg, out) {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	if c := change(t, k.plan(cfg, plan.Options{}), ci); !slices.Contains(c.Reasons, plan.ReasonIncomplete) {
		t.Errorf("%v", c.Reasons)
	}
	k.apply(cfg, plan.Options{})
	k.isPublished(p)
}

// A place that is busy for a moment is asked again, when there is no other copy.
func TestAPlaceThatIsBusyIsAskedAgain(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(one + "sink \"exec\" \"next\" {\n  program = \"push\"\n  state   = \"STATE\"\n}\n")
	k.options.WriteBack = true
	calls := 0
	k.options.Publish.Run = func(_ context.Context, _ string, input []byte) error {
		if calls++; calls == 2 {
			return &sink.Error{Kind: sink.Temporary, Doing: "push", Detail: "busy"}
		}
		p.runs = append(p.runs, string(input))
		return nil
	}
	k.engine = engine.New(k.options)
	k.clock.pass(58 * time.Minute)
	r := result(t, k.apply(cfg, plan.Options{}), "sink.exec.next")
	if r.State != engine.Done || calls != 3 || !k.plan(cfg, plan.Options{}).Empty() {
		t.Errorf("%d calls; %s: %v", calls, r.State, r.Err)
	}
}

// An interruption does not keep what was saved from being published.
func TestWhatWasSavedBeforeAnInterruptionIsPublished(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.applied(one)
	cfg := k.config(writesBack + alone)
	ctx, cancel := context.WithCancel(k.ctx)
	k.watch("write", cancel)
	out, err := k.engine.Apply(ctx, cfg, k.plan(cfg, plan.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := k.store.Summaries(k.ctx); err != nil || len(rows) != 3 {
		t.Fatalf("nothing was interrupted: %d records, %v", len(rows), err)
	}
	if r := result(t, out, ci.String()); r.State != engine.Done {
		t.Errorf("%s: %v", r.State, r.Err)
	}
	k.isPublished(p)
}

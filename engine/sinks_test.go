package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// places is a disk in memory, and programs that fail on demand.
type places struct {
	mu     sync.Mutex
	files  map[string]string
	writes int
	fail   error
	runs   []string
}

func (p *places) env() sink.Env {
	return sink.Env{
		ReadOwn: func(name string) ([]byte, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			text, ok := p.files[name]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		WriteFile: func(name string, text []byte) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.fail != nil {
				return p.fail
			}
			p.files[name], p.writes = string(text), p.writes+1
			return nil
		},
		RemoveFile: func(name string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.files, name)
			return nil
		},
		Run: func(_ context.Context, program string, input []byte) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.runs = append(p.runs, program+" "+string(input))
			return p.fail
		},
	}
}

// publishing gives the engine places to publish to.
func (k *kit) publishing() *places {
	p := &places{files: map[string]string{}}
	k.options.Publish = p.env()
	k.engine = engine.New(k.options)
	return p
}

const published = one + `
sink "file" "ci" {
  path    = "ci.env"
  secrets = {
    TOKEN  = connection.graph.access_token
    HEADER = "Bearer ${connection.graph.access_token} of ${connection.graph.client_id}"
  }
}
`

var ci = addr.Addr{Kind: addr.KindSink, Type: "file", Name: "ci"}

// change is the change of one address in a plan.
func change(t *testing.T, p *plan.Plan, a addr.Addr) *plan.Change {
	t.Helper()
	i := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Addr == a })
	if i < 0 {
		t.Fatalf("%s is not in the plan", a)
	}
	return &p.Changes[i]
}

func TestSinksArePublishedOnceAndAgainWhenTheValueChanges(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(published)
	token := k.record(graph).Tokens.AccessToken.Reveal()
	want := "HEADER='Bearer " + token + " of app'\nTOKEN=" + token + "\n"
	if p.files["ci.env"] != want || p.writes != 1 {
		t.Errorf("%d writes: %s", p.writes, p.files["ci.env"])
	}
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("nothing changed, and there is a change")
	}
	k.apply(cfg, plan.Options{})
	if p.writes != 1 {
		t.Error("published again although nothing changed")
	}
	// Somebody asks for a token, and what is published is an old one then.
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	c := change(t, k.plan(cfg, plan.Options{}), ci)
	if c.Action != plan.Publish || !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonValueChanged}) || len(c.Unknown) > 0 {
		t.Errorf("%+v", c)
	}
	k.server.journal.take()
	k.apply(cfg, plan.Options{})
	if now := k.record(graph).Tokens.AccessToken.Reveal(); now == token || !strings.Contains(p.files["ci.env"], "TOKEN="+now+"\n") {
		t.Errorf("published: %s", p.files["ci.env"])
	}
	if n := count(k.server.journal.take(), "token"); n != 0 {
		t.Errorf("a valid token was renewed %d times to be published", n)
	}
}

// The write-back: a job without a person renews what is due, once, and publishes
// everything that came with it.
func TestADueTokenIsRenewedOnceAndPublishedEverywhere(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(published + `
sink "file" "next" {
  path    = "next.json"
  format  = "json"
  secrets = { REFRESH = connection.graph.refresh_token }
}
sink "file" "who" {
  path    = "who.env"
  secrets = { CLIENT = connection.graph.client_id }
}
`)
	writes := p.writes
	k.clock.pass(58 * time.Minute)
	k.options.User = nil
	k.engine = engine.New(k.options)
	next, who := addr.Addr{Kind: addr.KindSink, Type: "file", Name: "next"}, addr.Addr{Kind: addr.KindSink, Type: "file", Name: "who"}
	pl := k.plan(cfg, plan.Options{})
	for a, want := range map[addr.Addr]plan.Action{graph: plan.NoOp, ci: plan.Publish, next: plan.Publish, who: plan.NoOp} {
		if c := change(t, pl, a); c.Action != want || want == plan.Publish && !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonTokenDue}) {
			t.Errorf("%s: %s %v", a, c.Action, c.Reasons)
		}
	}
	if got := k.server.journal.take(); count(got, "token") != 0 {
		t.Errorf("a plan spent a token: %v", got)
	}
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %v", r.Addr, r.Err)
		}
	}
	if n := count(k.server.journal.take(), "token"); n != 1 {
		t.Errorf("renewed %d times", n)
	}
	rec := k.record(graph)
	if !strings.Contains(p.files["ci.env"], "TOKEN="+rec.Tokens.AccessToken.Reveal()+"\n") ||
		!strings.Contains(p.files["next.json"], rec.Tokens.RefreshToken.Reveal()) || p.writes != writes+2 {
		t.Errorf("%d writes: %v", p.writes-writes, p.files)
	}
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("everything was published, and there is a change")
	}
	// A sink that uses no access token is no reason to renew one.
	only := k.config(one + "sink \"file\" \"next\" {\n  path    = \"next.json\"\n  format  = \"json\"\n  secrets = { REFRESH = connection.graph.refresh_token }\n}\n")
	k.clock.pass(58 * time.Minute)
	if c := change(t, k.plan(only, plan.Options{}), next); c.Action != plan.NoOp {
		t.Errorf("%s %v", c.Action, c.Reasons)
	}
}

func TestAFailedSinkStopsNothingAndIsPublishedNextTime(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.config(published + "sink \"exec\" \"other\" {\n  program = \"push\"\n  secrets = { TOKEN = connection.graph.access_token }\n}\n")
	other := addr.Addr{Kind: addr.KindSink, Type: "exec", Name: "other"}
	p.fail = errors.New("canary-free reason")
	out := k.apply(cfg, plan.Options{})
	if r := result(t, out, "graph"); r.State != engine.Done {
		t.Errorf("%s: %v", r.Addr, r.Err)
	}
	for _, a := range []addr.Addr{ci, other} {
		if r := result(t, out, a.String()); r.State != engine.Failed || class(r.Err) != engine.ClassError || !strings.Contains(r.Err.Error(), "canary-free reason") {
			t.Errorf("%s: %s: %v", a, r.State, r.Err)
		}
	}
	// Nothing was written to the file; of the program nobody knows.
	pl := k.plan(cfg, plan.Options{})
	if c := change(t, pl, ci); !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonNew}) {
		t.Errorf("%v", c.Reasons)
	}
	if c := change(t, pl, other); !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonIncomplete}) {
		t.Errorf("%v", c.Reasons)
	}
	p.fail = &sink.Error{Kind: sink.Temporary, Doing: "x", Detail: "busy", Remedy: "wait"}
	if r := result(t, k.apply(cfg, plan.Options{}), other.String()); class(r.Err) != engine.ClassTemporary || !strings.Contains(r.Err.Error(), "wait") {
		t.Errorf("%v", r.Err)
	}
	p.fail = nil
	for _, r := range k.apply(cfg, plan.Options{}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %v", r.Addr, r.Err)
		}
	}
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("everything was published, and there is a change")
	}
}

// Published means: the record that the token comes from is on the disk.
func TestNothingIsPublishedBeforeItIsSaved(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.fail("write", errors.New("disk full"))
	cfg := k.config(published)
	out, err := k.engine.Apply(k.ctx, cfg, k.plan(cfg, plan.Options{}))
	if err == nil && result(t, out, ci.String()).State == engine.Done || p.writes != 0 {
		t.Errorf("published what was not saved: %v, %d writes", err, p.writes)
	}
	k.fail("write", nil)
	k.applied(published)
	saved := false
	k.watch("write", func() { saved = true })
	write := k.options.Publish.WriteFile
	k.options.Publish.WriteFile = func(name string, text []byte) error {
		if !saved {
			t.Error("published before the renewed token was saved")
		}
		return write(name, text)
	}
	k.engine = engine.New(k.options)
	k.clock.pass(59 * time.Minute)
	k.apply(k.config(published), plan.Options{})
}

func TestNamesComeAndGoAndPlacesAreLeft(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.applied(published)
	less := strings.Replace(published, "    HEADER", "    # HEADER", 1)
	k.applied(less)
	if text := p.files["ci.env"]; strings.Contains(text, "HEADER") || !strings.Contains(text, "TOKEN=") {
		t.Errorf("%s", text)
	}
	moved := strings.Replace(less, "ci.env", "other.env", 1)
	cfg := k.config(moved)
	c := change(t, k.plan(cfg, plan.Options{}), ci)
	if !slices.Contains(c.Reasons, plan.ReasonTargetChanged) || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "the file ci.env stays there: TOKEN") {
		t.Errorf("%v %v", c.Reasons, c.Notes)
	}
	k.applied(moved)
	if len(p.files) != 2 {
		t.Errorf("%v", p.files)
	}
	// The block is gone: nobody knows how to get there any more.
	cfg = k.config(one)
	if c := change(t, k.plan(cfg, plan.Options{}), ci); c.Action != plan.Forget || len(c.Notes) != 1 {
		t.Errorf("%s %v", c.Action, c.Notes)
	}
	r := result(t, k.apply(cfg, plan.Options{}), ci.String())
	if r.State != engine.Done || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "left there: TOKEN at the file other.env") {
		t.Errorf("%+v", r)
	}
	if _, err := k.store.Get(k.ctx, ci, state.PartInfo); !errors.Is(err, state.ErrNotFound) || len(p.files) != 2 {
		t.Errorf("%v, %v", err, p.files)
	}
}

func TestDestroyTakesAwayWhatWasPublishedFirst(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	cfg := k.applied(published)
	k.clock.pass(2 * time.Hour) // a token that has ended need not be renewed for that
	gone := false
	k.server.setFault(func(_ http.ResponseWriter, r *http.Request, _ url.Values) bool {
		gone = gone || len(p.files) == 0
		if r.URL.Path == "/revoke" && !gone {
			t.Error("revoked before what was published is taken away")
		}
		return false
	})
	for _, r := range k.apply(cfg, plan.Options{Destroy: true}).Results {
		if r.State != engine.Done {
			t.Errorf("%s: %v", r.Addr, r.Err)
		}
	}
	if got := k.server.journal.take(); len(p.files) != 0 || count(got, "token") != 0 || count(got, "revoke") == 0 {
		t.Errorf("%v: %v", p.files, got)
	}
}

func TestASandboxPublishesNothing(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.options.PublishNothing = true
	k.engine = engine.New(k.options)
	cfg := k.config(published)
	if c := change(t, k.plan(cfg, plan.Options{}), ci); len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "sandbox") {
		t.Errorf("%v", c.Notes)
	}
	r := result(t, k.apply(cfg, plan.Options{}), ci.String())
	if r.State != engine.Done || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "nothing was published") || len(p.files) != 0 {
		t.Errorf("%+v, %v", r, p.files)
	}
	if !k.plan(cfg, plan.Options{}).Empty() {
		t.Error("it is recorded, and there is a change")
	}
	k.apply(cfg, plan.Options{Destroy: true})
	if p.writes != 0 {
		t.Error("the sandbox wrote")
	}
}

// The state keeps no value that was published, and neither does a plan.
func TestWhatWasPublishedIsNotKept(t *testing.T) {
	k := newKit(t)
	k.publishing()
	cfg := k.applied(published)
	rec := k.record(ci)
	token := k.record(graph).Tokens.AccessToken.Reveal()
	pub := rec.Info.Published
	if d := cmp.Diff([]string{"HEADER", "TOKEN"}, pub.Names); d != "" || !pub.At.Equal(k.clock.now()) || pub.Place != "the file ci.env" {
		t.Errorf("%+v", pub)
	}
	for _, digest := range pub.Digests {
		if len(digest) < 32 || strings.Contains(token, digest) {
			t.Errorf("digest %q", digest)
		}
	}
	if pub.Digests["TOKEN"] == pub.Digests["HEADER"] || rec.Tokens.AccessToken != "" {
		t.Error("digests of different names are the same, or the sink has a token")
	}
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	p := k.plan(cfg, plan.Options{})
	if text := cmp.Diff(nil, p.Changes); strings.Contains(text, token) || strings.Contains(text, k.record(graph).Tokens.AccessToken.Reveal()) {
		t.Error("the plan has a token in it")
	}
}

// A plan opens the tokens of connections that sinks publish, and no others.
func TestAPlanOpensNoOtherTokens(t *testing.T) {
	k := newKit(t)
	k.publishing()
	cfg := k.applied(published + "connection \"alone\" {\n  provider  = \"acme\"\n  client_id = \"b\"\n}\n")
	var read atomic.Int32
	k.watch("get", func() { read.Add(1) })
	if p := k.plan(cfg, plan.Options{}); !p.Empty() || read.Load() != 2 { // and what is recorded of outputs
		t.Errorf("%d records opened; %+v", read.Load(), p.Changes)
	}
}

func TestTwoAppliesPublishTheSame(t *testing.T) {
	k := newKit(t)
	k.publishing()
	cfg := k.applied(published)
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	mine := k.plan(cfg, plan.Options{})
	k.apply(cfg, plan.Options{})
	_, err := k.engine.Apply(k.ctx, cfg, mine)
	if err == nil || !strings.Contains(err.Error(), "stale") {
		t.Errorf("a plan from before: %v", err)
	}
}

func TestWhatIsMissingIsNotPublished(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.server.bare = true
	cfg := k.config(one + "sink \"file\" \"ci\" {\n  path    = \"ci.env\"\n  secrets = { NEXT = connection.graph.refresh_token }\n}\n")
	r := result(t, k.apply(cfg, plan.Options{}), ci.String())
	if r.State != engine.Failed || !strings.Contains(r.Err.Error(), "there is no value for NEXT") || len(p.files) != 0 {
		t.Errorf("%s: %v", r.State, r.Err)
	}
}

func TestASinkHasNoToken(t *testing.T) {
	k := newKit(t)
	k.publishing()
	k.applied(published)
	if _, err := k.engine.Token(k.ctx, ci, engine.TokenOptions{}); class(err) != engine.ClassError || !strings.Contains(err.Error(), "it is a sink") {
		t.Errorf("token: %v", err)
	}
	if out, err := k.engine.Refresh(k.ctx, nil); err != nil || len(out.Results) != 1 {
		t.Errorf("refresh all: %v", err)
	}
	if _, err := k.engine.Refresh(k.ctx, []addr.Addr{ci}); err == nil {
		t.Error("a sink was refreshed")
	}
}

// Places are spoken to in turn: no more of them at once than -parallelism allows.
func TestSinksTakeTurnsOnTheNetwork(t *testing.T) {
	k := newKit(t)
	k.publishing()
	var now, most atomic.Int32
	k.options.Parallelism = 2
	k.options.Publish.Run = func(context.Context, string, []byte) error {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return nil
	}
	k.engine = engine.New(k.options)
	text := one
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		text += "sink \"exec\" \"" + name + "\" {\n  program = \"p\"\n  secrets = { TOKEN = connection.graph.access_token }\n}\n"
	}
	k.applied(text)
	if most.Load() > 2 {
		t.Errorf("%d at once", most.Load())
	}
}

// Sinks that write over each other are told of, at validate and in a plan, once for
// a block; those that share a place and no name are not.
func TestSinksThatWriteOverEachOther(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"one file for all instances": {
			`sink "file" "s" {
			   for_each = toset(["a", "b", "c"])
			   path     = "tokens"
			   secrets  = { (each.key) = connection.graph.access_token }
			 }`,
			`sink.file.s["a"] and sink.file.s["b"] both write the file tokens, which then is of whichever was published last. With for_each, write ${each.key} into the place, or into the name.`,
		},
		"a file for each": {
			`sink "file" "s" {
			   for_each = toset(["a", "b"])
			   path     = each.key
			   secrets  = { T = connection.graph.access_token }
			 }`, "",
		},
		"two blocks": {
			`sink "github_actions" "a" {
			   repository = "acme/site"
			   token      = env("GITHUB_TOKEN")
			   secrets    = { A = "x", T = connection.graph.access_token }
			 }
			 sink "github_actions" "b" {
			   repository = "acme/site"
			   token      = env("GITHUB_TOKEN")
			   secrets    = { B = "x", T = connection.graph.client_id }
			 }`,
			"sink.github_actions.a and sink.github_actions.b both write T of the Actions secrets of acme/site at api.github.com, which then is of whichever was published last. Give one of them another place, or another name there.",
		},
		"other names, and a program": {
			`sink "github_actions" "a" {
			   repository = "acme/site"
			   token      = env("GITHUB_TOKEN")
			   secrets    = { A = connection.graph.access_token }
			 }
			 sink "github_actions" "b" {
			   repository = "acme/site"
			   token      = env("GITHUB_TOKEN")
			   secrets    = { B = connection.graph.access_token }
			 }
			 sink "exec" "c" {
			   for_each = toset(["a", "b"])
			   program  = "keep"
			   secrets  = { T = connection.graph.access_token }
			 }`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.publishing()
			cfg := k.config(one + c.text)
			_, planned, err := k.engine.Plan(k.ctx, cfg, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for what, diags := range map[string]hcl.Diagnostics{"validate": k.engine.Validate(k.ctx, cfg), "plan": planned} {
				var got []string
				for _, d := range diags {
					if d.Summary == "Sinks that write over each other" {
						got = append(got, d.Detail)
					}
				}
				if strings.Join(got, "\n") != c.want {
					t.Errorf("%s: %q, want %q", what, got, c.want)
				}
			}
		})
	}
}

package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

const outputOf = `
output "account" { value = connection.graph.client_id }
output "token" {
  value     = connection.graph.access_token
  sensitive = true
}
`

// shows evaluates what is recorded, as output does.
func (k *kit) shows() map[string]string {
	k.t.Helper()
	rec, err := k.engine.Recorded(k.ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	out := map[string]string{}
	if rec.Empty() {
		return out
	}
	cfg, diags := schema.LoadRecorded(k.ctx, schema.Source{}, rec)
	if diags.HasErrors() {
		k.t.Fatal(diags)
	}
	known, _ := k.engine.Known(k.ctx)
	outs, diags := cfg.Outputs(known)
	if diags.HasErrors() {
		k.t.Fatal(diags)
	}
	for _, o := range outs {
		out[o.Name] = "?"
		if o.Value.IsKnown() && o.Value.Type() == cty.String {
			out[o.Name] = o.Value.AsString()
		}
	}
	return out
}

// Outputs that are recorded follow the state, hold no token, and are no change
// until the configuration says something else.
func TestOutputsAreRecorded(t *testing.T) {
	k := newKit(t)
	cfg := k.applied(one + outputOf)
	first := k.record(graph)
	if got := k.shows(); got["account"] != first.Info.Client.ClientID || got["token"] != first.Tokens.AccessToken.Reveal() {
		t.Errorf("%v", got)
	}
	rec, err := k.store.Get(k.ctx, addr.Outputs(), state.PartAll)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range rec.Info.Outputs {
		if strings.Contains(text, first.Tokens.AccessToken.Reveal()) {
			t.Errorf("it has the token in it:\n%s", text)
		}
	}
	second := k.token(graph, engine.TokenOptions{ForceRefresh: true})
	if got := k.shows(); got["token"] != second.AccessToken.Reveal() {
		t.Error("the token is not the one that the state has")
	}
	if p := k.plan(cfg, plan.Options{}); !p.Empty() {
		t.Errorf("a refresh is a change of outputs: %+v", p.Outputs)
	}

	cfg = k.config(one + outputOf + "output \"more\" { value = \"x\" }\n")
	p := k.plan(cfg, plan.Options{})
	if len(p.Outputs) != 1 || p.Outputs[0].Name != "more" || p.Outputs[0].Action != plan.CreateOutput {
		t.Errorf("%+v", p.Outputs)
	}
	serial := p.Serial
	if out := k.apply(cfg, plan.Options{}); len(out.Results) != 0 {
		t.Errorf("%+v", out.Results)
	}
	if p = k.plan(cfg, plan.Options{}); !p.Empty() || p.Serial != serial+1 || k.shows()["more"] != "x" {
		t.Errorf("serial %d after %d, %+v, %v", p.Serial, serial, p.Outputs, k.shows())
	}
	k.apply(cfg, plan.Options{Destroy: true})
	if got := k.shows(); len(got) != 0 {
		t.Errorf("after destroy: %v", got)
	}
}

// What is planned for some takes no output of others away, and does not say of what
// stays away that it will be known.
func TestOutputsOfSome(t *testing.T) {
	k := newKit(t)
	const two = one + "connection \"other\" {\n  provider  = \"acme\"\n  client_id = \"b\"\n}\n"
	k.applied(two + outputOf + "output \"gone\" { value = connection.other.client_id }\n")
	p := k.plan(k.config(two+outputOf), plan.Options{Targets: []addr.Addr{graph}})
	if !p.Empty() {
		t.Errorf("%+v", p.Outputs)
	}
	cfg := k.config(two + outputOf + "connection \"third\" {\n  provider  = \"acme\"\n  client_id = \"c\"\n}\n" +
		"output \"third\" { value = connection.third.account }\n")
	if p := k.plan(cfg, plan.Options{Excludes: []addr.Addr{addr.Connection("third")}}); !p.Empty() {
		t.Errorf("%+v", p.Outputs)
	}
	p = k.plan(cfg, plan.Options{})
	names := make([]string, len(p.Outputs))
	for i, c := range p.Outputs {
		names[i] = string(c.Action) + " " + c.Name
	}
	if want := []string{"delete gone", "create third"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// All outputs are recorded at once, so that a plan for some that changes one says
// which go with it.
func TestOutputsOfSomeGoWithAChange(t *testing.T) {
	k := newKit(t)
	k.applied(one + outputOf + "output \"gone\" { value = 1 }\n")
	cfg := k.config(one + outputOf + "output \"new\" { value = \"x\" }\n")
	targeted := plan.Options{Targets: []addr.Addr{graph}}
	var planned []string
	for _, c := range k.plan(cfg, targeted).Outputs {
		planned = append(planned, string(c.Action)+" "+c.Name)
	}
	k.apply(cfg, targeted)
	_, there := k.shows()["gone"]
	if want := []string{"delete gone", "create new"}; there || !slices.Equal(planned, want) {
		t.Errorf("planned %v, want %v; the output that is gone is recorded: %v", planned, want, there)
	}
}

// An output that has no value any more, since its file is gone with it, can be
// taken away.
func TestOutputWhoseFileIsGone(t *testing.T) {
	for name, o := range map[string]plan.Options{"apply": {}, "destroy": {Destroy: true}} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			dir := t.TempDir()
			file := filepath.Join(dir, "words.txt")
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			load := func() *schema.Config {
				cfg, diags := schema.Load(k.ctx, schema.Source{Dir: dir})
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				return cfg
			}
			write("words.txt", "words")
			write("main.hcl", `output "words" { value = file("words.txt") }`)
			k.apply(load(), plan.Options{})
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			write("main.hcl", "")
			cfg := load()
			p := k.plan(cfg, o)
			if len(p.Outputs) != 1 || p.Outputs[0].Action != plan.DeleteOutput || p.Outputs[0].Before.IsKnown() {
				t.Errorf("%+v", p.Outputs)
			}
			k.apply(cfg, o)
			if rec, err := k.engine.Recorded(k.ctx); err != nil || !rec.Empty() {
				t.Errorf("%v, %v", rec, err)
			}
		})
	}
}

// A plan tells of an output that cannot be evaluated what the end of an apply would
// tell; one for some connections does not.
func TestPlanOfAnOutputThatFails(t *testing.T) {
	k := newKit(t)
	k.applied(one)
	cfg := k.config(one + "output \"number\" { value = tonumber(connection.graph.client_id) }\n")
	for name, o := range map[string]plan.Options{"": {}, "of one": {Targets: []addr.Addr{graph}}, "to destroy": {Destroy: true}} {
		p, diags, err := k.engine.Plan(k.ctx, cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		if told := p == nil && diags.HasErrors() && diags[0].Subject != nil; told != (name == "") {
			t.Errorf("plan %s: %v", name, diags)
		}
	}
}

// A state that is published has in it what was recorded, also if nothing else changed.
func TestOutputsArePublishedWithTheState(t *testing.T) {
	k := newKit(t)
	p := k.publishing()
	k.applied(writesBack + outputOf)
	k.isPublished(p)
	cfg := k.config(writesBack + strings.ReplaceAll(outputOf, "client_id", "account"))
	c := change(t, k.plan(cfg, plan.Options{}), ci)
	if !slices.Equal(c.Reasons, []plan.Reason{plan.ReasonStateChanges}) {
		t.Errorf("%v", c.Reasons)
	}
	k.apply(cfg, plan.Options{})
	k.isPublished(p)
	if p.writes != 2 {
		t.Errorf("%d writes", p.writes)
	}
	if got := k.plan(cfg, plan.Options{}); !got.Empty() {
		t.Errorf("everything is published, and there is a change: %+v", got)
	}
}

// Of two who record at once, the later one counts, and neither fails.
func TestOutputsAreRecordedByTwo(t *testing.T) {
	k := newKit(t)
	k.applied(one + outputOf)
	store := k.open(k.backend)
	k.watch("write", func() {
		k.watch("write", func() {})
		rec, err := store.Get(k.ctx, addr.Outputs(), state.PartAll)
		if err == nil {
			rec.Info.Outputs = map[string]string{"outputs.hcl": "output \"other\" { value = 1 }\n"}
			err = store.Put(k.ctx, rec)
		}
		if err != nil {
			t.Error(err)
		}
	})
	k.apply(k.config(one+outputOf+"output \"more\" { value = \"x\" }\n"), plan.Options{})
	if got := k.shows(); got["more"] != "x" || len(got) != 3 {
		t.Errorf("%v", got)
	}
}

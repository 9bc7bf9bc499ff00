package state_test

import (
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/backendtest"
)

// What is recorded of outputs is in no listing, and goes wherever the state goes.
func TestOutputsAreKeptApart(t *testing.T) {
	p, q := newPerson(t), newPerson(t)
	s, _ := holding(t, p, "graph")
	put := func(text string, generation uint64) {
		t.Helper()
		r := &state.Record{
			Summary: state.Summary{Addr: addr.Outputs(), Status: state.StatusOK, UpdatedAt: clock(), Generation: generation},
			Info:    &state.Info{Outputs: map[string]string{"outputs.hcl": text}},
			Tokens:  &state.Tokens{Extra: map[string]secret.Secret{"pass": "hunter2-hunter2"}},
		}
		if err := s.PutNext(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	put("first", 0)
	put("second", 1)

	elsewhere := openStore(t, backendtest.NewMemory(), p)
	pushed, err := elsewhere.Push(t.Context(), export(t, s), state.PushOptions{})
	if err != nil || len(pushed.Added) != 1 || !pushed.Outputs {
		t.Fatalf("%+v, %v", pushed, err)
	}
	if pushed, err = elsewhere.Push(t.Context(), export(t, s), state.PushOptions{}); err != nil || pushed.Unchanged != 1 || pushed.Outputs {
		t.Fatalf("%+v, %v", pushed, err)
	}
	if err := elsewhere.Rekey(t.Context(), []string{p.recipient, q.recipient}); err != nil {
		t.Fatal(err)
	}
	if err := elsewhere.Rekey(t.Context(), []string{p.recipient}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*state.Store{"here": s, "elsewhere": elsewhere} {
		all, err := s.All(t.Context(), state.PartAll)
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %d records, %v", name, len(all), err)
		}
		rows, err := s.Summaries(t.Context())
		if err != nil || len(rows) != 1 {
			t.Errorf("%s: %d summaries, %v", name, len(rows), err)
		}
		past, err := s.History(t.Context(), addr.Addr{}, state.PartInfo)
		if err != nil || len(past) != 0 {
			t.Errorf("%s: %d earlier generations, %v", name, len(past), err)
		}
		r, err := s.Get(t.Context(), addr.Outputs(), state.PartAll)
		if err != nil {
			t.Fatal(err)
		}
		if r.Info.Outputs["outputs.hcl"] != "second" || r.Tokens.Extra["pass"].Reveal() != "hunter2-hunter2" || r.Generation != 2 {
			t.Errorf("%s: %+v", name, r)
		}
		plain, err := s.Plaintext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		connections, outputs, _ := strings.Cut(plain.Reveal(), `"outputs": {`)
		if !strings.Contains(outputs, `"outputs.hcl": "second"`) || strings.Contains(connections, "state.outputs") {
			t.Errorf("%s: decrypted it is\n%s", name, plain.Reveal())
		}
	}
	past, err := s.History(t.Context(), addr.Outputs(), state.PartInfo)
	if err != nil || len(past) != 1 || past[0].Info.Outputs["outputs.hcl"] != "first" {
		t.Errorf("earlier generations: %v, %v", past, err)
	}
}

package plan_test

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// side is an output in a few letters: "?" is not known, "missing" and "due" as in
// OutputSide; the text is how it is written.
type side struct {
	value        string
	text         string
	missing, due bool
	sensitive    bool
}

func (s *side) of(name string) []plan.OutputSide {
	if s == nil {
		return nil
	}
	v := cty.StringVal(s.value)
	if s.value == "?" {
		v = cty.UnknownVal(cty.String)
	}
	return []plan.OutputSide{{
		Name: name, Value: v, Sensitive: s.sensitive, Missing: s.missing, Due: s.due,
	}}
}

func TestCompareOutputs(t *testing.T) {
	for name, c := range map[string]struct {
		was, will     *side
		want          plan.OutputAction
		before, after string // of the change; "": none
	}{
		"new":                                    {nil, &side{value: "a"}, plan.CreateOutput, "", "a"},
		"new, of a connection to be authorized":  {nil, &side{value: "?", missing: true, due: true}, plan.CreateOutput, "", "?"},
		"new, of a connection that stays away":   {nil, &side{value: "?", missing: true}, "", "", ""},
		"new, of a token":                        {nil, &side{value: "?", sensitive: true}, plan.CreateOutput, "", ""},
		"gone":                                   {&side{value: "a"}, nil, plan.DeleteOutput, "a", ""},
		"the same":                               {&side{value: "a"}, &side{value: "a"}, "", "", ""},
		"the same, written in another way":       {&side{value: "a", text: "x"}, &side{value: "a", text: "y"}, "", "", ""},
		"another value":                          {&side{value: "a"}, &side{value: "b"}, plan.UpdateOutput, "a", "b"},
		"sensitive now":                          {&side{value: "a"}, &side{value: "a", sensitive: true}, plan.UpdateOutput, "", ""},
		"sensitive no more":                      {&side{value: "a", sensitive: true}, &side{value: "a"}, plan.UpdateOutput, "", ""},
		"a new consent makes another value":      {&side{value: "a"}, &side{value: "?", missing: true, due: true}, plan.UpdateOutput, "a", "?"},
		"a token":                                {&side{value: "?"}, &side{value: "?"}, "", "", ""},
		"another token":                          {&side{value: "?", text: "x"}, &side{value: "?", text: "y"}, plan.UpdateOutput, "?", "?"},
		"a token of what is being authorized":    {&side{value: "?", missing: true}, &side{value: "?", missing: true, due: true}, plan.CreateOutput, "", "?"},
		"a token of what is authorized again":    {&side{value: "?"}, &side{value: "?", missing: true, due: true}, "", "", ""},
		"nobody has consented, and nobody will":  {&side{value: "?", missing: true}, &side{value: "?", missing: true}, "", "", ""},
		"likewise, written in another way":       {&side{value: "?", missing: true, text: "x"}, &side{value: "?", missing: true, text: "y"}, "", "", ""},
		"of what is not selected, and was known": {&side{value: "a", text: "x"}, &side{value: "?", missing: true, text: "y"}, "", "", ""},
	} {
		got := plan.CompareOutputs(c.was.of("o"), c.will.of("o"), func(string) bool { return c.was.text == c.will.text })
		if c.want == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v, want nothing", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Action != c.want || show(got[0].Before) != c.before || show(got[0].After) != c.after {
			t.Errorf("%s: %+v, want %s from %q to %q", name, got, c.want, c.before, c.after)
		}
	}
}

// How outputs are written is much to compare, if many use one large local: where
// the values tell, it is not asked.
func TestCompareOutputsByTheirValues(t *testing.T) {
	for _, now := range []string{"a", "b"} {
		plan.CompareOutputs((&side{value: "a"}).of("o"), (&side{value: now}).of("o"), func(name string) bool {
			t.Errorf("from a to %s: how %s is written was asked", now, name)
			return true
		})
	}
}

func show(v cty.Value) string {
	switch {
	case v == cty.NilVal:
		return ""
	case !v.IsKnown():
		return "?"
	}
	return v.AsString()
}

// A plan that only changes outputs is one.
func TestAPlanForOutputsIsNotEmpty(t *testing.T) {
	p := plan.Plan{Changes: []plan.Change{{Action: plan.NoOp}}}
	if !p.Empty() {
		t.Error("a plan of nothing is not empty")
	}
	p.Outputs = plan.CompareOutputs(nil, (&side{value: "a"}).of("o"), nil)
	if p.Empty() {
		t.Error("a plan that changes an output is empty")
	}
}

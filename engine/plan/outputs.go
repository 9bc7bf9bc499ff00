package plan

import (
	"cmp"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema"
)

// OutputAction is what happens to what is recorded of an output.
type OutputAction string

// The actions on outputs.
const (
	CreateOutput OutputAction = "create"
	UpdateOutput OutputAction = "update"
	DeleteOutput OutputAction = "delete"
)

// OutputChange is an output whose value will be another one than what the last
// apply recorded gives now.
type OutputChange struct {
	Name          string
	Action        OutputAction
	Sensitive     bool      // its values are left out
	Before, After cty.Value // NilVal: there is none; unknown: it is known after the apply
}

// OutputSide is an output as the state or the configuration has it.
type OutputSide struct {
	Name      string
	Sensitive bool
	Value     cty.Value        // unmarked
	Text      *schema.Recorded // how it is written
	Missing   bool             // it refers to a connection that is not in the state
	Due       bool             // it refers to one that this plan gives another grant
}

// CompareOutputs finds the outputs whose values change, sorted by name: was is
// what the state has recorded, will is what the configuration makes of it.
func CompareOutputs(was, will []OutputSide) []OutputChange {
	var out []OutputChange
	for i := range will {
		w := &will[i]
		j := slices.IndexFunc(was, func(s OutputSide) bool { return s.Name == w.Name })
		if j < 0 {
			if !w.pointless() {
				out = append(out, OutputChange{Name: w.Name, Action: CreateOutput, After: w.Value, Sensitive: w.Sensitive})
			}
			continue
		}
		if action := compareOutput(&was[j], w); action != "" {
			c := OutputChange{Name: w.Name, Action: action, Before: was[j].Value, After: w.Value, Sensitive: w.Sensitive || was[j].Sensitive}
			if action == CreateOutput {
				c.Before = cty.NilVal
			}
			out = append(out, c)
		}
	}
	for _, w := range was {
		if !slices.ContainsFunc(will, func(s OutputSide) bool { return s.Name == w.Name }) {
			out = append(out, OutputChange{Name: w.Name, Action: DeleteOutput, Before: w.Value, Sensitive: w.Sensitive})
		}
	}
	for i := range out {
		out[i].settle()
	}
	slices.SortFunc(out, func(a, b OutputChange) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// pointless: what it refers to is not there, and this plan does not bring it.
func (s *OutputSide) pointless() bool { return s.Missing && !s.Due }

func (s *OutputSide) known() bool { return s.Value.IsWhollyKnown() }

// compareOutput says what happens to an output that is on both sides; "": nothing.
func compareOutput(was, will *OutputSide) OutputAction {
	switch {
	case was.Sensitive != will.Sensitive:
		return UpdateOutput
	case was.known() && will.known():
		if was.Value.RawEquals(will.Value) {
			return ""
		}
	case will.pointless():
		return ""
	case was.Text.Equal(will.Text): // a token has no value in a plan: how it is written tells
		if !was.known() && will.Due && was.Missing {
			return CreateOutput
		}
		if !was.known() {
			return ""
		}
	}
	return UpdateOutput
}

// settle takes away what is not shown.
func (c *OutputChange) settle() {
	for _, v := range []*cty.Value{&c.Before, &c.After} {
		switch {
		case *v == cty.NilVal:
		case c.Sensitive:
			*v = cty.NilVal
		case !v.IsWhollyKnown():
			*v = cty.DynamicVal
		}
	}
}

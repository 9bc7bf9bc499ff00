package plan

import (
	"github.com/zclconf/go-cty/cty"
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
	Value     cty.Value // unmarked
	Missing   bool      // it refers to a connection that is not in the state
	Due       bool      // it refers to one that this plan gives another grant
}

// CompareOutputs finds the outputs whose values change, sorted by name: was is
// what the state has recorded, will is what the configuration makes of it, both sorted by name.
// alike reports whether an output is written on both sides in the same way.
func CompareOutputs(was, will []OutputSide, alike func(name string) bool) []OutputChange {
	var out []OutputChange
	add := func(action OutputAction, w, n *OutputSide) {
		c := OutputChange{Action: action}
		if w != nil {
			c.Name, c.Before, c.Sensitive = w.Name, w.Value, w.Sensitive
		}
		if n != nil {
			c.Name, c.After, c.Sensitive = n.Name, n.Value, c.Sensitive || n.Sensitive
		}
		c.settle()
		out = append(out, c)
	}
	for len(was)+len(will) > 0 {
		switch {
		case len(will) == 0 || len(was) > 0 && was[0].Name < will[0].Name:
			add(DeleteOutput, &was[0], nil)
			was = was[1:]
		case len(was) == 0 || will[0].Name < was[0].Name:
			if !will[0].pointless() {
				add(CreateOutput, nil, &will[0])
			}
			will = will[1:]
		default:
			switch action := compareOutput(&was[0], &will[0], alike); action {
			case "":
			case CreateOutput:
				add(action, nil, &will[0])
			default:
				add(action, &was[0], &will[0])
			}
			was, will = was[1:], will[1:]
		}
	}
	return out
}

// pointless: what it refers to is not there, and this plan does not bring it.
func (s *OutputSide) pointless() bool { return s.Missing && !s.Due }

func (s *OutputSide) known() bool { return s.Value.IsWhollyKnown() }

// compareOutput says what happens to an output that is on both sides; "": nothing.
func compareOutput(was, will *OutputSide, alike func(name string) bool) OutputAction {
	switch {
	case was.Sensitive != will.Sensitive:
		return UpdateOutput
	case was.known() && will.known():
		if was.Value.RawEquals(will.Value) {
			return ""
		}
	case will.pointless():
		return ""
	case alike(will.Name): // a token has no value in a plan: how it is written tells
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

package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// ephemeral marks what comes from a variable with ephemeral = true: it may not
// be stored. The mark never leaves this package.
type ephemeral struct{}

func isEphemeral(v cty.Value) bool { return carries(v, ephemeral{}) }

// refuseEphemeral is the error for an ephemeral value where it would be stored:
// what a connection is made of is in the state, sealed or not, and most of it in
// plans too. what is the place, as "The argument X".
func refuseEphemeral(v cty.Value, rng hcl.Range, what string) hcl.Diagnostics {
	if !isEphemeral(v) {
		return nil
	}
	return hcl.Diagnostics{errorAt(rng, "Invalid use of ephemeral value",
		"%s is kept or shown, so it cannot have a value that comes from a variable with ephemeral = true. "+
			"Such a value can be used in import blocks, as the token of a sink, in locals and in conditions. If it may be kept, take ephemeral away from the variable.", what)}
}

// ephemeralAsNullFunc makes null of what is ephemeral, and leaves the rest.
func ephemeralAsNullFunc() function.Function {
	return markFunc(func(v cty.Value) cty.Value {
		out, err := cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) {
			_, marks := v.Unmark()
			if !hasMark(marks, ephemeral{}) {
				return v, nil
			}
			delete(marks, ephemeral{})
			return cty.NullVal(v.Type()).WithMarks(marks), nil
		})
		if err != nil { // our callback returns none
			return cty.NullVal(v.Type())
		}
		return out
	})
}

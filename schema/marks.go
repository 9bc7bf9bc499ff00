package schema

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Two marks travel with values: the Kind [Sensitive], which other packages set
// and look for too, and dependency, which never leaves this package.

// dependency marks a value that came from a connection.
type dependency struct{ addr addr.Addr }

// IsSensitive reports whether a value or a part of it is marked with [Sensitive].
func IsSensitive(v cty.Value) bool { return carries(v, Sensitive) }

// carries reports whether a value or a part of it has a mark.
func carries(v cty.Value, mark any) bool {
	if v == cty.NilVal || !containsMarked(v) {
		return false
	}
	if v.Type().IsPrimitiveType() {
		return v.HasMark(mark)
	}
	found := false
	_, _ = v.WrangleMarksDeep(func(m any, _ cty.Path) (ctymarks.WrangleAction, error) {
		found = found || m == mark
		return nil, nil
	})
	return found
}

// containsMarked is v.ContainsMarked without its walk where there are no parts.
func containsMarked(v cty.Value) bool {
	if v.Type().IsPrimitiveType() {
		return v.IsMarked()
	}
	return v.ContainsMarked()
}

// unmarked takes all marks off a value and its parts.
func unmarked(v cty.Value) cty.Value {
	switch {
	case !containsMarked(v):
	case v.Type().IsPrimitiveType():
		v, _ = v.Unmark()
	default:
		v, _ = v.UnmarkDeep()
	}
	return v
}

// splitDependencies takes the dependency marks off a value.
func splitDependencies(v cty.Value) (cty.Value, []addr.Addr) {
	if !containsMarked(v) || v.Type().IsPrimitiveType() && !isDependent(v) {
		return v, nil
	}
	var deps []addr.Addr
	out, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if d, ok := mark.(dependency); ok {
			deps = append(deps, d.addr)
			return ctymarks.WrangleDrop, nil
		}
		return nil, nil
	})
	if err != nil { // our callback returns none
		return cty.DynamicVal, deps
	}
	return out, sortAddrs(deps)
}

// isDependent reports whether the value itself came from a connection.
func isDependent(v cty.Value) bool {
	for range cty.ValueMarksOfType[dependency](v) {
		return true
	}
	return false
}

func sortAddrs(as []addr.Addr) []addr.Addr {
	slices.SortFunc(as, addr.Compare)
	return slices.Compact(as)
}

func hasMark(marks cty.ValueMarks, mark any) bool {
	_, ok := marks[mark]
	return ok
}

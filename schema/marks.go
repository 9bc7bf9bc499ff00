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
func IsSensitive(v cty.Value) bool {
	found := false
	if v == cty.NilVal || !v.ContainsMarked() {
		return false
	}
	_, _ = v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		found = found || mark == Sensitive
		return nil, nil
	})
	return found
}

// splitDependencies takes the dependency marks off a value.
func splitDependencies(v cty.Value) (cty.Value, []addr.Addr) {
	if !v.ContainsMarked() {
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

func sortAddrs(as []addr.Addr) []addr.Addr {
	slices.SortFunc(as, addr.Compare)
	return slices.Compact(as)
}

func hasMark(marks cty.ValueMarks, mark any) bool {
	_, ok := marks[mark]
	return ok
}

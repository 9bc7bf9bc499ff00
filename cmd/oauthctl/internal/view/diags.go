package view

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// shown is a diagnostic as it is shown: more counts equal ones left out.
type shown struct {
	*hcl.Diagnostic
	more int
}

// sorted puts errors and warnings in the order of the source, those without a
// place first.
func sorted(diags hcl.Diagnostics) hcl.Diagnostics {
	out := slices.Clone(diags)
	slices.SortStableFunc(out, func(a, b *hcl.Diagnostic) int {
		switch {
		case a.Subject == nil && b.Subject == nil:
			return 0
		case a.Subject == nil:
			return -1
		case b.Subject == nil:
			return 1
		}
		return cmp.Or(
			cmp.Compare(a.Subject.Filename, b.Subject.Filename),
			cmp.Compare(a.Subject.Start.Line, b.Subject.Start.Line),
			cmp.Compare(a.Subject.Start.Column, b.Subject.Start.Column),
		)
	})
	return out
}

// consolidate shows the first of several warnings with the same summary. Errors
// all stay: each is work to do.
func consolidate(diags hcl.Diagnostics) []shown {
	var out []shown
	first := map[string]int{}
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning {
			if i, ok := first[d.Summary]; ok {
				out[i].more++
				continue
			}
			first[d.Summary] = len(out)
		}
		out = append(out, shown{Diagnostic: d})
	}
	return out
}

func tally(diags hcl.Diagnostics) (errs, warns int) {
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning {
			warns++
		} else {
			errs++
		}
	}
	return errs, warns
}

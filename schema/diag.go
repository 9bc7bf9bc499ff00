package schema

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// DiagExtra travels in hcl.Diagnostic.Extra.
type DiagExtra struct {
	Addr   addr.Addr   // what the diagnostic is about; zero if nothing has an address
	Rule   string      // whose condition does not hold: "var.NAME" or "output.NAME"; "": neither
	Values []DiagValue // what a condition that does not hold refers to
}

// DiagValue is the value of a reference, to be shown with a diagnostic.
type DiagValue struct {
	Expr  string
	Value cty.Value // marked with Sensitive where it is
}

// AddrOf returns the address that a diagnostic is about, or the zero Addr.
func AddrOf(d *hcl.Diagnostic) addr.Addr {
	return extraOf(d).Addr
}

// ValuesOf returns the values that are to be shown with a diagnostic.
func ValuesOf(d *hcl.Diagnostic) []DiagValue { return extraOf(d).Values }

// RuleOf returns whose condition a diagnostic is about: "var.NAME",
// "output.NAME", or "".
func RuleOf(d *hcl.Diagnostic) string { return extraOf(d).Rule }

func extraOf(d *hcl.Diagnostic) DiagExtra {
	extra, _ := hcl.DiagnosticExtra[DiagExtra](d)
	return extra
}

// byRule says that a diagnostic is about a condition that does not hold.
func byRule(d *hcl.Diagnostic, rule string) *hcl.Diagnostic {
	d.Extra = DiagExtra{Rule: rule}
	return d
}

// Suggest returns the candidate that given was probably meant to be, or "".
func Suggest(given string, candidates []string) string {
	best, bestDistance := "", 3
	if len(given) < 4 {
		bestDistance = min(2, len(given)) // in a short word, two changes make another word, and in one letter one does
	}
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		if d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(c), nil); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// didYouMean is a sentence to append to a detail, with a space before it, or "".
func didYouMean(given string, candidates []string) string {
	if s := Suggest(given, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

func errorAt(rng hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: rng.Ptr()}
}

func warningAt(rng hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := errorAt(rng, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// about says which thing diagnostics are about, where that is not known yet.
func about(a addr.Addr, diags hcl.Diagnostics) hcl.Diagnostics {
	if a.IsZero() {
		return diags
	}
	for _, d := range diags {
		if AddrOf(d).IsZero() {
			extra := extraOf(d)
			extra.Addr = a
			d.Extra = extra
		}
	}
	return diags
}

// joinOr writes a choice: a, b or c.
func joinOr(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func quoteAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}

// comparePlace orders by file and position; what has no place comes first.
func comparePlace(a, b *hcl.Range) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte),
	)
}

// tidy sorts diagnostics by place and takes out repetitions: every instance of a
// block repeats the block's mistakes.
func tidy(diags hcl.Diagnostics) hcl.Diagnostics {
	type key struct {
		summary string
		rng     hcl.Range
		block   addr.Addr
	}
	first, others := map[key]*hcl.Diagnostic{}, map[key]map[addr.Addr]bool{}
	type exact struct {
		key
		detail string
		addr   addr.Addr
	}
	seen := map[exact]bool{}
	out := diags[:0:0]
	for _, d := range diags {
		a := AddrOf(d)
		k := key{summary: d.Summary, block: a.Block()}
		if d.Subject != nil {
			k.rng = *d.Subject
		}
		if f := first[k]; f != nil && AddrOf(f) != a && a.Keyed {
			if others[k] == nil {
				others[k] = map[addr.Addr]bool{}
			}
			others[k][a] = true
			continue
		}
		e := exact{k, d.Detail, a}
		if seen[e] {
			continue
		}
		seen[e] = true
		if first[k] == nil {
			first[k] = d
		}
		out = append(out, d)
	}
	for k, f := range first {
		if n := len(others[k]); n > 0 {
			f.Detail += fmt.Sprintf("\nThe same is wrong in other instances of the block, %d in all.", n+1)
		}
	}
	slices.SortStableFunc(out, func(a, b *hcl.Diagnostic) int { return comparePlace(a.Subject, b.Subject) })
	return out
}

package view

import "github.com/oauthctl/oauthctl/schema"

// checks warns of the check blocks that fail.
func (p *page) checks(results []schema.CheckResult) {
	for _, r := range results {
		if !failed(r) {
			continue
		}
		p.box(p.Warn, "Warning", "Check failed: "+Safe(r.Name), func(b *page) {
			b.line("  on ", Safe(r.Range.Filename), " line ", number(r.Range.Start.Line))
			b.line()
			for _, problem := range r.Problems {
				b.text(0, Paint{}, SafeText(problem))
			}
		})
	}
}

func failed(r schema.CheckResult) bool { return r.Verdict == schema.Fail }

// jsonCheck is what a check block found.
type jsonCheck struct {
	Name     string         `json:"name"`
	Status   schema.Verdict `json:"status"`
	Problems []string       `json:"problems"`
}

func jsonChecks(results []schema.CheckResult) []jsonCheck {
	var out []jsonCheck
	for _, r := range results {
		out = append(out, jsonCheck{r.Name, r.Verdict, list(r.Problems)})
	}
	return out
}

package engine

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// here is what a plan counts on, in the words of the flows.
func here(c plan.Consent) grant.Here {
	return grant.Here{Wanted: grant.Way(c.Way), NoBrowser: c.NoBrowser, NoKeys: c.NoKeys}
}

// impassable says which consents cannot be given in the way that was asked for.
// It does not matter to those that are not due.
func impassable(cfg *schema.Config, in *plan.Input, p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i := range p.Changes {
		c := &p.Changes[i]
		at, found := slices.BinarySearchFunc(in.Wants, c.Addr, func(w plan.Want, a addr.Addr) int { return addr.Compare(w.Addr, a) })
		if !found || !c.NeedsUser || in.Wants[at].WayProblem == "" {
			continue
		}
		d := &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Consent that cannot be given in this way",
			Detail: fmt.Sprintf("With -consent=%s: %s. Leave -consent out, or leave the connection out: -exclude='%s'",
				in.Options.Consent.Way, in.Wants[at].WayProblem, c.Addr),
			Extra: schema.DiagExtra{Addr: c.Addr},
		}
		for _, conn := range cfg.Connections {
			if conn.Addr == c.Addr {
				d.Subject = conn.Range.Ptr()
			}
		}
		diags = append(diags, d)
	}
	return diags
}

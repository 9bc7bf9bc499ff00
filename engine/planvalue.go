package engine

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
)

// PlanValue is a plan as expressions see it, in tests: plan.connection.NAME, or
// plan.connection.NAME["key"], and the numbers. Nothing in it is secret.
func PlanValue(p *plan.Plan) cty.Value {
	single, keyed := map[string]cty.Value{}, map[string]map[string]cty.Value{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if !c.Addr.Keyed {
			single[c.Addr.Name] = changeValue(c)
			continue
		}
		if keyed[c.Addr.Name] == nil {
			keyed[c.Addr.Name] = map[string]cty.Value{}
		}
		keyed[c.Addr.Name][c.Addr.Key] = changeValue(c)
	}
	for name, instances := range keyed {
		if v, ok := single[name]; ok { // a for_each has come or gone
			instances[""] = v
		}
		single[name] = cty.ObjectVal(instances)
	}
	n := p.Counts()
	warnings := make([]string, len(p.Warnings))
	for i, w := range p.Warnings {
		warnings[i] = w.Summary
	}
	return cty.ObjectVal(map[string]cty.Value{
		"connection":  cty.ObjectVal(single),
		"warnings":    texts(warnings),
		"authorize":   count(n.Authorize),
		"reauthorize": count(n.Reauthorize),
		"refresh":     count(n.Refresh),
		"update":      count(n.Update),
		"revoke":      count(n.Revoke),
		"forget":      count(n.Forget),
		"publish":     count(n.Publish),
		"move":        count(n.Move),
		"no_op":       count(n.NoOp),
		"needs_user":  count(n.NeedUser),
	})
}

func changeValue(c *plan.Change) cty.Value {
	reasons := make([]string, len(c.Reasons))
	for i, r := range c.Reasons {
		reasons[i] = string(r)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"action":         cty.StringVal(string(c.Action)),
		"reasons":        texts(reasons),
		"needs_user":     cty.BoolVal(c.NeedsUser),
		"way":            cty.StringVal(c.Way),
		"provider":       cty.StringVal(c.Provider),
		"grant":          cty.StringVal(c.Grant),
		"account":        cty.StringVal(c.Account),
		"redirect_uri":   cty.StringVal(c.RedirectURI),
		"scopes":         texts(c.Scopes),
		"scopes_added":   texts(c.ScopesAdded),
		"scopes_removed": texts(c.ScopesRemoved),
		"hosts":          texts(c.Hosts),
		"moved_from":     cty.StringVal(c.MovedFrom.String()),
		"replaces":       cty.BoolVal(c.Replaces),
		"notes":          texts(c.Notes),
	})
}

func count(n int) cty.Value { return cty.NumberIntVal(int64(n)) }

func texts(in []string) cty.Value {
	if len(in) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	return list(slices.Clone(in))
}

package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Resolve evaluates one connection again, with the attributes of the
// connections it depends on as known gives them. It may be called from several
// goroutines.
func (c *Config) Resolve(a addr.Addr, known Known) (*Connection, hcl.Diagnostics) {
	b := c.eval.blocks[a.Name]
	i, found := slices.BinarySearchFunc(c.Connections, a, func(conn *Connection, a addr.Addr) int { return addr.Compare(conn.Addr, a) })
	if b == nil || !found {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "No such connection",
			Detail:   "The configuration has no connection " + a.String() + ".",
			Extra:    DiagExtra{Addr: a},
		}}
	}
	conn := *c.Connections[i]
	if len(conn.DependsOn) == 0 {
		return &conn, nil
	}
	wanted := map[addr.Addr]bool{}
	for _, d := range conn.DependsOn {
		wanted[d] = true
	}
	if known == nil {
		known = func(addr.Addr) (cty.Value, bool) { return cty.NilVal, false }
	}
	e := c.eval.with(known, wanted)
	resolved, diags := e.connectionAt(b, a)
	return resolved, tidy(append(diags, about(a, e.cache.takeProblems())...))
}

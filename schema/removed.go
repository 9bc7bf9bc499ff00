package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Removed is a removed block: it says what becomes of a connection that is not
// declared any more.
type Removed struct {
	From    addr.Addr
	Destroy bool      // revoke it, as without the block; false: forget it, and leave the grant alone
	Range   hcl.Range // of the block's header
}

var removedSpec = &Spec{
	Attrs: []Attr{
		{Name: "from", Kind: Static, Required: true, Doc: "The address that is not declared any more: connection.NAME or connection.NAME[\"key\"]."},
	},
	Blocks: []Nested{
		{Type: "lifecycle", Max: 1, Spec: removedLifecycleSpec, Doc: "What becomes of the grant."},
	},
}

var removedLifecycleSpec = &Spec{Attrs: []Attr{
	{Name: "destroy", Kind: Bool, Required: true, Doc: "true: revoke the grant; false: forget it here and leave it alone at the server.", Default: "true"},
}}

// declareRemoved reads the removed blocks.
func (l *loader) declareRemoved(blocks hcl.Blocks) {
	seen := map[addr.Addr]hcl.Range{}
	for _, hb := range blocks {
		c, diags := readBody(hb.Body, removedSpec, "a removed block", hb.DefRange)
		o, more := l.eval.object(c, removedSpec, scope{place: "a removed block"})
		l.diags = append(l.diags, append(diags, more...)...)
		from := l.connectionAddr(c.attrs["from"])
		if from.IsZero() {
			continue
		}
		if first, ok := seen[from]; ok {
			l.diags = append(l.diags, about(from, hcl.Diagnostics{errorAt(hb.DefRange, "Removed twice",
				"The block at %s is about %s already. Remove one of them.", place(first), from)})...)
			continue
		}
		seen[from] = hb.DefRange
		r := Removed{From: from, Destroy: true, Range: hb.DefRange}
		for _, n := range o.Nested["lifecycle"] {
			if v, ok := n.Values["destroy"]; ok {
				r.Destroy = v.RawEquals(cty.True)
			}
		}
		l.cfg.Removed = append(l.cfg.Removed, r)
	}
}

// checkRemoved reports removed blocks about what is declared still.
func (l *loader) checkRemoved() {
	for _, r := range l.cfg.Removed {
		for _, c := range l.cfg.Connections {
			if r.From.Contains(c.Addr) {
				l.diags = append(l.diags, about(c.Addr, hcl.Diagnostics{errorAt(r.Range, "Removed, and still there",
					"The block says that %s is removed, but the configuration declares %s at %s. Remove one of the two.", r.From, c.Addr, place(c.Range))})...)
				break
			}
		}
	}
}

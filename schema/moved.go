package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Moved is a moved block: what was called From is called To now. Between two
// addresses without keys it is about the block, and every instance moves with its key.
type Moved struct {
	From, To addr.Addr
	Range    hcl.Range // of the block's header
}

var movedSpec = &Spec{Attrs: []Attr{
	{Name: "from", Kind: Static, Required: true, Doc: "The former address: connection.NAME or connection.NAME[\"key\"]."},
	{Name: "to", Kind: Static, Required: true, Doc: "The present address."},
}}

// whole: the block moves with all its instances.
func (m Moved) whole() bool { return !m.From.Keyed && !m.To.Keyed }

// Moves is a list of moved blocks, to be followed.
type Moves struct{ blocks, instances map[addr.Addr]Moved }

// NewMoves prepares a list for [Moves.End].
func NewMoves(list []Moved) Moves {
	m := Moves{map[addr.Addr]Moved{}, map[addr.Addr]Moved{}}
	for _, b := range list {
		if b.whole() {
			m.blocks[b.From] = b
		} else {
			m.instances[b.From] = b
		}
	}
	return m
}

// End follows the moves from one to the next: the address at which what was
// called a is now. It is false if they lead in a circle.
func (m Moves) End(a addr.Addr) (addr.Addr, bool) {
	for range len(m.blocks) + len(m.instances) + 1 {
		if b, ok := m.instances[a]; ok { // before its block
			a = b.To
			continue
		}
		b, ok := m.blocks[a.Block()]
		switch {
		case !ok:
			return a, true
		case a.Keyed:
			a = b.To.Instance(a.Key)
		default:
			a = b.To
		}
	}
	return a, false
}

// declareMoved reads the moved blocks.
func (l *loader) declareMoved(blocks hcl.Blocks) {
	type start struct {
		from  addr.Addr
		whole bool
	}
	seen := map[start]hcl.Range{}
	for _, hb := range blocks {
		c, diags := readBody(hb.Body, movedSpec, "a moved block", hb.DefRange)
		l.diags = append(l.diags, diags...)
		from, to := l.connectionAddr(c.attrs["from"]), l.connectionAddr(c.attrs["to"])
		if from.IsZero() || to.IsZero() {
			continue
		}
		if from == to {
			l.diags = append(l.diags, about(to, hcl.Diagnostics{errorAt(hb.DefRange, "Moved to itself",
				"Both addresses are %s. Write the former address in from, or remove the block.", to)})...)
			continue
		}
		m := Moved{From: from, To: to, Range: hb.DefRange}
		s := start{from, m.whole()}
		if first, ok := seen[s]; ok {
			l.diags = append(l.diags, about(from, hcl.Diagnostics{errorAt(hb.DefRange, "Moved twice",
				"The block at %s says already where %s has moved. Remove one of them.", place(first), from)})...)
			continue
		}
		seen[s] = hb.DefRange
		l.cfg.Moved = append(l.cfg.Moved, m)
	}
}

// connectionAddr reads an attribute that holds an address and not a value; the
// zero Addr if there is none, or it is wrong, which is reported.
func (l *loader) connectionAddr(a *attr) addr.Addr {
	if a == nil {
		return addr.Addr{}
	}
	t, diags := hcl.AbsTraversalForExpr(a.Expr)
	name := attrStep(t, 1)
	if diags.HasErrors() || t.RootName() != "connection" || name == "" || len(t) > 3 || len(t) == 3 && !isIndex(t[2]) || !addr.IsName(name) {
		l.diags = append(l.diags, errorAt(a.Expr.Range(), "Invalid address",
			`The argument %q names a connection: connection.NAME or connection.NAME["key"], without quotes around it.`, a.Name))
		return addr.Addr{}
	}
	out := addr.Connection(name)
	if len(t) < 3 {
		return out
	}
	key := t[2].(hcl.TraverseIndex).Key
	if key.Type() != cty.String {
		l.diags = append(l.diags, errorAt(a.Expr.Range(), "Invalid address", `The key of an instance is a string: connection.%s["key"].`, name))
		return addr.Addr{}
	}
	return out.Instance(key.AsString())
}

// checkMoved reports moved blocks that cannot be true: what has moved away
// cannot be declared still, and no way may end where it began.
func (l *loader) checkMoved() {
	if len(l.cfg.Moved) == 0 {
		return
	}
	ms, circle := NewMoves(l.cfg.Moved), false
	blocks, instances := map[addr.Addr]*Connection{}, map[addr.Addr]*Connection{}
	for _, c := range l.cfg.Connections {
		blocks[c.Addr.Block()], instances[c.Addr] = c, c
	}
	for _, m := range l.cfg.Moved {
		if _, ok := ms.End(m.From); !ok {
			if !circle {
				l.diags = append(l.diags, about(m.To, hcl.Diagnostics{errorAt(m.Range, "Moved in a circle",
					"The moved blocks lead from %s back to it. Remove those that are not true any more.", m.From)})...)
			}
			circle = true
			continue
		}
		conn := instances[m.From]
		if m.whole() {
			conn = blocks[m.From]
		}
		if conn != nil {
			l.diags = append(l.diags, about(conn.Addr, hcl.Diagnostics{errorAt(m.Range, "Moved, and still there",
				"The block says that %s has moved to %s, but the configuration declares %s at %s. Remove one of the two.",
				m.From, m.To, conn.Addr, place(conn.Range))})...)
		}
	}
}

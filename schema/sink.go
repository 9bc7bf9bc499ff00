package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// sinkBlock is a sink block before it becomes instances. Its body is decoded by
// whoever knows the kind of the sink.
type sinkBlock struct {
	block   *hcl.Block
	addr    addr.Addr
	forEach *attr
}

func (l *loader) declareSinks(blocks hcl.Blocks) {
	for _, b := range blocks {
		if !addr.IsName(b.Labels[0]) {
			l.declare("sink type", b.Labels[0], b.LabelRanges[0], b.DefRange)
			continue
		}
		if !l.declare("sink "+b.Labels[0], b.Labels[1], b.LabelRanges[1], b.DefRange) {
			continue
		}
		s := sinkBlock{block: b, addr: addr.Addr{Kind: addr.KindSink, Type: b.Labels[0], Name: b.Labels[1]}}
		c, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}}) // what else is wrong, Decode says
		if a := c.Attributes["for_each"]; a != nil {
			s.forEach = newAttr(a)
		}
		l.sinks = append(l.sinks, s)
	}
}

// expandSinks makes of each sink block one sink, or with for_each one for each element.
func (l *loader) expandSinks() {
	for _, s := range l.sinks {
		sc := scope{place: "a sink block", variables: true, locals: true, connections: true, addr: s.addr, forEach: s.forEach}
		if s.forEach == nil {
			l.cfg.Sinks = append(l.cfg.Sinks, newBlock(s.block, l.eval, sc))
			continue
		}
		each, _ := l.elements(s.addr, s.forEach, scope{place: "the for_each of a sink", variables: true, locals: true})
		for _, key := range sortedKeys(each) {
			sc.addr, sc.each = s.addr.Instance(key), map[string]cty.Value{"key": cty.StringVal(key), "value": each[key]}
			l.cfg.Sinks = append(l.cfg.Sinks, newBlock(s.block, l.eval, sc))
		}
		if len(each) == 0 { // what stands in it is checked all the same
			sc.each = map[string]cty.Value{"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal}
			l.idle = append(l.idle, newBlock(s.block, l.eval, sc))
		}
	}
}

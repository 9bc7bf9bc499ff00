package schema

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// connectionBlock is one connection block before it becomes instances.
type connectionBlock struct {
	name    string
	block   *hcl.Block
	content *content
	forEach *attr
	grant   []*attr     // every attribute inside undecoded blocks, for dependencies
	after   []connRef   // of depends_on
	refs    []placedRef // everything the block refers to, for the order

	expanded bool
	broken   bool // part of a cycle, or its for_each is wrong: values are unknown
	keys     []string
	each     map[string]cty.Value

	afterAddrs []addr.Addr

	iterators     map[string]hcl.Expression // of its dynamic blocks
	lifecycle     *Lifecycle                // nil: none
	lifecycleRefs []hcl.Traversal
}

func (b *connectionBlock) hasKey(key string) bool {
	_, ok := b.each[key]
	return ok
}

// example is a key to show in messages.
func (b *connectionBlock) example() string {
	if len(b.keys) > 0 {
		return b.keys[0]
	}
	return "KEY"
}

func (l *loader) declareConnections(blocks hcl.Blocks) {
	for _, hb := range blocks {
		name := hb.Labels[0]
		if !l.declare("connection", name, hb.LabelRanges[0], hb.DefRange) {
			continue
		}
		c, diags := readBody(hb.Body, connectionSpec, "a connection block", hb.DefRange)
		b := &connectionBlock{name: name, block: hb, content: c, forEach: c.attrs["for_each"]}
		for _, g := range c.blocks["grant"] {
			b.grant = append(b.grant, allAttrs(g.Body)...)
		}
		var more hcl.Diagnostics
		if d := c.attrs["depends_on"]; d != nil {
			b.after, more = dependsOn(d)
			diags = append(diags, more...)
		}
		more = l.readLifecycle(b)
		diags = append(diags, more...)
		b.refs = append(b.refs, b.collectRefs()...)
		l.diags = append(l.diags, about(addr.Connection(name), diags)...)
		l.connections = append(l.connections, b)
		l.eval.blocks[name] = b
	}
}

// allAttrs lists the attributes of a body and of all blocks in it.
func allAttrs(body hcl.Body) []*attr {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs := restOf(body, body, &Spec{}) // JSON: blocks look like attributes
		var out []*attr
		for _, name := range sortedKeys(attrs) {
			out = append(out, newAttr(attrs[name]))
		}
		return out
	}
	var out []*attr
	for _, name := range sortedKeys(native.Attributes) {
		out = append(out, newAttr(native.Attributes[name].AsHCLAttribute()))
	}
	for _, b := range native.Blocks {
		out = append(out, allAttrs(b.Body)...)
	}
	return out
}

// dependsOn reads a depends_on list: references, not values.
func dependsOn(a *attr) ([]connRef, hcl.Diagnostics) {
	items, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		return nil, hcl.Diagnostics{errorAt(a.Expr.Range(), "Invalid depends_on", "Write a list of connections: depends_on = [connection.NAME].")}
	}
	var out []connRef
	diags, a.refs = nil, nil
	for _, item := range items {
		t, problems := hcl.AbsTraversalForExpr(item)
		if problems.HasErrors() || t.RootName() != "connection" || attrStep(t, 1) == "" || len(t) > 3 || len(t) == 3 && !isIndex(t[2]) {
			diags = append(diags, errorAt(item.Range(), "Invalid depends_on", `Each element names a connection as a whole: connection.NAME or connection.NAME["key"].`))
			continue
		}
		out = append(out, connRef{name: attrStep(t, 1), key: attrStep(t, 2), keyed: len(t) == 3})
		a.refs = append(a.refs, t)
	}
	return out, diags
}

func isIndex(t hcl.Traverser) bool {
	_, ok := t.(hcl.TraverseIndex)
	return ok
}

// collectRefs lists what the block refers to, with places.
func (b *connectionBlock) collectRefs() []placedRef {
	var out []placedRef
	for _, m := range []map[string]*attr{b.content.attrs, b.content.rest} {
		var names []string
		for name, a := range m {
			if len(a.refs) > 0 {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			out = append(out, placedRefs(m[name].refs)...)
		}
	}
	for _, blocks := range b.content.blocks {
		for _, nested := range blocks {
			for _, a := range allAttrs(nested.Body) {
				out = append(out, placedRefs(a.refs)...)
			}
		}
	}
	return out
}

var forEachScope = scope{place: "for_each", variables: true, locals: true, connections: true}

// expand evaluates for_each, once for all instances: going through a set sorts it.
func (l *loader) expand(b *connectionBlock) {
	b.expanded = true
	if b.forEach == nil {
		return
	}
	each, ok := l.elements(addr.Connection(b.name), b.forEach, forEachScope)
	if b.broken = !ok; ok {
		b.each, b.keys = each, sortedKeys(each)
	}
}

// evaluateConnections makes the instances of all blocks.
func (l *loader) evaluateConnections() {
	for blocks := range slices.Chunk(l.connections, 256) { // so that their syntax trees are not all there at once
		l.evaluateBlocks(blocks)
	}
	slices.SortFunc(l.cfg.Connections, func(a, b *Connection) int { return addr.Compare(a.Addr, b.Addr) })
}

// evaluation is one instance of a block, evaluated or to be.
type evaluation struct {
	b     *connectionBlock
	a     addr.Addr
	conn  *Connection
	diags hcl.Diagnostics
}

func (l *loader) evaluateBlocks(blocks []*connectionBlock) {
	var all []evaluation
	before := make([]hcl.Diagnostics, len(blocks))
	for i, b := range blocks {
		before[i] = l.prepareBlock(b)
		if !b.broken {
			for _, a := range b.addrs() {
				all = append(all, evaluation{b: b, a: a})
			}
		}
	}
	l.evaluateAll(all)
	for i, b := range blocks {
		l.diags = append(l.diags, before[i]...)
		settled := !b.broken
		for ; len(all) > 0 && all[0].b == b; all = all[1:] {
			l.diags = append(l.diags, all[0].diags...)
			l.cfg.Connections = append(l.cfg.Connections, all[0].conn)
			settled = settled && len(all[0].conn.DependsOn) == 0
		}
		if b.broken || b.forEach != nil && len(b.keys) == 0 {
			l.checkOnly(b)
		}
		if settled { // it will not be evaluated again, and its syntax tree is what fills the memory
			b.block, b.content, b.grant, b.refs, b.after = nil, nil, nil, nil, nil
		}
	}
}

// prepareBlock looks at what all instances of a block share.
func (l *loader) prepareBlock(b *connectionBlock) hcl.Diagnostics {
	others := l.diags
	l.diags = nil
	if d := b.content.attrs["depends_on"]; d != nil {
		sc := connectionScope(addr.Connection(b.name), nil)
		l.diags = append(l.diags, about(sc.addr, l.eval.checkRefs(d, sc))...)
	}
	if !b.broken {
		b.afterAddrs = l.eval.dependencies(append(b.after, l.eval.connRefs(b.lifecycleRefs)...), nil)
		l.preventDestroy(b)
		l.checkConditions(b)
	}
	diags := l.diags
	l.diags = others
	return diags
}

// evaluateAll evaluates instances, many of them on all processors. What is made
// up for a sandbox is listed in the order of evaluation, which then has to be one.
func (l *loader) evaluateAll(all []evaluation) {
	const few = 64
	workers := runtime.GOMAXPROCS(0)
	if len(all) < few || l.src.MakeUp {
		workers = 1
	}
	evaluate := func(e *evaluation) { e.conn, e.diags = l.eval.connectionAt(e.b, e.a) }
	var next atomic.Int64
	var crashed atomic.Pointer[evaluation]
	work := func() {
		var e *evaluation
		defer func() {
			if recover() != nil {
				crashed.Store(e)
			}
		}()
		for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
			e = &all[i]
			evaluate(e)
		}
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(work)
	}
	wg.Wait()
	if e := crashed.Load(); e != nil {
		evaluate(e) // again, where somebody can catch it
	}
}

// checkOnly reports mistakes in a block that has no instances now.
func (l *loader) checkOnly(b *connectionBlock) {
	each := map[string]cty.Value{"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal}
	sc := connectionScope(addr.Connection(b.name), each)
	if b.forEach == nil {
		sc.each = nil
	}
	_, diags := l.eval.object(b.content, connectionSpec, sc)
	l.diags = append(l.diags, about(sc.addr, diags)...)
}

func (b *connectionBlock) addrs() []addr.Addr {
	if b.forEach == nil {
		return []addr.Addr{addr.Connection(b.name)}
	}
	out := make([]addr.Addr, len(b.keys))
	for i, k := range b.keys {
		out[i] = addr.Connection(b.name).Instance(k)
	}
	return out
}

func connectionScope(a addr.Addr, each map[string]cty.Value) scope {
	return scope{place: "a connection block", variables: true, locals: true, connections: true, each: each, addr: a}
}

// connectionAt evaluates one instance.
func (e *evaluator) connectionAt(b *connectionBlock, a addr.Addr) (*Connection, hcl.Diagnostics) {
	var each map[string]cty.Value
	if a.Keyed {
		each = map[string]cty.Value{"key": cty.StringVal(a.Key), "value": e.eachValue(b, a.Key)}
	}
	sc := connectionScope(a, each)
	sc.forEach = b.forEach
	b, dynamic := e.dynamicConnection(b, sc)
	sc.iterators = b.iterators
	o, diags := e.object(b.content, connectionSpec, sc)
	diags = append(dynamic, diags...)
	conn := &Connection{
		Addr:            a,
		Range:           b.block.DefRange,
		Provider:        o.String("provider"),
		Description:     o.String("description"),
		ClientID:        o.String("client_id"),
		ClientSecret:    o.Secret("client_secret"),
		ClientAuth:      o.String("client_auth"),
		ApplicationType: o.String("application_type"),
		Scopes:          o.Strings("scopes"),
		RedirectURIs:    o.Strings("redirect_uris"),
		Account:         o.String("account"),
		Hosts:           o.Strings("hosts"),
		UnknownOutcome:  o.String("unknown_outcome"),
		Resource:        o.Strings("resource"),
		Audience:        o.String("audience"),
		AuthorizeParams: o.StringMap("authorize_params"),
		TokenParams:     o.StringMap("token_params"),
		Args:            o.Rest,
		Unknown:         o.Unknown,
		Ranges:          o.Ranges,
	}
	var late hcl.Diagnostics
	conn.SecretExpiresAt, late = o.moment("secret_expires_at")
	diags = append(diags, late...)
	conn.Lifecycle = b.lifecycle
	var triggered hcl.Diagnostics
	conn.TriggeredBy, triggered = e.triggers(b, sc)
	diags = append(diags, triggered...)
	deps := append(o.deps, conn.TriggeredBy...)
	if len(o.Nested["client_assertion"])+len(o.Nested["token_lifetimes"]) > 0 {
		conn.Ranges = maps.Clone(o.Ranges)
	}
	for _, n := range o.Nested["client_assertion"] {
		diags = append(diags, e.assertionOf(conn, o, n, diags.HasErrors())...)
	}
	for _, t := range o.Nested["token_lifetimes"] {
		conn.Lifetimes = Lifetimes{Access: t.Duration("access"), Refresh: t.Duration("refresh"), RefreshBefore: t.Duration("refresh_before")}
		maps.Copy(conn.Ranges, t.Ranges)
		if len(t.Unknown) > 0 {
			conn.Unknown = append(conn.Unknown, "token_lifetimes")
		}
	}
	for _, g := range o.Nested["grant"] {
		conn.Grant = g.Block
	}
	unknownGrant := false
	for _, at := range b.grant {
		v, more, problems := e.value(at, sc)
		deps = append(deps, more...)
		diags = append(diags, problems...)
		unknownGrant = unknownGrant || !v.IsWhollyKnown()
	}
	if unknownGrant {
		conn.Unknown = append(conn.Unknown, "grant")
	}
	slices.Sort(conn.Unknown)
	if conn.DependsOn = b.afterAddrs; len(deps) > 0 { // else all instances share one list
		conn.DependsOn = sortAddrs(slices.Concat(deps, b.afterAddrs))
	}
	if len(conn.Unknown) > 0 && len(conn.DependsOn) == 0 && !e.guessed && !diags.HasErrors() {
		diags = append(diags, errorAt(b.block.DefRange, "Value that will never be known",
			"The values of %s depend on no connection, and still they are not known. Check the expressions.", strings.Join(conn.Unknown, ", ")))
	}
	diags = append(diags, conn.check(o)...)
	return conn, about(a, diags)
}

// eachValue is each.value of one instance. It changes with what is known if the
// collection has connections in it.
func (e *evaluator) eachValue(b *connectionBlock, key string) cty.Value {
	if e.known == nil || len(e.connRefs(b.forEach.refs)) == 0 {
		return b.each[key]
	}
	// for_each = connection.NAME is common, and need not make all instances for one.
	if t, diags := hcl.AbsTraversalForExpr(b.forEach.Expr); !diags.HasErrors() && t.RootName() == "connection" && len(t) == 2 {
		return e.instance(addr.Connection(attrStep(t, 1)).Instance(key))
	}
	v, diags := e.marked(b.forEach, forEachScope)
	if v, _ = v.Unmark(); diags.HasErrors() || !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return b.each[key]
	}
	for it := v.ElementIterator(); it.Next(); {
		if k, elem := it.Element(); k.Type() == cty.String && k.AsString() == key {
			return elem
		}
	}
	return b.each[key]
}

// check finds mistakes that need no knowledge of the provider.
func (c *Connection) check(o *Object) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, name := range []string{"provider", "client_id"} {
		if o.Has(name) && strings.TrimSpace(o.String(name)) == "" {
			diags = append(diags, errorAt(o.Ranges[name], fmt.Sprintf("Empty %s", name), "The argument %q must not be empty.", name))
		}
	}
	seen := map[string]bool{}
	for i, u := range c.RedirectURIs {
		at := func() hcl.Range { return elementRange(o.content.attrs["redirect_uris"].Expr, i) }
		if detail := checkRedirectURI(u); detail != "" {
			diags = append(diags, errorAt(at(), "Invalid redirect URI", "The redirect URI %q %s", u, detail))
		} else if seen[u] {
			diags = append(diags, warningAt(at(), "Redirect URI listed twice", "The redirect URI %q is listed more than once. Remove one of them.", u))
		}
		seen[u] = true
	}
	for i, u := range c.Resource {
		if p, err := url.Parse(u); err != nil || !p.IsAbs() || strings.Contains(u, "#") {
			diags = append(diags, errorAt(elementRange(o.content.attrs["resource"].Expr, i), "Invalid resource indicator",
				"The resource %q must be an absolute URI without a fragment (RFC 8707 §2).", u))
		}
	}
	diags = append(diags, c.checkHosts(o)...)
	if l := c.Lifetimes; l.Access > 0 && l.RefreshBefore >= l.Access {
		diags = append(diags, errorAt(o.Nested["token_lifetimes"][0].Ranges["refresh_before"], "Margin longer than the lifetime",
			"refresh_before (%s) is not shorter than access (%s): every token would count as expired. Make it shorter.", FormatDuration(l.RefreshBefore), FormatDuration(l.Access)))
	}
	return diags
}

// checkRedirectURI says what is wrong with a redirect URI (RFC 6749 §3.1.2,
// RFC 8252 §7), or "".
func checkRedirectURI(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || !u.IsAbs():
		return "is not an absolute URI. Write it in full, such as http://127.0.0.1/callback."
	case strings.Contains(s, "#"):
		return "has a fragment (#…), which servers refuse (RFC 6749 §3.1.2). Remove it."
	case u.User != nil:
		return "has a user name in it. Remove it."
	case u.Scheme == "https" && u.Host == "":
		return "has no host. Write it in full, such as https://app.example/callback."
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "uses http, so codes would travel in clear. Use https, or a loopback address such as http://127.0.0.1/callback."
	}
	return ""
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Import is an import block: a connection begins with a refresh token that was
// given to its client elsewhere, and nobody has to consent.
type Import struct {
	To    addr.Addr
	Range hcl.Range // of the block's header; zero: the token was handed to a command

	token *attr         // evaluated only when it is needed
	scope               // of token
	given secret.Secret // instead of token
}

var importSpec = &Spec{hints: importHints, Attrs: []Attr{
	{Name: "to", Kind: Static, Required: true, Doc: "The connection that the token is for: connection.NAME or connection.NAME[\"key\"]. The key may be an expression, such as each.key. If it is in the state already, the block does nothing."},
	{Name: "refresh_token", Kind: Sensitive, Required: true, Ephemeral: true, Doc: "The refresh token; never a literal: use env() or a sensitive variable. It is evaluated only while the connection is not in the state."},
	{Name: "for_each", Kind: Static, Doc: "A map or a set of strings: one token for each element, with each.key and each.value."},
}}

// importHints answer those who come from Terraform.
var importHints = hints{
	{"id", "What is imported is a refresh token, and it has no id: write refresh_token = env(\"NAME\"), or a sensitive variable."},
	{"identity", "What is imported is a refresh token: write refresh_token = env(\"NAME\"), or a sensitive variable."},
	{"provider", "The provider stands in the connection block."},
}

var importScope = scope{place: "an import block", variables: true, locals: true, secret: true}

// importBlock is an import block before it is known for which connections it is.
type importBlock struct {
	content *content
	rng     hcl.Range
}

// declareImports reads the import blocks.
func (l *loader) declareImports(blocks hcl.Blocks) {
	for _, hb := range blocks {
		c, diags := readBody(hb.Body, importSpec, "an import block", hb.DefRange)
		l.diags = append(l.diags, diags...)
		for _, a := range allAttrs(hb.Body) { // who takes another name for it writes a token there all the same
			if a.Name != "to" {
				l.cfg.Sources.hide(a.Expr.Range())
			}
		}
		l.imports = append(l.imports, importBlock{c, hb.DefRange})
	}
}

// expandImports finds the connections that tokens are given for. The tokens are not
// evaluated here: once a connection is in the state, its token need not exist any more.
func (l *loader) expandImports() {
	seen := map[addr.Addr]hcl.Range{}
	for _, b := range l.imports {
		for _, im := range l.importsOf(b) {
			switch first, ok := seen[im.To]; {
			case ok && first == im.Range:
				l.diags = append(l.diags, about(im.To, hcl.Diagnostics{errorAt(im.Range, "Imported twice",
					"Each element of for_each is for a connection of its own: write to = %s[each.key].", im.To.Block())})...)
				continue
			case ok:
				l.diags = append(l.diags, about(im.To, hcl.Diagnostics{errorAt(im.Range, "Imported twice",
					"The block at %s gives a token to %s already. Remove one of them.", place(first), im.To)})...)
				continue
			}
			seen[im.To] = im.Range
			if im.token != nil {
				l.cfg.Imports = append(l.cfg.Imports, im)
			}
		}
	}
	slices.SortFunc(l.cfg.Imports, func(a, b Import) int { return addr.Compare(a.To, b.To) })
}

// importsOf makes of one block an import for each element.
func (l *loader) importsOf(b importBlock) []Import {
	to, im := b.content.attrs["to"], Import{Range: b.rng, token: b.content.attrs["refresh_token"], scope: importScope}
	if im.forEach = b.content.attrs["for_each"]; im.forEach == nil {
		im.To = l.instanceAddr(to, im.scope)
		return im.listed()
	}
	sc := importScope
	sc.place, sc.secret = "the for_each of an import block", false
	each, ok := l.elements(addr.Addr{}, im.forEach, sc)
	if !ok {
		return nil
	}
	if len(each) == 0 { // what stands in the block is checked all the same
		im.each = map[string]cty.Value{"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal}
		l.checkToken(im)
	}
	var out []Import
	for _, key := range sortedKeys(each) {
		im.each = map[string]cty.Value{"key": cty.StringVal(key), "value": each[key]}
		before := len(l.diags)
		im.To = l.instanceAddr(to, im.scope)
		out = append(out, im.listed()...)
		if len(l.diags) > before { // it would be said of every element
			break
		}
	}
	return out
}

// listed is a list of the import, if its address could be read.
func (im Import) listed() []Import {
	if im.To.IsZero() {
		return nil
	}
	return []Import{im}
}

// instanceAddr is [loader.connectionAddr] where the key may be an expression.
func (l *loader) instanceAddr(a *attr, sc scope) addr.Addr {
	if a == nil {
		return addr.Addr{}
	}
	index, ok := asIndex(a.Expr).(*hclsyntax.IndexExpr)
	if !ok {
		return l.connectionAddr(a)
	}
	base := l.connectionAddr(newAttr(&hcl.Attribute{Name: a.Name, Expr: index.Collection, Range: a.Range, NameRange: a.NameRange}))
	if base.IsZero() {
		return base
	}
	sc.secret = false
	key, _, diags := l.eval.value(newAttr(&hcl.Attribute{Name: a.Name, Expr: index.Key, Range: a.Range, NameRange: a.NameRange}), sc)
	l.diags = append(l.diags, about(base, diags)...)
	fail := func(detail string, args ...any) addr.Addr {
		l.diags = append(l.diags, about(base, hcl.Diagnostics{errorAt(index.Key.Range(), "Invalid address", detail, args...)})...)
		return addr.Addr{}
	}
	switch {
	case diags.HasErrors():
		return addr.Addr{}
	case base.Keyed:
		return fail("An address has one key: %s[each.key].", base.Block())
	case IsSensitive(key):
		return fail("The key is sensitive, but it becomes part of an address, which is shown. If it is no secret, wrap it: nonsensitive(…).")
	}
	key, marks := key.UnmarkDeep()
	switch {
	case hasMark(marks, ephemeral{}):
		return fail("The key is ephemeral, but it becomes part of an address, which is kept in the state.")
	case !key.IsKnown() && l.src.Partial:
		return addr.Addr{}
	case !key.IsKnown() || key.IsNull() || key.Type() != cty.String:
		return fail("The key of an instance is a string: %s[each.key].", base)
	}
	return base.Instance(key.AsString())
}

// asIndex is the expression of an address. In JSON it is the text of one.
func asIndex(expr hcl.Expression) hcl.Expression {
	if _, native := expr.(hclsyntax.Expression); native {
		return expr
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() || checkText("", []byte(v.AsString())).HasErrors() {
		return expr
	}
	parsed, diags := hclsyntax.ParseExpression([]byte(v.AsString()), expr.Range().Filename, expr.Range().Start)
	if diags.HasErrors() {
		return expr
	}
	return parsed
}

// checkImports reports blocks about connections that nothing declares, and
// tokens that are written in the configuration.
func (l *loader) checkImports() {
	for _, im := range l.cfg.Imports {
		l.diags = append(l.diags, about(im.To, l.undeclared(im))...)
		l.checkToken(im)
	}
}

func (l *loader) checkToken(im Import) {
	if im.token == nil {
		return
	}
	diags := l.eval.checkRefs(im.token, im.scope)
	if !diags.HasErrors() && !im.token.traced.Swap(true) { // once for all elements
		diags = append(diags, l.eval.refuseLiteral("refresh_token", im.token, im.scope)...)
	}
	l.diags = append(l.diags, about(im.To, diags)...)
}

func (l *loader) undeclared(im Import) hcl.Diagnostics {
	if _, found := slices.BinarySearchFunc(l.cfg.Connections, im.To, func(c *Connection, a addr.Addr) int { return addr.Compare(c.Addr, a) }); found {
		return nil
	}
	b := l.eval.blocks[im.To.Name]
	switch {
	case b != nil && b.broken: // which instances there are is not known
		return nil
	case b != nil && b.forEach != nil && !im.To.Keyed:
		return hcl.Diagnostics{errorAt(im.Range, "Import to all instances",
			"%s has for_each, and a token is for one of its instances: write to = %s.", im.To, im.To.Instance(b.example()))}
	case l.src.Undeclared:
		return nil
	}
	var names []string
	for _, c := range l.cfg.Connections {
		if !c.Addr.Keyed {
			names = append(names, c.Addr.String())
		}
	}
	return hcl.Diagnostics{errorAt(im.Range, "Import to nothing",
		"The configuration does not declare %s.%s Declare it with a connection block, or have one written: oauthctl plan -generate-config-out=FILE",
		im.To, didYouMean(im.To.String(), names))}
}

// ImportTo reports whether a refresh token is given for a connection.
func (c *Config) ImportTo(a addr.Addr) bool { return c.importTo(a) != nil }

// ImportRange is where the block is written; nil if the token was handed to a command.
func (c *Config) ImportRange(a addr.Addr) *hcl.Range {
	if im := c.importTo(a); im != nil && im.token != nil {
		return im.Range.Ptr()
	}
	return nil
}

func (c *Config) importTo(a addr.Addr) *Import {
	i, found := c.findImport(a)
	if !found {
		return nil
	}
	return &c.Imports[i]
}

// findImport is where an import is, or belongs.
func (c *Config) findImport(to addr.Addr) (i int, found bool) {
	return slices.BinarySearchFunc(c.Imports, to, func(im Import, a addr.Addr) int { return addr.Compare(im.To, a) })
}

// GiveToken is an import block in the place of one that is not written, or of one that is.
func (c *Config) GiveToken(to addr.Addr, token secret.Secret) {
	i, found := c.findImport(to)
	if !found {
		c.Imports = slices.Insert(c.Imports, i, Import{})
	}
	c.Imports[i] = Import{To: to, given: token}
	c.eval.secrets.learnAll(cty.StringVal(token.Reveal()))
}

// ImportToken evaluates the refresh token that is given for a connection.
func (c *Config) ImportToken(a addr.Addr) (secret.Secret, hcl.Diagnostics) {
	im := c.importTo(a)
	switch {
	case im == nil:
		return "", nil
	case im.token == nil:
		return im.given, nil
	}
	o := &Object{Values: map[string]cty.Value{}}
	diags := c.eval.set(o, &importSpec.Attrs[1], im.token, im.scope)
	token := o.Secret("refresh_token")
	if !diags.HasErrors() {
		if problem := CheckToken(token); problem != "" {
			diags = append(diags, errorAt(im.token.Expr.Range(), "Invalid refresh token", "The refresh token for %s %s.", a, problem))
		}
	}
	return token, tidy(about(a, diags))
}

// MadeUpToken gives the refresh token of a connection if it was made up for the sandbox.
func (c *Config) MadeUpToken(a addr.Addr) (secret.Secret, bool) {
	token, diags := c.ImportToken(a)
	return token, !diags.HasErrors() && c.eval.makeUp && strings.HasPrefix(token.Reveal(), madeUpPrefix)
}

// CheckToken says what keeps a text from being a refresh token (RFC 6749
// appendix A.17); "" if nothing does.
func CheckToken(token secret.Secret) string {
	text := token.Reveal()
	switch {
	case text == "":
		return "is empty"
	case len(text) > maxToken:
		return "is longer than any refresh token"
	case strings.ContainsAny(text, " \t\r\n"):
		return "has whitespace in it, which no refresh token has"
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x21 || r > 0x7e }):
		return "has characters in it that no refresh token has (RFC 6749 appendix A.17)"
	}
	return ""
}

const maxToken = 64 << 10 // bytes

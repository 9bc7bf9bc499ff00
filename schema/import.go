package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
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
	given secret.Secret // instead of token
}

var importSpec = &Spec{hints: importHints, Attrs: []Attr{
	{Name: "to", Kind: Static, Required: true, Doc: "The connection that the token is for: connection.NAME or connection.NAME[\"key\"]. If it is in the state already, the block does nothing."},
	{Name: "refresh_token", Kind: Sensitive, Required: true, Ephemeral: true, Doc: "The refresh token; never a literal: use env() or a sensitive variable. It is evaluated only while the connection is not in the state."},
}}

// importHints answer those who come from Terraform.
var importHints = hints{
	{"id", "What is imported is a refresh token, and it has no id: write refresh_token = env(\"NAME\"), or a sensitive variable."},
	{"identity", "What is imported is a refresh token: write refresh_token = env(\"NAME\"), or a sensitive variable."},
	{"provider", "The provider stands in the connection block."},
	{"for_each", "There is no for_each here. Write one import block for each instance, or run: oauthctl import."},
}

var importScope = scope{place: "an import block", variables: true, locals: true, secret: true}

// declareImports reads the import blocks. Tokens are not evaluated here: once a
// connection is in the state, its token need not exist any more.
func (l *loader) declareImports(blocks hcl.Blocks) {
	seen := map[addr.Addr]hcl.Range{}
	for _, hb := range blocks {
		c, diags := readBody(hb.Body, importSpec, "an import block", hb.DefRange)
		l.diags = append(l.diags, diags...)
		for _, a := range allAttrs(hb.Body) { // who takes another name for it writes a token there all the same
			if a.Name != "to" {
				l.cfg.Sources.hide(a.Expr.Range())
			}
		}
		to := l.connectionAddr(c.attrs["to"])
		if to.IsZero() {
			continue
		}
		if first, ok := seen[to]; ok {
			l.diags = append(l.diags, about(to, hcl.Diagnostics{errorAt(hb.DefRange, "Imported twice",
				"The block at %s gives a token to %s already. Remove one of them.", place(first), to)})...)
			continue
		}
		seen[to] = hb.DefRange
		if c.attrs["refresh_token"] != nil {
			l.cfg.Imports = append(l.cfg.Imports, Import{To: to, Range: hb.DefRange, token: c.attrs["refresh_token"]})
		}
	}
}

// checkImports reports blocks about connections that nothing declares, and
// tokens that are written in the configuration.
func (l *loader) checkImports() {
	for _, im := range l.cfg.Imports {
		l.diags = append(l.diags, about(im.To, l.undeclared(im))...)
		diags := l.eval.checkRefs(im.token, importScope)
		im.token.traced = true
		if !diags.HasErrors() {
			diags = append(diags, l.eval.refuseLiteral("refresh_token", im.token, importScope)...)
		}
		l.diags = append(l.diags, about(im.To, diags)...)
	}
}

func (l *loader) undeclared(im Import) hcl.Diagnostics {
	var names []string
	for _, c := range l.cfg.Connections {
		if c.Addr == im.To {
			return nil
		}
		if !c.Addr.Keyed {
			names = append(names, c.Addr.String())
		}
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
	i := slices.IndexFunc(c.Imports, func(im Import) bool { return im.To == a })
	if i < 0 {
		return nil
	}
	return &c.Imports[i]
}

// GiveToken is an import block in the place of one that is not written, or of one that is.
func (c *Config) GiveToken(to addr.Addr, token secret.Secret) {
	c.Imports = slices.DeleteFunc(c.Imports, func(im Import) bool { return im.To == to })
	c.Imports = append(c.Imports, Import{To: to, given: token})
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
	diags := c.eval.set(o, &importSpec.Attrs[1], im.token, importScope)
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

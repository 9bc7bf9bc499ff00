package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Origin is where a token is that belongs to another connection, so that it can
// be read there again when the configuration is not at hand. It is zero if that
// cannot be said: if a value is made of several, or is more than one attribute.
type Origin struct {
	Connection addr.Addr
	Attribute  string // of the connection: access_token, refresh_token or id_token
}

// Origin says where the value of a Sensitive attribute comes from, if that is
// from other connections.
func (o *Object) Origin(name string) (from Origin, fed bool) {
	from, fed = o.origins[name]
	return from, fed
}

// tokenAttributes of a connection are those that a grant can present.
var tokenAttributes = []string{"access_token", "refresh_token", "id_token"}

// origin follows an expression to the one attribute that it stands for.
func (e *evaluator) origin(expr hcl.Expression, deps []addr.Addr) Origin {
	if len(deps) != 1 {
		return Origin{}
	}
	if name := e.lastStep(expr); slices.Contains(tokenAttributes, name) {
		return Origin{Connection: deps[0], Attribute: name}
	}
	return Origin{}
}

// lastStep is the last step of a reference to a connection, "" if the
// expression is more than a reference.
func (e *evaluator) lastStep(expr hcl.Expression) string {
	for range maxDepth { // locals may stand for each other; a circle has been reported
		switch x := nativeExpr(expr).(type) {
		case *hclsyntax.ParenthesesExpr:
			expr = x.Expression
		case *hclsyntax.TemplateWrapExpr:
			expr = x.Wrapped
		case *hclsyntax.RelativeTraversalExpr:
			return attrStep(x.Traversal, len(x.Traversal)-1)
		case *hclsyntax.ScopeTraversalExpr:
			l := e.locals[attrStep(x.Traversal, 1)]
			if x.Traversal.RootName() != "local" || len(x.Traversal) != 2 || l == nil {
				return attrStep(x.Traversal, len(x.Traversal)-1)
			}
			expr = l.Expr
		default:
			return ""
		}
	}
	return ""
}

// InventKey is a key to sign with in the place of one that was made up for the
// sandbox; every other text is given back as it is.
func (b *Block) InventKey(text secret.Secret, algorithm string) secret.Secret {
	a := Assertion{PrivateKey: text, Algorithm: algorithm}
	if b.eval.makeUp {
		a.makeUp()
	}
	return a.PrivateKey
}

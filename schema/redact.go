package schema

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// redactor knows the sensitive values that have been seen, to take them out of
// messages: the errors of functions quote their arguments.
type redactor struct {
	mu     sync.Mutex
	values map[string]bool
}

// shortest is the length in bytes from which a value is looked for in messages.
// Shorter ones would tear words apart, and tell nothing.
const shortest = 4

// learn remembers the sensitive strings in a value.
func (r *redactor) learn(v cty.Value) {
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		plain, marks := v.Unmark()
		if hasMark(marks, Sensitive) {
			r.learnAll(plain)
			return false, nil
		}
		return true, nil
	})
}

func (r *redactor) learnAll(v cty.Value) {
	if v.Type().IsPrimitiveType() {
		r.add(v)
		return
	}
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		r.add(v)
		return true, nil
	})
}

func (r *redactor) add(v cty.Value) {
	if v, _ = v.Unmark(); v.Type() != cty.String || !v.IsKnown() || v.IsNull() || len(v.AsString()) < shortest {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[string]bool{}
	}
	r.values[v.AsString()] = true
}

// clean takes sensitive values out of the diagnostics of an evaluation, and
// everything that a renderer might print values from.
func (r *redactor) clean(diags hcl.Diagnostics) {
	for _, d := range diags {
		extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
		if ok && extra.FunctionCallError() != nil && sensitiveArgument(d) {
			d.Detail = fmt.Sprintf("The call of %s() failed. The reason is not shown, because an argument is sensitive.", extra.CalledFunctionName())
		}
		if ok && extra.FunctionCallError() != nil && slices.Contains(outside, extra.CalledFunctionName()) {
			d.Summary = fmt.Sprintf("Call of %s() failed", extra.CalledFunctionName())
			d.Detail = sentence(extra.FunctionCallError().Error())
		}
		if unknown, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
			if why := leftOut()[unknown.CalledFunctionName()]; why != "" {
				d.Detail = fmt.Sprintf("The function %s() is left out of this language: %s.", unknown.CalledFunctionName(), why)
			}
		}
		d.Summary, d.Detail = r.text(d.Summary), r.text(d.Detail)
		d.Expression, d.EvalContext = nil, nil
		if _, ours := hcl.DiagnosticExtra[DiagExtra](d); !ours {
			d.Extra = nil
		}
	}
}

// outside are the functions whose errors are sentences of ours.
var outside = []string{"env", "file", "fileexists", "templatefile", "templatestring"}

func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:] + "."
}

func (r *redactor) text(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for v := range r.values {
		s = strings.ReplaceAll(s, v, secret.Placeholder)
		if q := fmt.Sprintf("%q", v); len(q) > len(v)+2 { // as it looks when a message quotes it
			s = strings.ReplaceAll(s, q[1:len(q)-1], secret.Placeholder)
		}
	}
	return s
}

// sensitiveArgument evaluates the arguments of the call that failed once more.
func sensitiveArgument(d *hcl.Diagnostic) bool {
	if d.Expression == nil || d.EvalContext == nil {
		return true // better too little than too much
	}
	call, ok := d.Expression.(*hclsyntax.FunctionCallExpr)
	if !ok { // one argument is to blame
		v, _ := evaluate(d.Expression, d.EvalContext)
		return IsSensitive(v)
	}
	for _, arg := range call.Args {
		if v, _ := arg.Value(d.EvalContext); IsSensitive(v) {
			return true
		}
	}
	return false
}

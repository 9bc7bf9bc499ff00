package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// redactor knows sensitive values, to take them out of messages.
type redactor struct{}

func (r *redactor) learn(v cty.Value) {}

func (r *redactor) clean(diags hcl.Diagnostics, v cty.Value) {}

func (r *redactor) hideText(d *hcl.Diagnostic, text string) {}

// stripped takes away what a renderer might print values from.
func stripped(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		d.Expression, d.EvalContext = nil, nil
	}
	return diags
}

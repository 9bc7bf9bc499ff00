package view

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
)

// also is a view with a second one behind it.
type also struct {
	View
	second View
}

// Also lets a second view have what plan, apply and destroy say: a person sees
// it, and a program finds it in a file. Everything else goes to the first alone.
func Also(first, second View) View { return also{first, second} }

// Diagnostics implements View.
func (a also) Diagnostics(diags hcl.Diagnostics, src *schema.Sources) {
	a.View.Diagnostics(diags, src)
	a.second.Diagnostics(diags, src)
}

// Plan implements View.
func (a also) Plan(p *plan.Plan) {
	a.View.Plan(p)
	a.second.Plan(p)
}

// Event implements View.
func (a also) Event(e engine.Event) {
	a.View.Event(e)
	a.second.Event(e)
}

// Applied implements View.
func (a also) Applied(out *engine.Outcome, verb string) {
	a.View.Applied(out, verb)
	a.second.Applied(out, verb)
}

// Error implements View.
func (a also) Error(err error) {
	a.View.Error(err)
	a.second.Error(err)
}

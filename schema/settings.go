package schema

import (
	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
)

// settings checks the version before anything else is evaluated: what follows
// may be written in a later language.
func (l *loader) settings(blocks hcl.Blocks) {
	for i, b := range blocks {
		if i > 0 {
			l.diags = append(l.diags, errorAt(b.DefRange, "Duplicate oauthctl block",
				"A configuration has at most one oauthctl block; the first is at %s. Put the settings into one.", place(blocks[0].DefRange)))
			continue
		}
		l.cfg.Settings.Range = b.DefRange
		c, diags := readBody(b.Body, settingsSpec, "an oauthctl block", b.DefRange)
		l.diags = append(l.diags, diags...)
		l.settingsContent = c
		if a := c.attrs["required_version"]; a != nil {
			l.requireVersion(a)
		}
	}
}

func (l *loader) requireVersion(a *attr) {
	v, _, diags := l.eval.value(a, scope{place: "required_version: it has to be a constant"})
	v, _, more := (&Attr{Name: "required_version"}).convert(v, a.Expr)
	diags = append(diags, more...)
	l.diags = append(l.diags, diags...)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() {
		return
	}
	want := v.AsString()
	l.cfg.Settings.RequiredVersion = want
	constraint, err := version.NewConstraint(want)
	if err != nil {
		l.diags = append(l.diags, errorAt(a.Expr.Range(), "Invalid version constraint",
			"%q is not a version constraint. Write one such as \">= 0.1\" or \">= 0.1, < 2.0\".", want))
		return
	}
	have, err := version.NewVersion(l.src.Version)
	if err != nil {
		return // a build without a version, such as one made for a test
	}
	if !constraint.Check(have.Core()) {
		l.unfit = errorAt(a.Expr.Range(), "Unsupported version of oauthctl",
			"This is oauthctl %s, and the configuration asks for %s. Install a version that fits, or change required_version.", l.src.Version, want)
	}
}

// decodeSettings evaluates the rest of the oauthctl block, when variables have values.
func (l *loader) decodeSettings() {
	if l.settingsContent == nil {
		return
	}
	delete(l.settingsContent.attrs, "required_version")
	o, diags := l.eval.object(l.settingsContent, settingsSpec, scope{place: "an oauthctl block", variables: true, locals: true})
	l.diags = append(l.diags, diags...)
	for _, s := range o.Nested["state"] {
		l.cfg.Settings.State = s.Block
	}
	for _, enc := range o.Nested["encryption"] {
		l.cfg.Settings.Recipients = enc.Strings("recipients")
		if enc.Has("recipients") && len(l.cfg.Settings.Recipients) == 0 {
			l.diags = append(l.diags, errorAt(enc.Ranges["recipients"], "No recipients",
				"An empty list would leave nobody who can open the state. List at least one, or remove the encryption block to use your own identity."))
		}
	}
}

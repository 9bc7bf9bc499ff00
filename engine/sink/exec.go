package sink

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func execType() Type {
	return Type{
		Name: "exec", Opaque: true,
		Doc: "A program of the user's own, for places that oauthctl does not know. The configuration names it, and the settings of whoever applies say what is run: " +
			"a configuration that comes with a repository can run nothing by itself. The values come on standard input, never in arguments.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "program", Kind: schema.String, Required: true, Doc: "The name of a program block in programs.hcl, beside the user's identity; see docs/environment.md."},
			{Name: "settings", Kind: schema.StringMap, Doc: "Handed to the program with the values: what it has to know of the place. Nothing secret."},
		}},
		New: newExec,
	}
}

// program is a program of the user's own.
type program struct {
	name     string
	settings map[string]string
}

func newExec(o *schema.Object) (Target, hcl.Diagnostics) {
	p := &program{name: o.String("program"), settings: o.StringMap("settings")}
	var diags hcl.Diagnostics
	if p.name == "" {
		diags = append(diags, o.ErrorAt("program", "Empty program", "The argument \"program\" names a program block of your own settings."))
	}
	if v, ok := o.Values["settings"]; ok && schema.IsSensitive(v) {
		diags = append(diags, o.ErrorAt("settings", "Sensitive value in settings",
			"Settings are compared and handed on as they are, so nothing in them may be sensitive. Secrets belong into the argument \"secrets\"."))
	}
	return p, diags
}

// Place implements Target.
func (p *program) Place() string { return "the program " + p.name }

// Hosts implements Target. What the program speaks to, nobody knows.
func (p *program) Hosts(Env) []string { return nil }

// Check implements Target. The program will say what it does not like.
func (p *program) Check(names []string) error {
	for _, name := range names {
		if name == "" {
			return errors.New("a name is empty")
		}
	}
	return nil
}

// message is what the program reads.
type message struct {
	Operation string            `json:"operation"` // "publish" or "remove"
	Settings  map[string]string `json:"settings"`
	Values    map[string]string `json:"values,omitempty"`
	Names     []string          `json:"names,omitempty"`
}

// Publish implements Target.
func (p *program) Publish(ctx context.Context, env Env, values []Value) error {
	m := message{Operation: "publish", Values: make(map[string]string, len(values))}
	var names []string
	for _, v := range values {
		m.Values[v.Name] = v.Secret.Reveal()
		names = append(names, v.Name)
	}
	return p.run(ctx, env, &m, "publish with ", names)
}

// Remove implements Target.
func (p *program) Remove(ctx context.Context, env Env, names []string) error {
	return p.run(ctx, env, &message{Operation: "remove", Names: names}, "remove values with ", nil)
}

func (p *program) run(ctx context.Context, env Env, m *message, doing string, names []string) error {
	m.Settings = p.settings
	if m.Settings == nil {
		m.Settings = map[string]string{}
	}
	input, err := json.Marshal(m)
	if err == nil {
		err = env.Run(ctx, p.name, append(input, '\n'))
	}
	if err == nil {
		return nil
	}
	out := &Error{Kind: Config, Doing: doing + p.Place(), Detail: clean(err.Error()), Written: names, Err: err,
		Remedy: "see what the program says, then apply again"}
	var own *Error
	if errors.As(err, &own) { // the program was not run, and why is known
		out.Kind, out.Detail, out.Remedy, out.Written = own.Kind, own.Detail, own.Remedy, own.Written
	}
	return out
}

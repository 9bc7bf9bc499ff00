package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Recorded is what outputs need of a configuration, written down as one of their
// own: the output blocks, the locals that they use, and of connections only that
// they are there. apply records it in the state, so that "output" reads that and not the
// configuration. It holds no token: connections have their attributes from the state.
type Recorded struct {
	Files  map[string]string        // names of files → their text
	Values map[string]secret.Secret // of the variables that are used, by name, as JSON with type; null for ephemeral ones
}

// The files of Recorded. What is written in JSON is recorded in JSON.
const (
	recordedNative = "outputs.hcl"
	recordedJSON   = "outputs.hcl.json"
)

// Empty reports whether there are no outputs.
func (r *Recorded) Empty() bool { return r == nil || len(r.Files) == 0 }

// Equal reports whether two of them are written in the same way, with the same values.
func (r *Recorded) Equal(o *Recorded) bool {
	if r.Empty() || o.Empty() {
		return r.Empty() && o.Empty()
	}
	return maps.Equal(r.Files, o.Files) && maps.Equal(r.Values, o.Values)
}

// Record writes down what the outputs need; of all outputs, if none is named.
// Recording what was recorded gives the same again.
func (c *Config) Record(names ...string) (*Recorded, error) {
	r := &recorder{c: c, seen: map[string]bool{}, whole: map[string]bool{}, keys: map[string]map[string]bool{}, values: map[string]secret.Secret{},
		json: map[string]map[string]any{}}
	if len(names) == 0 {
		for _, o := range c.outputs {
			r.output(o)
		}
	}
	for _, name := range names {
		if i, ok := slices.BinarySearchFunc(c.outputs, name, func(o *outputBlock, name string) int { return strings.Compare(o.name, name) }); ok {
			r.output(c.outputs[i])
		}
	}
	r.connections()
	if r.err != nil {
		return nil, r.err
	}
	out := &Recorded{Files: map[string]string{}, Values: r.values}
	if r.native.Len() > 0 {
		out.Files[recordedNative] = r.native.String()
	}
	if len(r.json) > 0 {
		text, err := json.MarshalIndent(r.json, "", "  ")
		if err != nil {
			return nil, err
		}
		out.Files[recordedJSON] = string(text) + "\n"
	}
	return out, nil
}

// Former loads what an apply recorded, in the surroundings of this configuration.
func (c *Config) Former(ctx context.Context, r *Recorded) (*Config, hcl.Diagnostics) {
	return LoadRecorded(ctx, c.src, r)
}

// LoadRecorded loads what an apply recorded. Of src only the directory, which may
// be gone, and the environment count: functions read them.
func LoadRecorded(ctx context.Context, src Source, r *Recorded) (*Config, hcl.Diagnostics) {
	src.Vars, src.Prompt, src.Planned, src.Undeclared, src.Partial = nil, nil, map[string]json.RawMessage{}, false, false
	src.OutputsOnly, src.recorded = true, r
	for name, v := range r.Values {
		src.Planned[name] = json.RawMessage(v.Reveal())
	}
	return Load(ctx, src)
}

// recorder collects what outputs need, each thing once.
type recorder struct {
	c      *Config
	native strings.Builder
	json   map[string]map[string]any // kind of block → name → body
	values map[string]secret.Secret
	seen   map[string]bool            // "var.x", "local.y"
	whole  map[string]bool            // connections that are needed with all their instances
	keys   map[string]map[string]bool // and of others the instances that are named
	err    error
}

func (r *recorder) output(o *outputBlock) {
	var attrs []*attr
	for _, name := range []string{"value", "description", "sensitive"} {
		if a := o.content.attrs[name]; a != nil {
			attrs = append(attrs, a)
		}
	}
	for _, a := range attrs {
		r.follow(a.refs)
	}
	for _, p := range o.pre {
		r.follow(p.condition.refs)
		r.follow(p.message.refs)
	}
	if isJSON(o.rng.Filename) {
		body := map[string]any{}
		for _, a := range attrs {
			body[a.Name] = json.RawMessage(r.text(a.Expr.Range()))
		}
		var pre []any
		for _, p := range o.pre {
			pre = append(pre, map[string]any{
				"condition":     json.RawMessage(r.text(p.condition.Expr.Range())),
				"error_message": json.RawMessage(r.text(p.message.Expr.Range())),
			})
		}
		if len(pre) > 0 {
			body["precondition"] = pre
		}
		r.inJSON("output", o.name, body)
		return
	}
	fmt.Fprintf(&r.native, "output %q {\n", o.name)
	for _, a := range attrs {
		r.line(a)
	}
	for _, p := range o.pre {
		r.native.WriteString("precondition {\n")
		r.line(p.condition)
		r.line(p.message)
		r.native.WriteString("}\n")
	}
	r.native.WriteString("}\n")
}

// line writes an attribute as it stands in the configuration.
func (r *recorder) line(a *attr) {
	fmt.Fprintf(&r.native, "%s = %s\n", a.Name, r.text(a.Expr.Range()))
}

// text is what stands at a place of the configuration.
func (r *recorder) text(rng hcl.Range) string {
	text, ok := r.c.Sources.slice(rng)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("record the outputs: the text at %s is not there any more", place(rng))
	}
	return text
}

func (r *recorder) inJSON(kind, name string, body any) {
	if r.json[kind] == nil {
		r.json[kind] = map[string]any{}
	}
	r.json[kind][name] = body
}

// follow records what an expression refers to.
func (r *recorder) follow(refs []hcl.Traversal) {
	for _, t := range refs {
		name := attrStep(t, 1)
		id := t.RootName() + "." + name
		switch t.RootName() {
		case "connection":
			r.connection(name, t)
		case "var":
			if !r.seen[id] {
				r.seen[id] = true
				r.variable(name)
			}
		case "local":
			if l := r.c.eval.locals[name]; l != nil && !r.seen[id] {
				r.seen[id] = true
				r.follow(l.refs)
				r.local(name, l)
			}
		}
	}
}

func (r *recorder) variable(name string) {
	v := r.c.eval.variables[name]
	if v == nil {
		return
	}
	val, _ := v.Value.UnmarkDeep()
	if v.Ephemeral { // it is stored nowhere: its type tells what comes of it
		val = cty.NullVal(val.Type())
	}
	if !val.IsWhollyKnown() {
		r.err = fmt.Errorf("record the outputs: the value of var.%s is not known", name)
		return
	}
	text, err := EncodeValue(val)
	if err != nil {
		r.err = fmt.Errorf("record the outputs: the value of var.%s has no form in JSON", name)
		return
	}
	r.values[name] = secret.Secret(text)
	fmt.Fprintf(&r.native, "variable %q {\n", name)
	if v.Sensitive {
		r.native.WriteString("sensitive = true\n")
	}
	if v.Ephemeral {
		r.native.WriteString("ephemeral = true\n")
	}
	r.native.WriteString("}\n")
}

func (r *recorder) local(name string, l *local) {
	if isJSON(l.Range.Filename) {
		r.inJSON("locals", name, json.RawMessage(r.text(l.Expr.Range())))
		return
	}
	r.native.WriteString("locals {\n")
	r.line(l.attr)
	r.native.WriteString("}\n")
}

func (r *recorder) connection(name string, t hcl.Traversal) {
	b := r.c.eval.blocks[name]
	switch {
	case b == nil:
	case b.forEach != nil && len(t) > 2 && isIndex(t[2]) && b.hasKey(attrStep(t, 2)):
		if r.keys[name] == nil {
			r.keys[name] = map[string]bool{}
		}
		r.keys[name][attrStep(t, 2)] = true
	default:
		r.whole[name] = true
	}
}

// connections says which connections are referred to, and which instances they
// have. The rest is in their records.
func (r *recorder) connections() {
	names := maps.Clone(r.whole)
	for name := range r.keys {
		names[name] = true
	}
	for _, name := range sortedKeys(names) {
		fmt.Fprintf(&r.native, "connection %q {\nprovider = \"\"\nclient_id = \"\"\n", name)
		if b := r.c.eval.blocks[name]; b.forEach != nil {
			keys := b.keys
			if !r.whole[name] {
				keys = sortedKeys(r.keys[name])
			}
			r.native.WriteString("for_each = {\n")
			for _, k := range keys {
				fmt.Fprintf(&r.native, "%s = null\n", quoted(k))
			}
			r.native.WriteString("}\n")
		}
		r.native.WriteString("}\n")
	}
}

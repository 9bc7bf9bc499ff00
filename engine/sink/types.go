package sink

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// Types lists the kinds of places in the order of the documentation.
func Types() []Type {
	return []Type{fileType(), execType(), githubType(), gitlabType(), giteaType(), kubernetesType(), vaultType()}
}

// common are the attributes that every sink has.
func common() []schema.Attr {
	return []schema.Attr{
		{Name: "secrets", Kind: schema.StringMap, Nulls: true, Doc: "What is published: a name at the place for each value. " +
			"Values are attributes of connections, or templates over several. A name that is taken out is removed at the place. Either this or state."},
		{Name: "state", Kind: schema.String, Doc: "The name at the place under which the whole state is published, sealed, as OAUTHCTL_STATE takes it."},
		{Name: "for_each", Kind: schema.Static, Doc: "A map or a set of strings: one sink for each element, with each.key and each.value."},
		{Name: "depends_on", Kind: schema.Static, Doc: "Connections that have to be applied first although no value comes from them."},
	}
}

// FullSpec is the table of a kind with what every sink has.
func (t *Type) FullSpec() *schema.Spec {
	full := *t.Spec
	full.Attrs = slices.Concat(t.Spec.Attrs, common())
	return &full
}

// Sink is one sink of a configuration.
type Sink struct {
	Addr      addr.Addr
	Type      string
	Target    Target
	Writes    []string // what of the place is its own: names, "" for all of it; nil: nobody knows
	State     string   // the name under which the whole state is published, and nothing else; "": none
	Names     []string // what is published, sorted
	Values    []Value  // those that are known, sorted by name
	Unknown   []string // names of values that are not known before connections are applied, sorted
	Null      []string // names of values that there are not, sorted
	Settings  string   // what the target was made from, without secrets: to be digested
	DependsOn []addr.Addr
	From      []addr.Addr // of these, those that values come from
	Through   []addr.Addr // and those that secrets of the place come from
}

// Decode reads a sink block. What depends on connections is known if the block
// knows them: see schema.Block.With.
func Decode(b *schema.Block) (*Sink, hcl.Diagnostics) { return decode(b, false) }

// Check finds the mistakes in a sink block. With partial, what has no value is
// none: see schema.Source.Partial. The sink is nil if too little of it is known.
func Check(b *schema.Block, partial bool) (*Sink, hcl.Diagnostics) { return decode(b, partial) }

func decode(b *schema.Block, partial bool) (*Sink, hcl.Diagnostics) {
	types := Types()
	i := slices.IndexFunc(types, func(t Type) bool { return t.Name == b.Labels[0] })
	if i < 0 {
		var names []string
		for _, t := range types {
			names = append(names, t.Name)
		}
		return nil, hcl.Diagnostics{b.UnknownKind("sink", names)}
	}
	t := &types[i]
	spec := t.FullSpec()
	o, diags := b.Decode(spec, nil)
	if diags.HasErrors() {
		return nil, diags
	}
	s := &Sink{Addr: b.Addr(), Type: t.Name, DependsOn: o.DependsOn(), From: o.From("secrets")}
	for _, a := range t.Spec.Attrs {
		s.Through = append(s.Through, o.From(a.Name)...)
	}
	if unknown := s.known(o, spec); partial && len(unknown) > 0 {
		return nil, about(s.Addr, diags) // nothing more can be said
	} else if diags = append(diags, unknown...); diags.HasErrors() {
		return nil, about(s.Addr, diags)
	}
	target, more := t.New(o)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, about(s.Addr, diags)
	}
	s.Target = target
	switch {
	case t.Opaque:
	case t.Whole:
		s.Writes = []string{""}
	default:
		s.Writes = s.Names
	}
	if err := target.Check(s.Names); err != nil {
		written := "secrets"
		if s.State != "" {
			written = "state"
		}
		d := o.ErrorAt(written, "Name that the place does not take", "%s", err)
		return nil, about(s.Addr, append(diags, d))
	}
	var err error
	if s.Settings, err = o.Settings(t.Spec); err != nil {
		diags = append(diags, o.ErrorAt("", "Settings that cannot be compared", "%s", err))
	}
	return s, about(s.Addr, diags)
}

// known takes in the values, and refuses a place that nobody knows yet.
func (s *Sink) known(o *schema.Object, spec *schema.Spec) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, name := range o.Unknown {
		i := slices.IndexFunc(spec.Attrs, func(a schema.Attr) bool { return a.Name == name })
		if name == "secrets" || i >= 0 && spec.Attrs[i].Kind == schema.Sensitive {
			continue
		}
		diags = append(diags, o.ErrorAt(name, "Place that is not known",
			"The argument %q says where values are published, which has to be known before anything is applied. "+
				"Only values, and secrets such as tokens of the place, may come from connections.", name))
	}
	switch s.State = o.String("state"); {
	case o.Ranges["secrets"] != (hcl.Range{}) && o.Ranges["state"] != (hcl.Range{}):
		return append(diags, o.ErrorAt("state", "Values and the state in one sink",
			"Either \"secrets\" or \"state\": the state is published last, also when something else failed. Write a second sink for it."))
	case s.State != "":
		s.Names = []string{s.State}
		return diags
	case o.Ranges["state"] != (hcl.Range{}):
		return append(diags, o.ErrorAt("state", "State without a name", "The argument \"state\" is the name under which the state is published: state = \"OAUTHCTL_STATE\"."))
	case o.Ranges["secrets"] == (hcl.Range{}):
		return append(diags, o.ErrorAt("", "Nothing to publish",
			"Say what is published with \"secrets\": secrets = { NAME = connection.NAME.access_token }; or with \"state\", if it is the whole state: state = \"OAUTHCTL_STATE\"."))
	}
	members := o.Secrets("secrets")
	if members == nil {
		return append(diags, o.ErrorAt("secrets", "Names that are not known",
			"What is published has names, which have to be known before anything is applied: secrets = { NAME = connection.NAME.access_token }."))
	}
	for name, m := range members {
		s.Names = append(s.Names, name)
		switch {
		case !m.Known:
			s.Unknown = append(s.Unknown, name)
		case m.Null:
			s.Null = append(s.Null, name)
		default:
			s.Values = append(s.Values, Value{Name: name, Secret: m.Value})
		}
	}
	slices.Sort(s.Names)
	slices.Sort(s.Unknown)
	slices.Sort(s.Null)
	slices.SortFunc(s.Values, byName)
	return diags
}

func about(a addr.Addr, diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if schema.AddrOf(d).IsZero() {
			d.Extra = schema.DiagExtra{Addr: a}
		}
	}
	return diags
}

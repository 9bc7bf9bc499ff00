package view

import (
	"io"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
)

// Language is the whole language as data, from the tables that decode it.
type Language struct {
	Blocks, Tests map[string]schema.Nested // of configurations and of files of tests, by type
	// Owned are bodies that the language itself leaves undecoded, by the type of the
	// block and then by its label; "" is the body whatever the label.
	Owned     map[string]map[string]*schema.Spec
	Presets   []providers.Entry
	Functions []string
}

// SchemaVersion is the version of what "providers schema" writes besides the
// version of the format: it rises when the shape changes.
const SchemaVersion = 1

type jsonSpec struct {
	Open       bool                 `json:"open,omitempty"` // further attributes are taken
	Attributes map[string]*jsonAttr `json:"attributes"`
	Blocks     map[string]jsonBlock `json:"blocks"`
}

type jsonAttr struct {
	Kind      schema.Kind `json:"kind"`
	Required  bool        `json:"required"`
	Sensitive bool        `json:"sensitive"`
	Values    []string    `json:"values,omitempty"`
	Default   string      `json:"default,omitempty"`
	Doc       string      `json:"description"`
}

type jsonBlock struct {
	Labels []string             `json:"labels"`
	Max    int                  `json:"max,omitempty"`
	Doc    string               `json:"description"`
	Body   *jsonSpec            `json:"body,omitempty"`
	Bodies map[string]*jsonSpec `json:"bodies,omitempty"` // by the label
}

// WriteLanguage writes the language as one document.
func WriteLanguage(w io.Writer, o Options, l Language) {
	type argument struct {
		Name     string `json:"name"`
		Required bool   `json:"required"`
		Default  string `json:"default,omitempty"`
		Doc      string `json:"description,omitempty"`
	}
	type preset struct {
		Title     string     `json:"title"`
		Arguments []argument `json:"arguments"`
	}
	attributes := map[string]map[string]any{}
	for name, ty := range schema.AttributesType().AttributeTypes() {
		attributes[name] = map[string]any{"type": ty, "sensitive": schema.SensitiveAttribute(name)}
	}
	presets := map[string]preset{}
	for _, e := range l.Presets {
		p := preset{Title: e.Title, Arguments: []argument{}}
		for _, a := range e.Arguments {
			p.Arguments = append(p.Arguments, argument{a.Name, a.Required, a.Default, a.Doc})
		}
		presets[e.Name] = p
	}
	write(w, struct {
		FormatVersion string               `json:"format_version"`
		Version       string               `json:"oauthctl_version"`
		SchemaVersion int                  `json:"schema_version"`
		Blocks        map[string]jsonBlock `json:"blocks"`
		Tests         map[string]jsonBlock `json:"test_blocks"`
		Attributes    any                  `json:"connection_attributes"`
		Presets       map[string]preset    `json:"presets"`
		Functions     []string             `json:"functions"`
	}{FormatVersion, o.Version, SchemaVersion, l.blocks(l.Blocks), l.blocks(l.Tests), attributes, presets, l.Functions})
}

func (l *Language) blocks(in map[string]schema.Nested) map[string]jsonBlock {
	out := map[string]jsonBlock{}
	for name, n := range in {
		b := jsonBlock{Labels: list(n.Labels), Max: n.Max, Doc: n.Doc}
		body, byLabel := l.bodies(n)
		if body != nil {
			b.Body = l.spec(body)
		}
		for label, spec := range byLabel {
			if b.Bodies == nil {
				b.Bodies = map[string]*jsonSpec{}
			}
			b.Bodies[label] = l.spec(spec)
		}
		out[name] = b
	}
	return out
}

// bodies is the table of a block, or its tables by label.
func (l *Language) bodies(n schema.Nested) (*schema.Spec, map[string]*schema.Spec) {
	owned := l.Owned[n.Type]
	switch {
	case n.Spec != nil:
		return n.Spec, nil
	case owned[""] != nil:
		return owned[""], nil
	}
	return nil, owned
}

func (l *Language) spec(s *schema.Spec) *jsonSpec {
	out := &jsonSpec{Open: s.Open, Attributes: map[string]*jsonAttr{}}
	for _, a := range s.Attrs {
		out.Attributes[a.Name] = &jsonAttr{Kind: a.Kind, Required: a.Required, Sensitive: a.Kind == schema.Sensitive, Values: a.OneOf, Default: a.Default, Doc: a.Doc}
	}
	out.Blocks = l.blocks(nested(s))
	return out
}

func nested(s *schema.Spec) map[string]schema.Nested {
	out := map[string]schema.Nested{}
	for _, n := range s.Blocks {
		out[n.Type] = n
	}
	return out
}

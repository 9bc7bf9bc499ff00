package view

import (
	"encoding/json"
	"io"

	"github.com/oauthctl/oauthctl/schema"
)

// object is a JSON object of a schema.
type object = map[string]any

// WriteJSONSchema writes the language as a JSON Schema (draft 2020-12) of
// *.hcl.json files. What a schema cannot say, "validate" says: whether references
// lead anywhere, and what follows from the preset.
func WriteJSONSchema(w io.Writer, o Options, l Language) error {
	d := definitions{l: &l, defs: object{}}
	s := d.body("", &schema.Spec{}, l.Blocks)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "A configuration of oauthctl in JSON syntax"
	s["$comment"] = "Written by oauthctl " + o.Version + "."
	s["$defs"] = d.defs
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// definitions collects the bodies of blocks: each stands once, by its path.
type definitions struct {
	l    *Language
	defs object
}

// body describes the inside of a block.
func (d *definitions) body(path string, s *schema.Spec, blocks map[string]schema.Nested) object {
	properties := object{"//": object{"description": "A comment."}}
	var required []string
	for i := range s.Attrs {
		a := &s.Attrs[i]
		properties[a.Name] = jsonAttribute(a)
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for name, n := range blocks {
		p := d.labels(path+name, n, len(n.Labels))
		p["description"] = n.Doc
		properties[name] = p
	}
	out := object{"type": "object", "properties": properties}
	if !s.Open {
		out["additionalProperties"] = false
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// labels describes a block below as many labels as are left.
func (d *definitions) labels(path string, n schema.Nested, left int) object {
	body, byLabel := d.l.bodies(n)
	switch {
	case left > 0 && left == len(n.Labels) && body == nil && len(byLabel) > 0: // the first one says which table it is
		properties := object{"//": object{}}
		for label, spec := range byLabel {
			at := path + "." + label
			inside := d.oneOrMany(at, d.body(at+".", spec, nested(spec)))
			for name := 1; name < left; name++ {
				inside = d.oneOrMany(at+":"+itoa(name), object{"type": "object", "additionalProperties": inside})
			}
			properties[label] = inside
		}
		return d.oneOrMany(path+":1", object{"type": "object", "properties": properties, "additionalProperties": false})
	case left > 1:
		return d.oneOrMany(path+":"+itoa(left), object{"type": "object", "additionalProperties": d.labels(path, n, left-1)})
	case left == 1:
		return d.oneOrMany(path+":1", object{"type": "object", "additionalProperties": d.labels(path, n, 0)})
	case body == nil:
		return d.oneOrMany(path, object{"type": "object"})
	}
	return d.oneOrMany(path, d.body(path+".", body, nested(body)))
}

// oneOrMany: HCL takes a list of blocks wherever it takes one.
func (d *definitions) oneOrMany(path string, s object) object {
	d.defs[path] = s
	ref := object{"$ref": "#/$defs/" + path}
	return object{"anyOf": []any{ref, object{"type": "array", "items": ref}}}
}

// expressionPattern matches strings that are expressions, whose value no schema knows.
const expressionPattern = `\$\{|%\{`

func jsonAttribute(a *schema.Attr) object {
	text := object{"type": "string"}
	expression := object{"type": "string", "pattern": expressionPattern}
	null := object{"type": "null"}
	var forms []any
	switch a.Kind {
	case schema.Bool:
		forms = []any{object{"type": "boolean"}, object{"enum": []string{"true", "false"}}, expression}
	case schema.Number:
		forms = []any{object{"type": "integer"}, object{"type": "string", "pattern": `^-?[0-9]+$`}, expression}
	case schema.Duration:
		forms = []any{object{"type": "number"}, text}
	case schema.Strings:
		forms = []any{object{"type": "array", "items": primitive()}, expression}
	case schema.ScopeList:
		forms = []any{object{"type": "array", "items": primitive()}, text}
	case schema.StringMap:
		forms = []any{object{"type": "object", "additionalProperties": primitive()}, expression}
	case schema.Sensitive:
		forms = []any{expression}
	case schema.Any, schema.Static:
		return object{"description": a.Doc}
	default:
		forms = []any{object{"type": []string{"string", "number", "boolean"}}}
		if len(a.OneOf) > 0 {
			forms = []any{object{"enum": a.OneOf}, expression}
		}
	}
	if !a.Required {
		forms = append(forms, null)
	}
	return object{"description": a.Doc, "anyOf": forms}
}

// primitive is what becomes a string: HCL converts numbers and true and false.
func primitive() object { return object{"type": []string{"string", "number", "boolean"}} }

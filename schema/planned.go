package schema

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Inputs are what a configuration was given from outside and what it says, as
// far as a saved plan has to remember it.
type Inputs struct {
	// Values are those of variables, by name, with their types, and nothing secret.
	Values map[string]json.RawMessage
	// Secrets are the values of variables that are not to be written down: those
	// declared sensitive, and those that are used as secrets all the same.
	Secrets map[string]secret.Secret
	// Files are the texts of the configuration, by file name without directory.
	// Files with values of variables are not among them.
	Files map[string][]byte
}

// typed is how a value of a variable is written down.
type typed struct {
	Type  json.RawMessage `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Inputs gives what a plan was made from. The texts may have secrets in them:
// they are for digests.
func (c *Config) Inputs() (*Inputs, error) {
	in := &Inputs{Values: map[string]json.RawMessage{}, Secrets: map[string]secret.Secret{}, Files: c.Sources.Texts()}
	for name, v := range c.Variables {
		if v.Ephemeral { // has to be given again, and may be another one then
			continue
		}
		val, _ := v.Value.UnmarkDeep()
		if !val.IsWhollyKnown() {
			return nil, fmt.Errorf("the value of var.%s is not known", name)
		}
		text, err := EncodeValue(val)
		if err != nil {
			return nil, fmt.Errorf("write down the value of var.%s: it has no form in JSON", name)
		}
		if v.Sensitive || sensitiveName(name) || c.eval.secrets.holds(val) {
			in.Secrets[name] = secret.Secret(text)
		} else {
			in.Values[name] = text
		}
	}
	return in, nil
}

// EncodeValue writes a wholly known, unmarked value down together with its type.
func EncodeValue(val cty.Value) (json.RawMessage, error) {
	ty, err := ctyjson.MarshalType(val.Type())
	if err != nil {
		return nil, err
	}
	text, err := ctyjson.Marshal(val, val.Type())
	if err != nil {
		return nil, err
	}
	return json.Marshal(typed{ty, text})
}

// DecodeValue reads what EncodeValue wrote.
func DecodeValue(text json.RawMessage) (cty.Value, error) {
	var t typed
	if err := json.Unmarshal(text, &t); err != nil {
		return cty.NilVal, err
	}
	ty, err := ctyjson.UnmarshalType(t.Type)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(t.Value, ty)
}

// Texts gives the files of the configuration, by name without directory, for
// digests. It works for a configuration that has mistakes, too.
func (s *Sources) Texts() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]byte{}
	for name, f := range s.files {
		if !f.values {
			out[path.Base(name)] = f.text
		}
	}
	return out
}

// holds reports whether a value is, or is a part of, or has in it a sensitive
// value that has been seen.
func (r *redactor) holds(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.Type() != cty.String || !v.IsKnown() || v.IsNull() || len(v.AsString()) < shortest {
			return true, nil
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for s := range r.values {
			found = found || strings.Contains(s, v.AsString()) || strings.Contains(v.AsString(), s)
		}
		return !found, nil
	})
	return found
}

// planned is the value that a variable had when the plan was saved, if it is in
// there. What is given now has to be the same.
func (l *loader) planned(v *variableDecl, g given, ok bool) (val cty.Value, found bool) {
	text, found := l.src.Planned[v.Name]
	if !found {
		return cty.NilVal, false
	}
	val, err := DecodeValue(text)
	if err == nil {
		val, err = v.convert(val)
	}
	if err != nil {
		l.diags = append(l.diags, errorAt(v.Range, "Invalid value in the saved plan",
			"The value of var.%s in the saved plan does not fit its declaration. Plan again.", v.Name))
		val = cty.UnknownVal(v.Type)
	}
	if !ok || err != nil {
		return val, true
	}
	now := l.read(v, g)
	switch {
	case now.IsWhollyKnown() && now.RawEquals(val):
	case g.asked:
		l.diags = append(l.diags, errorAt(v.Range, "Other value than in the saved plan",
			"The value of var.%s from %s is not the one that the plan was made with. Leave it out, since the plan has the value in it, or plan again.", v.Name, g.from))
	default:
		l.diags = append(l.diags, warningAt(v.Range, "Other value than in the saved plan",
			"The value of var.%s from %s is not the one that the plan was made with. The one in the plan counts.", v.Name, g.from))
	}
	return val, true
}

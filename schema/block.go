package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/secret"
)

// Spec is the table that describes a body: it drives decoding, "providers
// schema -json", the reference page and redaction.
type Spec struct {
	Attrs  []Attr
	Blocks []Nested
	// Open accepts attributes that Attrs does not list; they are found in Object.Rest.
	Open bool
}

// Kind says what an attribute holds and how it is checked and converted.
type Kind int

// The kinds of attributes.
const (
	String    Kind = iota // a string
	Bool                  // true or false
	Number                // an integer
	Duration              // "90s", "5m", "1h30m", "90d", or a number of seconds
	Strings               // a list or set of strings
	ScopeList             // a list of strings, or one space-delimited string
	StringMap             // a map of strings
	Sensitive             // a secret string: never a literal
	Any                   // left as a cty.Value
)

// Attr describes one attribute of a Spec.
type Attr struct {
	Name     string
	Kind     Kind
	Required bool
	OneOf    []string // allowed values of a String; empty: any
	Doc      string   // one sentence or two for the reference page
	Default  string   // for the reference page, as written in HCL; "" if none
}

// Nested describes one nested block type of a Spec.
type Nested struct {
	Type   string
	Labels []string // names of the labels
	Max    int      // how many may stand there; 0: any number
	Doc    string
	Spec   *Spec // nil: left undecoded
}

// Block is a block whose body its owner decodes with [Block.Decode].
type Block struct {
	Type       string
	Labels     []string
	Range      hcl.Range   // of the header
	LabelRange []hcl.Range // of each label

	body hcl.Body
	eval *evaluator
	each map[string]cty.Value // each.key, each.value, if the block stands in a for_each
}

// Object is a decoded body. The getters return the zero value for what is not
// set; use Has to tell the difference. Unknown values count as not set and are
// listed in Unknown.
type Object struct {
	Values  map[string]cty.Value // by attribute name; converted to the type of the Kind; marks kept
	Ranges  map[string]hcl.Range // of each attribute that is set
	Nested  map[string][]NestedObject
	Rest    map[string]Arg // with Spec.Open
	Unknown []string
	Range   hcl.Range
}

// NestedObject is one nested block of an Object.
type NestedObject struct {
	*Object
	Labels []string
	Block  *Block
}

// Has reports whether the attribute is set to a known value that is not null.
func (o *Object) Has(name string) bool {
	v, ok := o.Values[name]
	if !ok {
		return false
	}
	v, _ = v.Unmark()
	return v.IsKnown() && !v.IsNull()
}

func (o *Object) value(name string) (cty.Value, bool) {
	if !o.Has(name) {
		return cty.NilVal, false
	}
	v, _ := o.Values[name].UnmarkDeep()
	return v, v.IsWhollyKnown()
}

// String returns a String attribute.
func (o *Object) String(name string) string {
	if v, ok := o.value(name); ok {
		return v.AsString()
	}
	return ""
}

// Secret returns a Sensitive attribute.
func (o *Object) Secret(name string) secret.Secret { return secret.Secret(o.String(name)) }

// Bool returns a Bool attribute.
func (o *Object) Bool(name string) bool {
	v, ok := o.value(name)
	return ok && v.True()
}

// Int returns a Number attribute.
func (o *Object) Int(name string) int {
	if v, ok := o.value(name); ok {
		i, _ := v.AsBigFloat().Int64()
		return int(i)
	}
	return 0
}

// Duration returns a Duration attribute.
func (o *Object) Duration(name string) time.Duration {
	d, _ := ParseDuration(o.String(name))
	return d
}

// Strings returns a Strings or ScopeList attribute.
func (o *Object) Strings(name string) []string {
	v, ok := o.value(name)
	if !ok {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		out = append(out, e.AsString())
	}
	return out
}

// StringMap returns a StringMap attribute.
func (o *Object) StringMap(name string) map[string]string {
	v, ok := o.value(name)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for k, e := range v.AsValueMap() {
		out[k] = e.AsString()
	}
	return out
}

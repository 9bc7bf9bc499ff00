package schema

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Object is a decoded body. The getters return the zero value for what is not
// set; use Has to tell the difference. Unknown values count as not set and are
// listed in Unknown.
type Object struct {
	Values  map[string]cty.Value // by attribute name; converted to the type of the Kind; marks kept
	Ranges  map[string]hcl.Range // of each attribute that is set; shared by all instances
	Nested  map[string][]NestedObject
	Rest    map[string]Arg // with Spec.Open
	Unknown []string
	Range   hcl.Range

	deps    []addr.Addr            // connections that values came from
	from    map[string][]addr.Addr // the same by attribute
	origins map[string]Origin      // of Sensitive attributes that come from connections
	lists   map[string][]string    // of the attributes that are lists of strings
	content *content
}

// NestedObject is one nested block of an Object.
type NestedObject struct {
	*Object
	Labels []string
	Block  *Block
}

// Has reports whether the attribute is set to a known value that is not null.
func (o *Object) Has(name string) bool {
	_, ok := o.value(name)
	return ok
}

// value gives an attribute without its marks, if it is known and not null.
func (o *Object) value(name string) (cty.Value, bool) {
	v, ok := o.Values[name]
	if !ok {
		return cty.NilVal, false
	}
	v = unmarked(v)
	return v, v.IsWhollyKnown() && !v.IsNull()
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
	return slices.Clone(o.lists[name])
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

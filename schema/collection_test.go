package schema

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// tolist and toset give what they give in Terraform, by the short way or the long one.
func TestCollectionsOfOneType(t *testing.T) {
	text, number := cty.StringVal("a"), cty.NumberIntVal(1)
	object := cty.ObjectVal(map[string]cty.Value{"a": text})
	values := map[string]cty.Value{
		"texts":             cty.TupleVal([]cty.Value{text, cty.StringVal("b"), text}),
		"numbers":           cty.TupleVal([]cty.Value{number, number}),
		"objects":           cty.TupleVal([]cty.Value{object, object}),
		"tuples":            cty.TupleVal([]cty.Value{cty.TupleVal([]cty.Value{text}), cty.TupleVal([]cty.Value{text})}),
		"mixed":             cty.TupleVal([]cty.Value{text, number, cty.True}),
		"mixed objects":     cty.TupleVal([]cty.Value{object, cty.EmptyObjectVal}),
		"impossible":        cty.TupleVal([]cty.Value{text, object}),
		"empty":             cty.EmptyTupleVal,
		"unknown element":   cty.TupleVal([]cty.Value{text, cty.UnknownVal(cty.String)}),
		"null element":      cty.TupleVal([]cty.Value{text, cty.NullVal(cty.String)}),
		"untyped element":   cty.TupleVal([]cty.Value{cty.DynamicVal, cty.DynamicVal}),
		"untyped null":      cty.TupleVal([]cty.Value{cty.NullVal(cty.DynamicPseudoType), cty.NullVal(cty.DynamicPseudoType)}),
		"untyped inside":    cty.TupleVal([]cty.Value{cty.TupleVal([]cty.Value{cty.DynamicVal}), cty.TupleVal([]cty.Value{cty.DynamicVal})}),
		"sensitive":         cty.TupleVal([]cty.Value{text, text}).Mark(Sensitive),
		"sensitive element": cty.TupleVal([]cty.Value{text.Mark(Sensitive), text}),
		"unknown tuple":     cty.UnknownVal(cty.Tuple([]cty.Type{cty.String, cty.String})),
		"null tuple":        cty.NullVal(cty.Tuple([]cty.Type{cty.String, cty.String})),
		"unknown":           cty.DynamicVal,
		"null":              cty.NullVal(cty.DynamicPseudoType),
		"list":              cty.ListVal([]cty.Value{text}),
		"set":               cty.SetVal([]cty.Value{text}),
		"map":               cty.MapVal(map[string]cty.Value{"a": text}),
		"text":              text,
	}
	for name, of := range map[string]func(cty.Type) cty.Type{"tolist": cty.List, "toset": cty.Set} {
		short, long := toCollectionFunc(of), stdlib.MakeToFunc(of(cty.DynamicPseudoType))
		for what, v := range values {
			got, gotErr := short.Call([]cty.Value{v})
			want, wantErr := long.Call([]cty.Value{v})
			switch {
			case (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error():
				t.Errorf("%s of %s: error %v, want %v", name, what, gotErr, wantErr)
			case gotErr == nil && !got.RawEquals(want):
				t.Errorf("%s of %s: %#v, want %#v", name, what, got, want)
			}
		}
	}
}

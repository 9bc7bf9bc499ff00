package schema

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// boolsFunc is alltrue (until == true) or anytrue. Nulls count as false.
func boolsFunc(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := false
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				switch {
				case !v.IsKnown():
					unknown = true
				case (!v.IsNull() && v.True()) != all:
					return cty.BoolVal(!all), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(all), nil
		},
	})
}

// indexFunc is Terraform's index: the position of a value in a list.
func indexFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "list", Type: cty.DynamicPseudoType},
			{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
		},
		Type: function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if ty := args[0].Type(); !ty.IsListType() && !ty.IsTupleType() {
				return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "want a list")
			}
			for it := args[0].ElementIterator(); it.Next(); {
				i, v := it.Element()
				eq, err := stdlib.Equal(v, args[1])
				if err != nil {
					return cty.UnknownVal(cty.Number), err
				}
				if !eq.IsKnown() {
					return cty.UnknownVal(cty.Number), nil
				}
				if eq.True() {
					return i, nil
				}
			}
			return cty.UnknownVal(cty.Number), errors.New("the value is not in the list")
		},
	})
}

// lookupFunc is stdlib's with the default left out if wished.
func lookupFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "map", Type: cty.DynamicPseudoType},
			{Name: "key", Type: cty.String},
		},
		VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
		Type: func(args []cty.Value) (cty.Type, error) {
			if len(args) > 3 {
				return cty.NilType, errors.New("want a map, a key and perhaps a default")
			}
			if !args[0].IsWhollyKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := lookup(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return lookup(args) },
	})
}

func lookup(args []cty.Value) (cty.Value, error) {
	m, key := args[0], args[1]
	switch ty := m.Type(); {
	case ty.IsObjectType() && ty.HasAttribute(key.AsString()):
		return m.GetAttr(key.AsString()), nil
	case ty.IsMapType() && m.HasIndex(key).True():
		return m.Index(key), nil
	case !ty.IsObjectType() && !ty.IsMapType():
		return cty.DynamicVal, function.NewArgErrorf(0, "want a map or an object")
	case len(args) < 3:
		return cty.DynamicVal, function.NewArgErrorf(1, "there is no element with this key, and no default is given")
	case ty.IsMapType():
		v, err := convert.Convert(args[2], ty.ElementType())
		if err != nil {
			return cty.DynamicVal, function.NewArgErrorf(2, "the default does not fit the elements of the map: %s", err)
		}
		return v, nil
	}
	return args[2], nil
}

func matchKeysFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "values", Type: cty.List(cty.DynamicPseudoType)},
			{Name: "keys", Type: cty.List(cty.DynamicPseudoType)},
			{Name: "search", Type: cty.List(cty.DynamicPseudoType)},
		},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() || !args[1].IsWhollyKnown() || !args[2].IsWhollyKnown() {
				return cty.UnknownVal(ty), nil
			}
			values, keys := args[0].AsValueSlice(), args[1].AsValueSlice()
			if len(values) != len(keys) {
				return cty.UnknownVal(ty), errors.New("values and keys must have the same length")
			}
			var out []cty.Value
			for i, k := range keys {
				has, err := stdlib.Contains(args[2], k)
				if err != nil {
					return cty.UnknownVal(ty), err
				}
				if has.True() {
					out = append(out, values[i])
				}
			}
			if len(out) == 0 {
				return cty.ListValEmpty(ty.ElementType()), nil
			}
			return cty.ListVal(out), nil
		},
	})
}

// oneFunc gives the only element of a collection, or null if there is none.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			switch ty := args[0].Type(); {
			case ty.IsListType(), ty.IsSetType():
				return ty.ElementType(), nil
			case ty.IsTupleType() && ty.Length() == 0:
				return cty.DynamicPseudoType, nil
			case ty.IsTupleType() && ty.Length() == 1:
				return ty.TupleElementType(0), nil
			}
			return cty.NilType, function.NewArgErrorf(0, "want a list, set or tuple with at most one element")
		},
		Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
			switch args[0].LengthInt() {
			case 0:
				return cty.NullVal(ty), nil
			case 1:
				return args[0].AsValueSlice()[0], nil
			}
			return cty.UnknownVal(ty), function.NewArgErrorf(0, "want a list, set or tuple with at most one element")
		},
	})
}

func sumFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].LengthInt() == 0 {
				return cty.UnknownVal(cty.Number), errors.New("an empty list has no sum")
			}
			total := cty.Zero
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if v.IsNull() {
					return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "the list has a null element")
				}
				total = total.Add(v)
			}
			return total, nil
		},
	})
}

// transposeFunc turns a map of lists inside out.
func transposeFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "values", Type: cty.Map(cty.List(cty.String))}},
		Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
		Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(ty), nil
			}
			lists := map[string][]cty.Value{}
			for it := args[0].ElementIterator(); it.Next(); {
				k, list := it.Element()
				if list.IsNull() {
					return cty.UnknownVal(ty), function.NewArgErrorf(0, "the map has a null element")
				}
				for each := list.ElementIterator(); each.Next(); {
					_, v := each.Element()
					if v.IsNull() {
						return cty.UnknownVal(ty), function.NewArgErrorf(0, "a list has a null element")
					}
					lists[v.AsString()] = append(lists[v.AsString()], k)
				}
			}
			if len(lists) == 0 {
				return cty.MapValEmpty(ty.ElementType()), nil
			}
			out := make(map[string]cty.Value, len(lists))
			for k, l := range lists {
				out[k] = cty.ListVal(l)
			}
			return cty.MapVal(out), nil
		},
	})
}

// toCollectionFunc is tolist or toset. For elements of one type it does without
// the search for a type that all of them have, whose time grows with the square
// of their number: most of a plan of 10,000 connections was spent there.
func toCollectionFunc(of func(cty.Type) cty.Type) function.Function {
	general := stdlib.MakeToFunc(of(cty.DynamicPseudoType))
	return function.New(&function.Spec{
		Params: general.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if _, ok := elementType(args[0].Type()); ok {
				return of(cty.DynamicPseudoType), nil
			}
			return general.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if ty, ok := elementType(args[0].Type()); ok {
				return convert.Convert(args[0], of(ty))
			}
			return general.Call(args)
		},
	})
}

// elementType is the one type that all elements of a tuple have.
func elementType(tuple cty.Type) (cty.Type, bool) {
	if !tuple.IsTupleType() || tuple.Length() == 0 {
		return cty.NilType, false
	}
	types := tuple.TupleElementTypes()
	for _, ty := range types {
		if !ty.Equals(types[0]) {
			return cty.NilType, false
		}
	}
	return types[0], !types[0].HasDynamicTypes()
}

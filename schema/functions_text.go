package schema

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// textFunc makes a function of strings that gives a string.
func textFunc(do func(args []string) (string, error), params ...string) function.Function {
	return function.New(&function.Spec{
		Params: stringParams(params),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := do(stringArgs(args))
			if err != nil {
				return cty.UnknownVal(cty.String), err
			}
			return cty.StringVal(s), nil
		},
	})
}

// testFunc makes a function of two strings that is true or false.
func testFunc(do func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: stringParams([]string{"str", "part"}),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(do(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func stringParams(names []string) []function.Parameter {
	out := make([]function.Parameter, len(names))
	for i, n := range names {
		out[i] = function.Parameter{Name: n, Type: cty.String}
	}
	return out
}

func stringArgs(args []cty.Value) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a.AsString()
	}
	return out
}

func endsWithFunc() function.Function    { return testFunc(strings.HasSuffix) }
func startsWithFunc() function.Function  { return testFunc(strings.HasPrefix) }
func strContainsFunc() function.Function { return testFunc(strings.Contains) }

func base64EncodeFunc() function.Function {
	return textFunc(func(a []string) (string, error) {
		return base64.StdEncoding.EncodeToString([]byte(a[0])), nil
	}, "str")
}

func base64DecodeFunc() function.Function {
	return textFunc(func(a []string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(a[0])
		if err != nil {
			return "", errors.New("the text is not base64")
		}
		if !utf8.Valid(b) {
			return "", errors.New("the decoded bytes are not text in UTF-8")
		}
		return string(b), nil
	}, "str")
}

func sha256Func() function.Function {
	return textFunc(func(a []string) (string, error) {
		sum := sha256.Sum256([]byte(a[0]))
		return hex.EncodeToString(sum[:]), nil
	}, "str")
}

func sha512Func() function.Function {
	return textFunc(func(a []string) (string, error) {
		sum := sha512.Sum512([]byte(a[0]))
		return hex.EncodeToString(sum[:]), nil
	}, "str")
}

func urlEncodeFunc() function.Function {
	return textFunc(func(a []string) (string, error) { return url.QueryEscape(a[0]), nil }, "str")
}

func urlDecodeFunc() function.Function {
	return textFunc(func(a []string) (string, error) {
		s, err := url.QueryUnescape(a[0])
		if err != nil {
			return "", errors.New("the text is not percent-encoded correctly")
		}
		return s, nil
	}, "str")
}

// replaceFunc is Terraform's replace: a pattern in slashes is a regular expression.
func replaceFunc() function.Function {
	return function.New(&function.Spec{
		Params: stringParams([]string{"str", "substr", "replace"}),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if p := args[1].AsString(); len(p) > 1 && p[0] == '/' && p[len(p)-1] == '/' {
				return stdlib.RegexReplace(args[0], cty.StringVal(p[1:len(p)-1]), args[2])
			}
			return stdlib.Replace(args[0], args[1], args[2])
		},
	})
}

// jsonDecodeFunc checks the text first: encoding/json limits the nesting, the
// decoder of cty is recursive without a limit.
func jsonDecodeFunc() function.Function {
	return function.New(&function.Spec{
		Params: stringParams([]string{"str"}),
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			if text := []byte(args[0].AsString()); !json.Valid(text) || jsonTooDeep(text) {
				return cty.NilType, function.NewArgErrorf(0, "the text is not valid JSON, or nested deeper than %d levels", maxDepth)
			}
			v, err := stdlib.JSONDecode(args[0])
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return stdlib.JSONDecode(args[0]) },
	})
}

func timeCmpFunc() function.Function {
	return function.New(&function.Spec{
		Params: stringParams([]string{"a", "b"}),
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var at [2]time.Time
			for i, a := range args {
				t, err := time.Parse(time.RFC3339, a.AsString())
				if err != nil {
					return cty.UnknownVal(cty.Number), function.NewArgErrorf(i, "want a time in RFC 3339, such as 2026-01-31T00:00:00Z")
				}
				at[i] = t
			}
			return cty.NumberIntVal(int64(at[0].Compare(at[1]))), nil
		},
	})
}

// lengthFunc counts characters of strings too.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowDynamicType: true, AllowUnknown: true, AllowMarked: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) {
			switch ty := args[0].Type(); {
			case ty == cty.String, ty == cty.DynamicPseudoType, ty.IsTupleType(), ty.IsObjectType(), ty.IsCollectionType():
				return cty.Number, nil
			}
			return cty.Number, function.NewArgErrorf(0, "want a list, set, map, object or string")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, marks := args[0].Unmark()
			switch ty := v.Type(); {
			case ty.IsObjectType():
				return cty.NumberIntVal(int64(len(ty.AttributeTypes()))).WithMarks(marks), nil
			case ty.IsTupleType():
				return cty.NumberIntVal(int64(ty.Length())).WithMarks(marks), nil
			case !v.IsKnown():
				return cty.UnknownVal(cty.Number).WithMarks(marks), nil
			case ty == cty.String:
				n, err := stdlib.Strlen(v)
				return n.WithMarks(marks), err
			}
			return v.Length().WithMarks(marks), nil
		},
	})
}

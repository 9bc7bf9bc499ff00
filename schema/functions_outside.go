package schema

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"
	"github.com/zclconf/go-cty/cty/function"
)

// functions adds those that look outside: at the environment and at files of
// the configuration directory, through what Load was given.
func (l *loader) functions() map[string]function.Function {
	fs := maps.Clone(pureFunctions())
	fs["env"] = l.envFunc()
	fs["file"] = l.fileFunc()
	fs["fileexists"] = l.fileExistsFunc()
	fs["templatefile"] = l.templateFileFunc()
	fs["templatestring"] = templateStringFunc()
	return fs
}

// keyVariable reports whether a variable holds the key to every token in the
// state, or what opens the key: a configuration that could read it could send it
// to a server of its own.
func keyVariable(name string) bool {
	return strings.EqualFold(name, "OAUTHCTL_IDENTITY") || strings.EqualFold(name, "OAUTHCTL_PASSPHRASE")
}

// envFunc reads the environment. What it gives is sensitive.
func (l *loader) envFunc() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam: &function.Parameter{Name: "default", Type: cty.String, AllowNull: true},
		Type: func(args []cty.Value) (cty.Type, error) {
			if len(args) > 2 {
				return cty.NilType, errors.New("want a name and perhaps a default")
			}
			return cty.String, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if keyVariable(name) {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%s opens the state, and is not for configurations; give the secret that is meant in a variable of its own", name)
			}
			v := cty.StringVal(madeUpPrefix + name)
			text, ok := l.lookup(name)
			switch {
			case ok:
				v = cty.StringVal(text)
			case len(args) == 2:
				return args[1].Mark(Sensitive), nil
			case l.src.MakeUp:
				l.madeUp(fmt.Sprintf("env(%q)", name))
			case l.src.Partial:
				return cty.UnknownVal(cty.String).Mark(Sensitive), nil
			default:
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "the environment variable %s is not set; set it, or give env() a default as its second argument", name)
			}
			l.eval.secrets.learnAll(v)
			return v.Mark(Sensitive), nil
		},
	})
}

// fileFunc reads a text file of the configuration directory.
func (l *loader) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := l.text(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

// text reads a file once, however many instances ask for it.
func (l *loader) text(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", notInside(name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if text, ok := l.texts[name]; ok {
		return text, nil
	}
	text, err := readBelow(l.dir(), name)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q cannot be read: %s", name, reason(err))
	case !utf8.Valid(text):
		return "", fmt.Errorf("%q is not text in UTF-8", name)
	}
	l.texts[name] = string(text)
	return string(text), nil
}

func notInside(name string) error {
	return fmt.Errorf("%q is not inside the configuration directory; give a path relative to it, without \"..\"", name)
}

func (l *loader) fileExistsFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if !filepath.IsLocal(name) {
				return cty.UnknownVal(cty.Bool), function.NewArgError(0, notInside(name))
			}
			root, err := os.OpenRoot(l.dir())
			if err != nil {
				return cty.UnknownVal(cty.Bool), err
			}
			defer root.Close() // only read
			info, err := root.Stat(name)
			return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
		},
	})
}

func sensitiveFunc() function.Function {
	return markFunc(func(v cty.Value) cty.Value { return v.Mark(Sensitive) })
}

// nonsensitiveFunc takes the mark off, however deep it is.
func nonsensitiveFunc() function.Function {
	return markFunc(func(v cty.Value) cty.Value {
		out, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
			if mark == Sensitive {
				return ctymarks.WrangleDrop, nil
			}
			return nil, nil
		})
		if err != nil { // our callback returns none
			return v
		}
		return out
	})
}

func markFunc(do func(cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowUnknown: true, AllowNull: true, AllowMarked: true, AllowDynamicType: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return do(args[0]), nil },
	})
}

func isSensitiveFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowUnknown: true, AllowNull: true, AllowMarked: true, AllowDynamicType: true,
		}},
		Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return cty.BoolVal(IsSensitive(args[0])), nil },
	})
}

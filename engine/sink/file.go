package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
)

func fileType() Type {
	return Type{
		Name: "file", Whole: true,
		Doc: "A file on this machine, which only its owner can read (mode 0600). The sink owns the whole file: what else was in it is lost. " +
			"It is replaced at once, so that a reader sees either the old values or the new ones; a symbolic link in its place is replaced and not followed. oauthctl's own files (the state, the key, programs.hcl) are refused.",
		Spec: &schema.Spec{Attrs: []schema.Attr{
			{Name: "path", Kind: schema.String, Required: true, Doc: "The file; a relative path starts at the directory of the configuration."},
			{Name: "format", Kind: schema.String, OneOf: []string{"dotenv", "json", "raw"}, Default: `"dotenv"`,
				Doc: "How the values are written: dotenv has lines NAME=value, which a shell can source; json has one object; raw has the only value and nothing else."},
		}},
		New: newFile,
	}
}

// file is a file on this machine.
type file struct{ path, format string }

func newFile(o *schema.Object) (Target, hcl.Diagnostics) {
	f := &file{path: o.String("path"), format: o.String("format")}
	if f.format == "" {
		f.format = "dotenv"
	}
	if strings.TrimSpace(f.path) == "" || strings.ContainsRune(f.path, 0) || strings.HasSuffix(f.path, "/") {
		return nil, hcl.Diagnostics{o.ErrorAt("path", "Invalid path", "The argument \"path\" must name a file.")}
	}
	return f, nil
}

// Place implements Target.
func (f *file) Place() string { return "the file " + f.path }

// Hosts implements Target.
func (f *file) Hosts(Env) []string { return nil }

// Check implements Target.
func (f *file) Check(names []string) error {
	switch {
	case f.format == "raw" && len(names) > 1:
		return fmt.Errorf("a file in the format raw has one value and no names, so only one can be published to it, not %d: use the format dotenv or json, or a sink for each", len(names))
	case f.format == "dotenv":
		return checkVariables(names)
	}
	return nil
}

// Publish implements Target.
func (f *file) Publish(_ context.Context, env Env, values []Value) error {
	if len(values) == 0 {
		return f.failed("remove", env.RemoveFile(f.path))
	}
	text, err := f.encode(values)
	if err != nil {
		return f.failed("write", err)
	}
	return f.failed("write", env.WriteFile(f.path, text))
}

func (f *file) encode(values []Value) ([]byte, error) {
	switch f.format {
	case "raw":
		return []byte(values[0].Secret.Reveal()), nil
	case "json":
		m := make(map[string]string, len(values))
		for _, v := range values {
			m[v.Name] = v.Secret.Reveal()
		}
		text, err := json.MarshalIndent(m, "", "  ")
		return append(text, '\n'), err
	}
	var b strings.Builder
	for _, v := range values {
		if strings.ContainsRune(v.Secret.Reveal(), 0) {
			return nil, fmt.Errorf("the value of %s has a NUL in it, which no variable can have", v.Name)
		}
		b.WriteString(v.Name + "=" + shellQuote(v.Secret.Reveal()) + "\n")
	}
	return []byte(b.String()), nil
}

// shellQuote leaves what no reader could misunderstand without quotes: some
// take quotes for a part of the value.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Remove implements Target.
func (f *file) Remove(_ context.Context, env Env, names []string) error {
	text, err := env.ReadOwn(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return f.failed("read", err)
	}
	rest, err := f.without(text, names)
	switch {
	case err != nil:
		return f.failed("read", err)
	case len(rest) == 0:
		return f.failed("remove", env.RemoveFile(f.path))
	}
	return f.failed("write", env.WriteFile(f.path, rest))
}

// without takes values out of what encode has made; nothing is left if they were all.
func (f *file) without(text []byte, names []string) ([]byte, error) {
	switch f.format {
	case "raw":
		return nil, nil
	case "json":
		var m map[string]json.RawMessage
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, errors.New("it is not the JSON object that was written")
		}
		for _, name := range names {
			delete(m, name)
		}
		if len(m) == 0 {
			return nil, nil
		}
		out, err := json.MarshalIndent(m, "", "  ")
		return append(out, '\n'), err
	}
	var b strings.Builder
	for rest := string(text); rest != ""; {
		n := assignment(rest)
		name, _, _ := strings.Cut(rest[:n], "=")
		if !slices.Contains(names, name) {
			b.WriteString(rest[:n])
		}
		rest = rest[n:]
	}
	return []byte(b.String()), nil
}

// assignment is the length of the first assignment of a text: up to the end of
// the line, or of a later one if that is in quotes.
func assignment(text string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case c == '\\' && !quoted:
			i++
		case c == '\n' && !quoted:
			return i + 1
		}
	}
	return len(text)
}

func (f *file) failed(verb string, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) { // it was not tried, and why is known
		return &Error{Kind: own.Kind, Doing: verb + " " + f.Place(), Detail: own.Detail, Remedy: own.Remedy}
	}
	return &Error{Kind: Config, Doing: verb + " " + f.Place(), Detail: clean(withoutPath(err).Error()), Err: err,
		Remedy: "make the directory of " + f.path + ", and let it be written to; then apply again"}
}

// withoutPath is the cause of an error about a file whose path has been said.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

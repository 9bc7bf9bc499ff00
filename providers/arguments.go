package providers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/oauthctl/oauthctl/schema"
)

// values are the arguments of one connection (or block), by name.
type values struct {
	known   map[string]string
	partial bool     // some required ones are missing, which only Check allows
	missing []string // their names
	open    bool     // of a configuration that is checked without its environment
}

// key is a string that is equal for equal values.
func (v values) key() string {
	if len(v.known) == 0 {
		return ""
	}
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(v.known)) {
		b = strconv.AppendQuote(append(strconv.AppendQuote(b, name), '='), v.known[name])
	}
	return string(b)
}

// object is the variable arg.
func (v values) object() cty.Value {
	m := map[string]cty.Value{}
	for name, s := range v.known {
		m[name] = cty.StringVal(s)
	}
	for _, name := range v.missing {
		m[name] = cty.UnknownVal(cty.String)
	}
	return cty.ObjectVal(m)
}

// collect gathers the argument blocks of a chain and the arguments that its
// blocks set themselves.
func (ch *chain) collect() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range ch.layers {
		for _, n := range o.Nested["argument"] {
			if ch.argument(n.Labels[0]) {
				continue // an earlier layer replaces it
			}
			a, d := newArgument(n)
			if d != nil {
				diags = append(diags, d)
			}
			ch.args = append(ch.args, a)
		}
	}
	for _, o := range ch.layers {
		for _, name := range slices.Sorted(maps.Keys(o.Rest)) {
			if !ch.argument(name) {
				diags = append(diags, ch.unknown(name, o.Rest[name], nil))
			}
			if _, ok := ch.given[name]; !ok {
				ch.given[name] = o.Rest[name]
			}
		}
	}
	return diags
}

// argument reports whether the chain has an argument of that name.
func (ch *chain) argument(name string) bool {
	return slices.ContainsFunc(ch.args, func(a Argument) bool { return a.Name == name })
}

func newArgument(n schema.NestedObject) (Argument, *hcl.Diagnostic) {
	a := Argument{
		Name: n.Labels[0], Default: n.String("default"), Doc: n.String("doc"),
		Required: n.Bool("required"), Pattern: n.String("pattern"), Example: n.String("example"),
	}
	if a.Pattern == "" {
		return a, nil
	}
	// Compiled alone first: a stray parenthesis must not undo the anchors.
	_, err := regexp.Compile(a.Pattern)
	if err == nil {
		a.pattern, err = regexp.Compile(`^(?:` + a.Pattern + `)$`)
	}
	if err != nil {
		return a, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Invalid pattern",
			Detail:  fmt.Sprintf("The pattern of the argument %s is no regular expression: %s.", a.Name, err),
			Subject: n.Ranges["pattern"].Ptr(),
		}
	}
	return a, nil
}

// values merges the arguments that a connection gives over those of the block
// and the defaults, and checks them. conn is nil for the block alone.
func (ch *chain) values(conn *schema.Connection, open bool) (values, hcl.Diagnostics) {
	v := values{known: map[string]string{}, open: open}
	var diags hcl.Diagnostics
	if conn != nil && len(conn.Args) > 0 {
		for _, name := range slices.Sorted(maps.Keys(conn.Args)) {
			if !ch.argument(name) {
				diags = append(diags, ch.unknown(name, conn.Args[name], conn))
			}
		}
	}
	for _, a := range ch.args {
		given, ok := ch.given[a.Name]
		if conn != nil {
			if own, set := conn.Args[a.Name]; set {
				given, ok = own, true
			}
		}
		if open && ok && !given.Value.IsKnown() {
			v.partial, v.missing = true, append(v.missing, a.Name)
			continue
		}
		s, d := a.value(given, ok)
		switch {
		case d != nil:
			if conn != nil {
				d = about(conn, d)
			}
			diags = append(diags, d)
		case s != "" || !a.Required:
			v.known[a.Name] = s
		case conn == nil:
			v.partial = true
			v.missing = append(v.missing, a.Name)
		default:
			diags = append(diags, ch.absent(a, conn))
		}
	}
	return v, diags
}

// value checks one argument and returns it as a string: the default if it is not given.
func (a Argument) value(given schema.Arg, ok bool) (string, *hcl.Diagnostic) {
	if !ok || given.Value.IsNull() {
		return a.Default, nil
	}
	fail := func(summary, format string, args ...any) (string, *hcl.Diagnostic) {
		return "", &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: summary,
			Detail: fmt.Sprintf(format, args...) + a.like(), Subject: given.Range.Ptr(),
		}
	}
	if !given.Value.IsKnown() {
		return "", notKnown("The argument "+a.Name, given.Range)
	}
	if schema.IsSensitive(given.Value) {
		return fail("Sensitive argument", "The argument %s becomes part of URLs that plans show, so it cannot have a sensitive value. "+
			"If the value is no secret, wrap it: %s = nonsensitive(…).", a.Name, a.Name)
	}
	str, err := convert.Convert(given.Value, cty.String)
	if err != nil {
		return fail("Invalid argument", "The argument %s must be a string.", a.Name)
	}
	s := str.AsString()
	if s != a.Default && a.pattern != nil && !a.pattern.MatchString(s) {
		return fail("Invalid argument", "The argument %s does not accept %q.", a.Name, s)
	}
	return s, nil
}

// like says what a value looks like, as sentences with a leading space.
func (a Argument) like() string {
	var s string
	if a.Doc != "" {
		s += " " + a.Doc
	}
	if a.Example != "" {
		s += fmt.Sprintf(" For example: %s = %q.", a.Name, a.Example)
	}
	return s
}

func (ch *chain) absent(a Argument, conn *schema.Connection) *hcl.Diagnostic {
	where := "to " + conn.Addr.String()
	if ch.user > 0 {
		where += fmt.Sprintf(" or to provider %q", ch.name)
	}
	return about(conn, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Missing argument",
		Detail:  fmt.Sprintf("%s needs the argument %s; add it %s.%s", ch.title(), a.Name, where, a.like()),
		Subject: place(conn, "provider").Ptr(),
	})
}

// title names the server for messages.
func (ch *chain) title() string {
	if t := ch.layers.str("title"); t != "" {
		return t
	}
	return fmt.Sprintf("The provider %q", ch.name)
}

// unknown is the error for a name that is neither an attribute nor an argument.
func (ch *chain) unknown(name string, at schema.Arg, conn *schema.Connection) *hcl.Diagnostic {
	var names []string
	for _, a := range ch.args {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	takes := ch.title() + " takes no arguments."
	if len(names) > 0 {
		takes = fmt.Sprintf("Arguments of %s: %s.", ch.title(), strings.Join(names, ", "))
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unsupported argument", Subject: at.Name.Ptr()}
	if conn == nil {
		candidates := slices.Clone(names)
		for _, a := range Spec().Attrs {
			candidates = append(candidates, a.Name)
		}
		d.Detail = fmt.Sprintf("A provider block has no attribute %q.%s %s", name, didYouMean(name, candidates), takes)
		switch name { // of Terraform's
		case "alias":
			d.Detail = "There are no aliases: each block has a name of its own, and names its preset: provider \"NAME\" { preset = \"PRESET\" }."
		case "version":
			d.Detail = "Presets come with oauthctl, and have its version: leave it out, or write required_version in an oauthctl block."
		}
		return d
	}
	d.Detail = fmt.Sprintf("A connection has no attribute %q.%s %s",
		name, didYouMean(name, append(names, connectionAttrs()...)), takes)
	return about(conn, d)
}

// connectionAttrs are the attributes of a connection, for suggestions.
func connectionAttrs() []string {
	var names []string
	if spec := schema.Language()["connection"].Spec; spec != nil {
		for _, a := range spec.Attrs {
			names = append(names, a.Name)
		}
	}
	return names
}

package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
)

// Draft is a connection that no block declares, as far as it is known.
type Draft struct {
	Addr         addr.Addr
	Provider     string
	ClientID     string
	ClientAuth   string
	Secret       bool // it has a client secret, which a variable will give
	Scopes       []string
	RedirectURIs []string
	Account      string
	Resource     []string
	DependsOn    []addr.Addr
	Grant        string
	Assertion    Assertion // without its key, for which a variable stands if Key is set
	Key          bool
	Lifetimes    Lifetimes
	Notes        []string // what is not known, one line each
}

// DraftProvider is a provider block that is gone.
type DraftProvider struct {
	Name, Preset          string
	Issuer, TokenEndpoint string
}

// Generate writes the blocks of connections, those of one name as one block
// with for_each. Secrets become variables, whose names the configuration does not have yet.
func (c *Config) Generate(providers []DraftProvider, drafts []Draft) []byte {
	g := &generator{taken: map[string]bool{}}
	for name := range c.Variables {
		g.taken[name] = true
	}
	g.line("# Written by oauthctl plan -generate-config-out. Look through it, and plan again.")
	for _, p := range providers {
		g.provider(p)
	}
	for len(drafts) > 0 {
		n := 1
		for n < len(drafts) && drafts[n].Addr.Block() == drafts[0].Addr.Block() {
			n++
		}
		g.connection(drafts[:n])
		drafts = drafts[n:]
	}
	return layout([]byte(g.b.String()))
}

type generator struct {
	b     strings.Builder
	taken map[string]bool // names of variables
}

func (g *generator) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

func (g *generator) provider(p DraftProvider) {
	g.line("\nprovider %s {", quoted(p.Name))
	for _, a := range []draftArg{{"preset", text(p.Preset)}, {"issuer", text(p.Issuer)}, {"token_endpoint", text(p.TokenEndpoint)}} {
		g.set(a)
	}
	g.line("}")
}

// draftArg is one argument of one instance; expr is "" if it is not set.
type draftArg struct{ name, expr string }

func (g *generator) connection(ds []Draft) {
	name, keyed := ds[0].Addr.Name, ds[0].Addr.Keyed
	variables := g.variables(ds)
	all := make([][]draftArg, len(ds))
	for i := range ds {
		all[i] = arguments(&ds[i])
	}
	g.line("\nconnection %s {", quoted(name))
	for _, note := range notesOf(ds) {
		g.line("# %s", note)
	}
	if slices.ContainsFunc(ds, func(d Draft) bool { return d.body() != ds[0].body() }) {
		g.line("# Its instances differ in more than arguments: the blocks are those of %s.", ds[0].Addr)
	}
	differ := g.forEach(ds, all)
	for _, a := range all[0] {
		if slices.Contains(differ, a.name) {
			a.expr = "each.value." + a.name
		}
		g.set(a)
		if a.name == "client_id" {
			g.set(draftArg{"client_secret", secretOf(variables["client_secret"], keyed)})
		}
	}
	g.assertion(&ds[0], secretOf(variables["private_key"], keyed))
	if ds[0].Grant != "" {
		g.line("\ngrant %s {}", quoted(ds[0].Grant))
	}
	if ds[0].Lifetimes != (Lifetimes{}) {
		g.line("\ntoken_lifetimes {")
		for _, a := range lifetimeArgs(&ds[0]) {
			g.set(a)
		}
		g.line("}")
	}
	g.line("}")
}

// body is what stands in blocks of the connection, to be compared.
func (d *Draft) body() string {
	a := d.Assertion
	return fmt.Sprintln(d.Grant, d.Lifetimes, d.Key, a.Algorithm, a.KeyID, a.Audience, a.Lifetime, a.TokenFile, a.TokenEnv)
}

func (g *generator) set(a draftArg) {
	if a.expr != "" {
		g.line("%s = %s", a.name, a.expr)
	}
}

// forEach writes the keys, with the arguments in which the instances differ, and
// returns the names of these.
func (g *generator) forEach(ds []Draft, all [][]draftArg) (differ []string) {
	if !ds[0].Addr.Keyed {
		return nil
	}
	for k, a := range all[0] {
		if slices.ContainsFunc(all, func(args []draftArg) bool { return args[k].expr != a.expr }) {
			differ = append(differ, a.name)
		}
	}
	if len(differ) == 0 {
		var keys []string
		for i := range ds {
			keys = append(keys, ds[i].Addr.Key)
		}
		g.line("for_each = toset(%s)", list(keys))
		return nil
	}
	g.line("for_each = {")
	for i := range ds {
		g.line("%s = {", quoted(ds[i].Addr.Key))
		for _, a := range all[i] {
			if slices.Contains(differ, a.name) {
				expr := a.expr
				if expr == "" {
					expr = "null"
				}
				g.line("%s = %s", a.name, expr)
			}
		}
		g.line("}")
	}
	g.line("}")
	return differ
}

// variables declares one for each secret; with for_each, a map by key.
func (g *generator) variables(ds []Draft) map[string]string {
	out := map[string]string{}
	for _, s := range []struct {
		name string
		has  func(*Draft) bool
	}{
		{"client_secret", func(d *Draft) bool { return d.Secret }},
		{"private_key", func(d *Draft) bool { return d.Key }},
	} {
		if !slices.ContainsFunc(ds, func(d Draft) bool { return s.has(&d) }) {
			continue
		}
		name := ds[0].Addr.Name + "_" + s.name
		for g.taken[name] {
			name += "_"
		}
		g.taken[name], out[s.name] = true, name
		ty := "string"
		if ds[0].Addr.Keyed {
			ty = "map(string)"
		}
		g.line("\nvariable %s {\ntype = %s\nsensitive = true\n}", quoted(name), ty)
	}
	return out
}

func secretOf(variable string, keyed bool) string {
	switch {
	case variable == "":
		return ""
	case keyed:
		return fmt.Sprintf("lookup(var.%s, each.key, null)", variable)
	}
	return "var." + variable
}

func (g *generator) assertion(d *Draft, key string) {
	a := &d.Assertion
	args := []draftArg{
		{"private_key", key}, {"token_file", text(a.TokenFile)}, {"token_env", text(a.TokenEnv)},
		{"algorithm", text(a.Algorithm)}, {"key_id", text(a.KeyID)}, {"audience", text(a.Audience)},
	}
	if a.Lifetime > 0 {
		args = append(args, draftArg{"lifetime", quoted(FormatDuration(a.Lifetime))})
	}
	if key == "" && a.TokenFile == "" && a.TokenEnv == "" {
		return
	}
	g.line("\nclient_assertion {")
	for _, arg := range args {
		g.set(arg)
	}
	g.line("}")
}

// arguments are always the same, in the same order.
func arguments(d *Draft) []draftArg {
	return []draftArg{
		{"provider", quoted(d.Provider)}, {"client_id", quoted(d.ClientID)}, {"client_auth", text(d.ClientAuth)},
		{"scopes", list(d.Scopes)}, {"redirect_uris", list(d.RedirectURIs)}, {"account", text(d.Account)}, {"resource", list(d.Resource)},
		{"depends_on", addresses(d.DependsOn)},
	}
}

func lifetimeArgs(d *Draft) []draftArg {
	life := func(l time.Duration) string {
		if l == 0 {
			return ""
		}
		return quoted(FormatDuration(l))
	}
	l := d.Lifetimes
	return []draftArg{{"access", life(l.Access)}, {"refresh", life(l.Refresh)}, {"refresh_before", life(l.RefreshBefore)}}
}

// notesOf are the notes of all instances, each once.
func notesOf(ds []Draft) []string {
	var out []string
	for i := range ds {
		for _, n := range ds[i].Notes {
			if n = strings.Join(strings.Fields(n), " "); !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// quoted writes a string as the native syntax does.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// text is a string, and nothing for none.
func text(s string) string {
	if s == "" {
		return ""
	}
	return quoted(s)
}

func list(items []string) string {
	if len(items) == 0 {
		return ""
	}
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = quoted(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func addresses(as []addr.Addr) string {
	if len(as) == 0 {
		return ""
	}
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.String()
	}
	return "[" + strings.Join(out, ", ") + "]"
}

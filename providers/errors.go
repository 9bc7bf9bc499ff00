package providers

import (
	"embed"
	"slices"
	"strings"
	"sync"

	"github.com/oauthctl/oauthctl/schema"
)

// KnownError is an entry of the catalogue of errors (errors/*.hcl): what a code
// means, where it comes from, and what to do about it. It is for people; what a
// program does next follows from error and suberror alone.
type KnownError struct {
	Family  string // "oauth", "oidc", "aadsts", "acs", "servicenow", "github", "slack"
	Server  string // who sends it: "Microsoft Entra ID"; of a standard its name
	Code    string // "invalid_grant", "AADSTS65001"
	Name    string // that the vendor gives it, else a few words
	Meaning string
	Cause   string // the likely one
	Remedy  string
	Needs   string // "person", "administrator", "configuration" or "retry"
	Source  string // URL of the page that documents it
	More    string // URL of the vendor's page for this very code; "" if there is none

	match []string // words that error_description must hold too, one of them
	also  []string // words of error_description that mean it, whatever the code
}

// family is a file of the catalogue.
type family struct {
	name   string // of the file, without .hcl
	server string
	prefix string // of numbered codes: "AADSTS"
	source string // where an entry names none
	more   string // what a number is appended to
	vendor bool   // not a standard: its entries say more than the standards' of the same code
}

// families is the table of files, standards first.
var families = []family{
	{name: "oauth", server: "OAuth"},
	{name: "oidc", server: "OpenID Connect"},
	{
		name: "aadsts", server: "Microsoft Entra ID", prefix: "AADSTS", vendor: true,
		source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
		more:   "https://login.microsoftonline.com/error?code=",
	},
	{
		name: "acs", server: "Microsoft ACS (SharePoint add-ins)", prefix: "ACS", vendor: true,
		source: "https://learn.microsoft.com/previous-versions/azure/azure-services/gg185949(v=azure.100)",
	},
	{name: "servicenow", server: "ServiceNow", vendor: true},
	{name: "github", server: "GitHub", vendor: true},
	{name: "slack", server: "Slack", vendor: true},
}

//go:embed errors/*.hcl
var errorFiles embed.FS

// catalogue is what the files hold, parsed when the first error is explained:
// the standards, and the rest.
var catalogue = sync.OnceValue(func() (c struct{ standard, vendor []KnownError }) {
	for _, f := range families {
		if f.vendor {
			c.vendor = append(c.vendor, f.read()...)
		} else {
			c.standard = append(c.standard, f.read()...)
		}
	}
	return c
})

// Errors lists the catalogue of errors: the standards, then the vendors in
// order, each in the order of its file.
func Errors() []KnownError {
	c := catalogue()
	return slices.Concat(c.standard, c.vendor)
}

// read parses the file. It cannot fail: a test reads every entry.
func (f family) read() []KnownError {
	file := "errors/" + f.name + ".hcl"
	text, err := errorFiles.ReadFile(file)
	if err != nil {
		return nil
	}
	blocks, diags := schema.ParseBlocks(file, text, "error")
	if diags.HasErrors() {
		return nil
	}
	var out []KnownError
	for _, b := range blocks {
		o, diags := b.Decode(errorSpec(), nil)
		if diags.HasErrors() {
			return nil
		}
		e := KnownError{
			Family: f.name, Server: f.server, Code: b.Labels[0],
			Name: o.String("name"), Meaning: o.String("meaning"), Cause: o.String("cause"),
			Remedy: o.String("remedy"), Needs: o.String("needs"), Source: o.String("source"),
			match: o.Strings("match"), also: o.Strings("also"),
		}
		if e.Source == "" {
			e.Source = f.source
		}
		if number, ok := strings.CutPrefix(e.Code, f.prefix); ok && f.more != "" {
			e.More = f.more + number
		}
		out = append(out, e)
	}
	return out
}

// errorSpec is the table of an error block.
func errorSpec() *schema.Spec {
	text := func(name string) schema.Attr { return schema.Attr{Name: name, Kind: schema.String, Required: true} }
	return &schema.Spec{Attrs: []schema.Attr{
		text("name"), text("meaning"), text("cause"), text("remedy"),
		{Name: "needs", Kind: schema.String, Required: true, OneOf: needs},
		{Name: "source", Kind: schema.String},
		{Name: "match", Kind: schema.Strings},
		{Name: "also", Kind: schema.Strings},
	}}
}

// needs are who or what can help with an error.
var needs = []string{"person", "administrator", "configuration", "retry"}

// numbered reports whether the entry is one of a numbered family.
func (e *KnownError) numbered() bool {
	digits := strings.TrimLeft(e.Code, "ACDST")
	return digits != e.Code && strings.Trim(digits, "0123456789") == ""
}

// fits reports whether an answer is this error: by its code, which a quirk may
// have put at the head of the description, together with the words that must
// be there; or by words that mean it.
func (e *KnownError) fits(code, description string) bool {
	if slices.ContainsFunc(e.also, func(w string) bool { return holds(description, w) }) {
		return true
	}
	if e.numbered() {
		return code == e.Code || holds(description, e.Code)
	}
	head, _, _ := strings.Cut(description, ":")
	return (code == e.Code || head == e.Code) && e.matches(description)
}

// matches reports whether the words that must be there are.
func (e *KnownError) matches(description string) bool {
	return len(e.match) == 0 || slices.ContainsFunc(e.match, func(w string) bool { return holds(description, w) })
}

// hint is the entry as a Hint. advice: it was not found by the error code, but
// by a number or words; then the meaning is part of the cause.
func (e *KnownError) hint(advice bool) Hint {
	h := Hint{Error: e.Code, Cause: e.Cause, Remedy: e.Remedy, Needs: e.Needs, Advice: advice}
	if advice && e.Meaning != e.Cause {
		h.Cause = e.Meaning + " " + e.Cause
	}
	return h
}

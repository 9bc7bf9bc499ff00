package schema

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Source says where a configuration is written and what the caller hands to it.
// Load reads files only below Dir (or File); everything else from outside comes
// through the fields.
type Source struct {
	Dir       string                      // a directory: all its *.hcl and *.hcl.json files, not recursive
	File      string                      // or one file, which is then the whole configuration
	Vars      []VarInput                  // -var and -var-file, in the order given
	LookupEnv func(string) (string, bool) // for env() and OAUTHCTL_VAR_name; nil: an empty environment
	Version   string                      // of this program, for required_version
	MakeUp    bool                        // sandbox: invent env() and sensitive variables that are missing, and nothing else; see Config.MadeUp
	// Partial lets what nothing gives a value to, variables and env(), be unknown
	// instead of wrong: a configuration can be checked without its environment.
	// MakeUp goes before it, and nobody is asked.
	Partial bool
	// Undeclared lets import blocks name connections that no block declares: the
	// blocks are going to be written.
	Undeclared bool
	// OutputsOnly leaves out the evaluation of connections, of which there may be
	// thousands, and what is checked of them: for evaluating outputs and expressions
	// with what the state has. Config.Connections is empty then.
	OutputsOnly bool
	// Planned are the values that variables had when a plan was saved: see
	// [Config.Inputs]. They count; another one in Vars is an error.
	Planned map[string]json.RawMessage
	// Prompt asks a person for a variable that has no value; nil: a missing value is an error.
	Prompt func(v *Variable) (string, error)

	recorded *Recorded // in the place of files
}

// VarInput is one -var or -var-file.
type VarInput struct {
	Name, Value string // -var NAME=VALUE
	File        string // -var-file FILE; then Name and Value are empty
	Arg         *Arg   // of a test: the value itself, in the place of Value
}

// Config is a configuration: parsed, its variables and locals resolved, its
// connections evaluated as far as that is possible without the state.
type Config struct {
	Settings    Settings
	Variables   map[string]*Variable
	Providers   map[string]*Block // provider blocks by name; package providers decodes them
	Connections []*Connection     // every instance, sorted by address
	Sinks       []*Block          // every instance, undecoded; package engine/sink decodes them
	Removed     []Removed         // removed blocks, likewise
	Moved       []Moved           // moved blocks, in the order of the files
	Imports     []Import          // of import blocks, sorted by address
	MadeUp      []string          // what Source.MakeUp invented: "var.client_secret", `env("PRINT_SECRET")`
	Partial     bool              // loaded with Source.Partial: to be checked, and not to be planned
	Sources     *Sources          // the files read, for snippets; set even when Load fails

	src     Source
	eval    *evaluator
	outputs []*outputBlock
	checks  []*checkBlock
}

// Settings is the oauthctl block.
type Settings struct {
	RequiredVersion string
	State           *Block   // state "TYPE" { … }; nil: the default
	Recipients      []string // encryption { recipients = […] }; nil: the user's own identity
	Range           hcl.Range
}

// Variable is a variable block and its value.
type Variable struct {
	Name, Description string
	Type              cty.Type
	Sensitive         bool
	Ephemeral         bool      // for this run only: not stored, and in no saved plan
	Value             cty.Value // marked with Sensitive if the variable is
	Range             hcl.Range
}

// Connection is one connection instance. Fields whose names are in Unknown have
// their zero value until the connections in DependsOn are applied and
// [Config.Resolve] is called with their attributes.
type Connection struct {
	Addr     addr.Addr
	Range    hcl.Range // of the block's header
	Provider string    // name of a provider block or of a preset

	Description     string
	ClientID        string
	ClientSecret    secret.Secret
	SecretExpiresAt time.Time  // of the client secret; zero: not known
	ClientAuth      string     // "", "none", "client_secret_basic", "client_secret_post", …; "" means what the preset says
	ClientAssertion *Assertion // client_assertion { … }; nil: none
	ApplicationType string     // "", "web", "native", "spa"
	Scopes          []string
	RedirectURIs    []string
	Account         string
	Hosts           []string          // that helpers may hand the token to, as ParseHost gives them
	UnknownOutcome  string            // "retry_once", "never" or "": the default
	Resource        []string          // RFC 8707
	Audience        string            // Auth0's and token exchange's parameter
	AuthorizeParams map[string]string // added to the authorization request
	TokenParams     map[string]string // added to every token request

	Lifetimes Lifetimes
	Grant     *Block // grant "TYPE" { … }, undecoded; nil: the preset's default
	// Args are the attributes that the language does not know: arguments of
	// the connection's preset (tenant, site_url, instance, …).
	Args map[string]Arg

	Lifecycle   *Lifecycle  // nil: none
	TriggeredBy []addr.Addr // connections whose new grant asks for one here

	DependsOn []addr.Addr          // connections referred to, sorted; and depends_on
	Unknown   []string             // names of attributes not known yet, sorted
	Ranges    map[string]hcl.Range // where each attribute that is set is written
}

// Arg is the value of one attribute together with its place.
type Arg struct {
	Value       cty.Value // may be unknown; marks as in cty
	Range, Name hcl.Range // of the expression; of the attribute's name
}

// Lifetimes is a token_lifetimes block. Zero means: not set.
type Lifetimes struct {
	Access        time.Duration // used when the server does not say
	Refresh       time.Duration // after which a new consent will be due
	RefreshBefore time.Duration // margin before expiry in which a token counts as expired
}

// Output is an evaluated output block.
type Output struct {
	Name, Description string
	Value             cty.Value // unmarked; unknown until applied
	Sensitive         bool
	DependsOn         []addr.Addr // connections that its value is made from, sorted
	Range             hcl.Range
}

// Known gives the attributes of a connection as far as the state has them (see
// AttributesType); false if it has never been applied.
type Known func(addr.Addr) (cty.Value, bool)

// AttributesType is the type of connection.NAME in expressions. access_token,
// refresh_token and id_token are marked sensitive.
var AttributesType = sync.OnceValue(func() cty.Type {
	return cty.Object(map[string]cty.Type{
		"access_token":       cty.String,
		"refresh_token":      cty.String,
		"id_token":           cty.String,
		"token_type":         cty.String,
		"expires_at":         cty.String, // RFC 3339, UTC
		"refresh_expires_at": cty.String, // RFC 3339, UTC; null if it has no known end
		"scopes":             cty.List(cty.String),
		"account":            cty.String,
		"client_id":          cty.String,
		"extra":              cty.Map(cty.String),
	})
})

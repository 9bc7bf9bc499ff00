package schema

// The tables of the language. They drive decoding, "providers schema -json", the
// reference page and redaction.

// Language returns the tables of all top-level blocks by type. Bodies that
// other packages own (provider, sink, state, grant) have no Spec here.
func Language() map[string]Nested {
	out := map[string]Nested{}
	for _, n := range fileSpec.Blocks {
		out[n.Type] = n
	}
	return out
}

var fileSpec = &Spec{hints: fileHints, Blocks: []Nested{
	{Type: "oauthctl", Max: 1, Spec: settingsSpec, Doc: "Settings of the configuration as a whole."},
	{Type: "provider", Labels: []string{"name"}, Doc: "An authorization server: a preset with arguments, or endpoints of your own."},
	{Type: "connection", Labels: []string{"name"}, Spec: connectionSpec, Doc: "A connection: a client, a consent and the tokens that come of it."},
	{Type: "variable", Labels: []string{"name"}, Spec: variableSpec, Doc: "An input of the configuration: var.NAME."},
	{Type: "locals", Spec: &Spec{Open: true}, Doc: "Names for expressions: local.NAME."},
	{Type: "output", Labels: []string{"name"}, Spec: outputSpec, Doc: "A value to show after apply and with \"oauthctl output\"."},
	{Type: "sink", Labels: []string{"type", "name"}, Doc: "A place that tokens are published to after apply."},
	{Type: "removed", Spec: removedSpec, Doc: "A connection is not declared any more: whether its grant is revoked or left alone."},
	{Type: "import", Spec: importSpec, Doc: "A connection begins with a refresh token that was given elsewhere: nobody has to consent."},
	{Type: "check", Labels: []string{"name"}, Spec: checkSpec, Doc: "Assertions about the whole: those that fail are warnings."},
	{Type: "moved", Spec: movedSpec, Doc: "A connection got another name: its tokens move along, and nobody has to consent again."},
}}

// fileHints answer those who come from Terraform.
var fileHints = hints{
	{"resource", `There are no resources here: what is managed are connections. Write connection "NAME" { … }.`},
	{"data", "There are no data sources here. Values from outside come from variables, env() and file()."},
	{"module", "There are no modules here. All *.hcl files of the directory are one configuration, and for_each makes many connections of one block."},
	{"terraform", "Settings stand in an oauthctl block: required_version, state \"TYPE\" { … } and encryption { … }."},
}

// connectionHints answer those who expect a meta-argument that is not there.
var connectionHints = hints{
	{"count", "There is no count. Use for_each with a map or a set of strings."},
	{"enabled", "There is no enabled. With for_each, an empty set makes no instance: for_each = toset(var.enabled ? [\"on\"] : [])."},
	{"provisioner", "There are no provisioners: nothing in the language runs a program."},
}

// settingsHints answer those who come from Terraform.
var settingsHints = hints{
	{"backend", "The state is kept where a state block says: state \"sqlite\" { path = \"oauthctl.state\" }. Without one it is kept there as well."},
	{"cloud", "The state is kept where a state block says: state \"sqlite\" { path = \"oauthctl.state\" }."},
	{"required_providers", "Nothing is downloaded: presets come with oauthctl, and other servers are described in provider blocks."},
	{"experiments", "There are none."},
}

// outputHints answer those who come from Terraform.
var outputHints = hints{
	{"ephemeral", "Outputs are for other programs and for later, so they cannot be ephemeral. To hand out a token that is stored nowhere else, use: oauthctl token NAME."},
}

var settingsSpec = &Spec{
	hints: settingsHints,
	Attrs: []Attr{
		{Name: "required_version", Kind: String, Doc: "Versions of oauthctl that may read this configuration, such as \">= 0.1, < 2.0\"."},
	},
	Blocks: []Nested{
		{Type: "state", Labels: []string{"type"}, Max: 1, Doc: "Where the encrypted state is kept."},
		{Type: "encryption", Max: 1, Spec: encryptionSpec, Doc: "Who can open the state."},
	},
}

var encryptionSpec = &Spec{Attrs: []Attr{
	{Name: "recipients", Kind: Strings, Required: true, Doc: "age and ssh public keys of everybody who can open the state."},
}}

var connectionSpec = &Spec{
	Open:  true, // arguments of the preset
	hints: connectionHints,
	Attrs: []Attr{
		{Name: "for_each", Kind: Static, Doc: "A map or a set of strings: one instance of the connection for each element, with each.key and each.value."},
		{Name: "depends_on", Kind: Static, Doc: "Connections that have to be applied first although nothing here refers to them."},
		{Name: "provider", Kind: String, Required: true, Doc: "The name of a provider block or of a preset."},
		{Name: "description", Kind: String, Doc: "For people; shown in plans."},
		{Name: "client_id", Kind: String, Required: true, Doc: "The client's identifier at the server (RFC 6749 §2.2)."},
		{Name: "client_secret", Kind: Sensitive, Doc: "The client's secret; never a literal: use env() or a sensitive variable."},
		{Name: "secret_expires_at", Kind: String, Doc: "When the client secret ends: a day such as 2027-01-31, or a time as in RFC 3339. Plans warn from 30 days before."},
		{Name: "client_auth", Kind: String, OneOf: clientAuths, Doc: "How the client authenticates at the token endpoint.", Default: "what the preset says"},
		{Name: "application_type", Kind: String, OneOf: []string{"web", "native", "spa"}, Doc: "How the client is registered, where the server treats the kinds differently."},
		{Name: "scopes", Kind: ScopeList, Doc: "Scopes to ask for: a list, or one string with spaces between them."},
		{Name: "redirect_uris", Kind: Strings, Doc: "Redirect URIs registered for the client; the first that can be used is used."},
		{Name: "account", Kind: String, Doc: "Whose consent it has to be; compared with the ID token or userinfo before anything is saved."},
		{Name: "hosts", Kind: Strings, Doc: "Hosts to which the credential helpers of git and docker may hand the token: exactly these, with their ports."},
		{Name: "unknown_outcome", Kind: String, OneOf: unknownOutcomes, Default: "retry_once", Doc: "What to do when a refresh was sent and no answer arrived, so that nobody knows whether the refresh token is spent: send it once more, or never again."},
		{Name: "resource", Kind: Strings, Doc: "Resource indicators (RFC 8707)."},
		{Name: "audience", Kind: String, Doc: "The audience parameter of servers that have one."},
		{Name: "authorize_params", Kind: StringMap, InAddress: true, Doc: "Further parameters of the authorization request."},
		{Name: "token_params", Kind: StringMap, Doc: "Further parameters of every token request."},
	},
	Blocks: []Nested{
		{Type: "grant", Labels: []string{"type"}, Max: 1, Doc: "How the tokens are obtained; the preset has a default."},
		{Type: "client_assertion", Max: 1, Spec: assertionSpec, Doc: "A signed JWT with which the client authenticates instead of a secret (RFC 7523)."},
		dynamicNested,
		{Type: "lifecycle", Max: 1, Spec: lifecycleSpec, Doc: "What a plan may do with the connection, and what has to hold."},
		{Type: "token_lifetimes", Max: 1, Spec: lifetimesSpec, Doc: "How long tokens live, where the server does not say, and how early they are renewed."},
	},
}

var unknownOutcomes = []string{"retry_once", "never"}

var clientAuths = []string{"none", "client_secret_basic", "client_secret_post", "private_key_jwt", "federated"}

var lifetimesSpec = &Spec{Attrs: []Attr{
	{Name: "access", Kind: Duration, Doc: "Lifetime of access tokens, used when the server does not say."},
	{Name: "refresh", Kind: Duration, Doc: "Lifetime of the refresh token: when a new consent will be due."},
	{Name: "refresh_before", Kind: Duration, Doc: "The margin before its expiry in which an access token counts as expired."},
}}

var variableSpec = &Spec{
	Attrs: []Attr{
		{Name: "type", Kind: Static, Doc: "A type constraint: string, number, bool, list(…), set(…), map(…), object({…}), tuple([…]) or any.", Default: "any"},
		{Name: "default", Kind: Static, Doc: "The value if none is given; without it one has to be given."},
		{Name: "description", Kind: String, Doc: "For people; shown when the value is asked for."},
		{Name: "sensitive", Kind: Bool, Doc: "Values are never shown.", Default: "false"},
		{Name: "ephemeral", Kind: Bool, Doc: "The value is for this run only: it may not be used where it would be stored, and is in no saved plan.", Default: "false"},
		{Name: "nullable", Kind: Bool, Doc: "Whether the value may be null.", Default: "true"},
	},
	Blocks: []Nested{
		{Type: "validation", Spec: validationSpec, Doc: "A rule for the value."},
	},
}

var validationSpec = &Spec{Attrs: []Attr{
	{Name: "condition", Kind: Static, Required: true, Doc: "An expression that refers to var.NAME and is true for valid values."},
	{Name: "error_message", Kind: Static, Required: true, Doc: "What to tell a person if it is not."},
}}

var outputSpec = &Spec{hints: outputHints, Attrs: []Attr{
	{Name: "value", Kind: Any, Required: true, Doc: "The value."},
	{Name: "description", Kind: String, Doc: "For people."},
	{Name: "sensitive", Kind: Bool, Doc: "The value is shown only on request; required if it comes from something sensitive.", Default: "false"},
	{Name: "depends_on", Kind: Static, Doc: "Connections that have to be applied first although the value does not refer to them."},
}, Blocks: []Nested{
	{Type: "precondition", Spec: ruleSpec, Doc: "Has to hold for the value to be shown; an error if it does not."},
}}

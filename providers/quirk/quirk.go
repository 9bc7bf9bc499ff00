// Package quirk makes strange servers look standard.
//
// A quirk is a named behaviour. It may sit between a flow and the network as an
// [http.RoundTripper] ([Wrap]) and change what a server wants to hear on the way
// out, or what it answered on the way in, so that the protocol code above stays
// plain RFC 6749. It may check and change what a connection asks for before
// anything is sent ([Prepare]), and find endpoints in a way of its own
// ([Locate]). Presets name the quirks they need.
//
// Round trippers touch only POST requests and their answers: token, device and
// revocation endpoints. Bodies are held as long as one call and no longer, are
// capped at 1 MiB, and are never logged.
//
// The package does not know presets, grants, or which server needs what.
package quirk

import (
	"context"
	"net/http"
	"slices"
)

// maxBody is the size of the largest body that is looked into.
const maxBody = 1 << 20

// quirk is one row of the table.
type quirk struct {
	name string
	doc  string
	// Each may be nil.
	wrap    func(next http.RoundTripper) http.RoundTripper
	words   func(description string) string
	prepare func(*Draft) []Finding
	locate  func(context.Context, *http.Client, *Endpoints) error
	// each: revoking a token ends that token only, and not those of its grant.
	each bool
}

// table holds every quirk, sorted by name. To add one, write its function and its row.
var table = []quirk{
	{name: "aadsts", doc: "Takes trace identifiers and time out of an error's description, and keeps the AADSTS code in front.", wrap: answers(aadsts), words: aadstsWords},
	{name: "accept_json", doc: "Asks for a JSON answer, where the server would otherwise send form data.", wrap: acceptJSON},
	{name: "account_scopes", doc: "Asks for the scopes openid and profile, visibly, where an account is declared: without them nothing says who signed in.", prepare: accountScopes},
	{name: "authed_user", doc: "Takes the user's token out of the member authed_user if the answer has no other.", wrap: answers(authedUser)},
	{name: "catch_all_401", doc: "Takes a 401 server_error, which some servers answer to every refused token request, for the refusal that it is, and not for a failure that passes.", wrap: answers(catchAll401)},
	{name: "epoch_lifetime", doc: "Reads the life of a token from not_before and expires_on where expires_in is missing.", wrap: answers(epochLifetime)},
	{name: "error_in_200", doc: "Turns an error that came with status 200 into a 400.", wrap: answers(errorIn200)},
	{name: "error_names", doc: "Gives the server's own error codes their names in RFC 6749 and RFC 8628.", wrap: answers(errorNames)},
	{name: "first_redirect", doc: "Wants a redirect URI that is declared letter by letter, since the server sends what does not match to the first registered one, without a word.", prepare: firstRedirect},
	{name: "json_request", doc: "Sends the request as JSON instead of form data.", wrap: jsonRequest},
	{name: "no_state", doc: "Sends no state, since the server does not hand one back: an answer counts only at its redirect URI, for the one sign-in that is open, within 5 minutes.", prepare: noState},
	{name: "notion_version", doc: "Adds the header Notion-Version.", wrap: header("Notion-Version", "2022-06-28")},
	{name: "optional_refresh", doc: "Says in the plan that a client without a secret may get no refresh token.", prepare: optionalRefresh},
	{name: "realm_challenge", doc: "Finds the token endpoint by the realm in the site's 401 challenge and the document of Azure ACS; refuses SharePoint Online, where ACS has ended.", prepare: realmClient, locate: realmChallenge},
	{name: "realm_principals", doc: "Writes client and resource of a token request as principal@realm, with the realm of the token endpoint.", wrap: realmPrincipals},
	{name: "revoke_by_url", doc: "Revokes each token by a GET request with the token in the query, as the server documents it.", wrap: revokeByURL, each: true},
	{name: "scope_aliases", doc: "Checks scopes against SharePoint's table of aliases and rights, and gives them their canonical names.", prepare: realmScopes},
	{name: "scope_list", doc: "Makes a space-delimited string of scopes that came with commas or as an array.", wrap: answers(scopeList)},
	{name: "single_resource", doc: "Refuses scopes that no single token can have: those of several resources, or RESOURCE/.default beside others. A scope without a resource is one of Microsoft Graph.", prepare: singleResource},
	{name: "spa_origin", doc: "For a client that is registered as a single-page application: sends Origin with every token request, refuses a secret, and counts on the 24 hours of its refresh tokens.", prepare: spaOrigin},
	{name: "tenant_rules", doc: "Checks tenant, cloud, grant and redirect URIs against each other, as Microsoft documents them.", prepare: tenantRules},
}

// Names lists the quirks, sorted.
func Names() []string {
	names := make([]string, len(table))
	for i, q := range table {
		names[i] = q.name
	}
	return names
}

// Doc says in one sentence what a quirk does; "" if there is none of that name.
func Doc(name string) string {
	if q := find(name); q != nil {
		return q.doc
	}
	return ""
}

// Wrap puts quirks around next: a request passes them in the order of names, its
// answer in the opposite order. Without names it returns next.
func Wrap(names []string, next http.RoundTripper) (http.RoundTripper, error) {
	for _, name := range slices.Backward(names) {
		q := find(name)
		if q == nil {
			return nil, unknown(name)
		}
		if q.wrap != nil {
			next = q.wrap(next)
		}
	}
	return next, nil
}

// Words is the description of an error, by whatever way it came, in fewer words:
// without what means nothing to people.
func Words(names []string, description string) string {
	for _, name := range names {
		if q := find(name); q != nil && q.words != nil {
			description = q.words(description)
		}
	}
	return description
}

// RevokesEach reports whether revoking a refresh token leaves its access tokens
// alive, against RFC 7009 §2.1: each has to be revoked by itself.
func RevokesEach(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		q := find(name)
		return q != nil && q.each
	})
}

// roundTripper is a function as an [http.RoundTripper].
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Package quirk makes strange token endpoints look standard.
//
// A quirk is a named [http.RoundTripper] that sits between a flow and the
// network: it changes what a server wants to hear on the way out, or what it
// answered on the way in, so that the protocol code above stays plain RFC 6749.
// Presets name the quirks they need; [Wrap] puts them on.
//
// Only POST requests and their answers are touched: token, device and
// revocation endpoints. Bodies are held as long as one call and no longer, are
// capped at 1 MiB, and are never logged.
//
// The package does not know presets, grants, or which server needs what.
package quirk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxBody is the size of the largest body that is looked into.
const maxBody = 1 << 20

// quirk is one row of the table.
type quirk struct {
	name string
	doc  string
	wrap func(next http.RoundTripper) http.RoundTripper
}

// table holds every quirk, sorted by name. To add one, write its function and its row.
var table = []quirk{
	{"accept_json", "Asks for a JSON answer, where the server would otherwise send form data.", acceptJSON},
	{"authed_user", "Takes the user's token out of the member authed_user if the answer has no other.", answers(authedUser)},
	{"error_in_200", "Turns an error that came with status 200 into a 400.", answers(errorIn200)},
	{"error_names", "Gives the server's own error codes their names in RFC 6749 and RFC 8628.", answers(errorNames)},
	{"json_request", "Sends the request as JSON instead of form data.", jsonRequest},
	{"notion_version", "Adds the header Notion-Version.", header("Notion-Version", "2022-06-28")},
	{"scope_list", "Makes a space-delimited string of scopes that came with commas or as an array.", answers(scopeList)},
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
	if i := slices.IndexFunc(table, func(q quirk) bool { return q.name == name }); i >= 0 {
		return table[i].doc
	}
	return ""
}

// Wrap puts quirks around next: a request passes them in the order of names, its
// answer in the opposite order. Without names it returns next.
func Wrap(names []string, next http.RoundTripper) (http.RoundTripper, error) {
	for _, name := range slices.Backward(names) {
		i := slices.IndexFunc(table, func(q quirk) bool { return q.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no quirk %q; known: %s", name, strings.Join(Names(), ", "))
		}
		next = table[i].wrap(next)
	}
	return next, nil
}

// roundTripper is a function as an [http.RoundTripper].
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

package quirk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Draft is a connection on its way to a flow, before anything is sent: what it
// asks for, and how. Behaviours of a server check it and change it.
type Draft struct {
	Name        string            // of the connection, for messages
	Server      string            // title, for messages
	Args        map[string]string // arguments of the preset: tenant, site_url, instance, …
	Grant       string            // "authorization_code", …
	Interactive bool

	ClientID        string
	ClientAuth      string // pinned method
	HasSecret       bool
	ApplicationType string // "", "web", "native", "spa"
	Account         string // that shall sign in; "" anybody

	Scopes           []string          // to ask for, in order
	Added            []string          // of these, what rules added: the plan shows them
	ScopeNames       map[string]string // what the server calls some of them, to be shown beside them
	RedirectURI      string            // chosen; "" if the grant has none
	RedirectDeclared bool              // it stands in the configuration
	Paste            bool              // the answer is pasted by a person
	Authorize        map[string]string // further parameters of the authorization request
	Token            map[string]string // further parameters of every token request
	Resource         []string          // RFC 8707

	NoState      bool          // the server does not hand state back
	Origin       string        // to send with every token call
	Refresh      time.Duration // lifetime of refresh tokens; 0: not known
	RefreshFixed bool          // use does not extend it
	Silence      string        // what to look at when nobody answers, one sentence
	Hosts        []string      // further hosts that will be spoken to
	Notes        []string      // to say in the plan, one sentence each

	// Unknown lists attributes of the connection that wait for another one;
	// behaviours leave them alone.
	Unknown []string
}

// Knows reports whether an attribute has its value.
func (d *Draft) Knows(attr string) bool { return !slices.Contains(d.Unknown, attr) }

// Finding is something wrong with a Draft.
type Finding struct {
	Attr            string // of the connection, or an argument of the preset; "" the connection itself
	Warning         bool
	Summary, Detail string // in the style of diagnostics: short, then what to do
}

// Errorf is a Finding that stops.
func Errorf(attr, summary, format string, args ...any) Finding {
	return Finding{Attr: attr, Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// Warnf is a Finding that does not stop.
func Warnf(attr, summary, format string, args ...any) Finding {
	return Finding{Attr: attr, Warning: true, Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// Prepare lets the behaviours of a server check and change a draft, in the order of names.
func Prepare(names []string, d *Draft) []Finding {
	var out []Finding
	for _, name := range names {
		if q := find(name); q != nil && q.prepare != nil {
			out = append(out, q.prepare(d)...)
		}
	}
	return out
}

// Endpoints are the addresses of a server that a behaviour finds out by asking
// it in a way of its own.
type Endpoints struct {
	Args          map[string]string // arguments of the preset
	Authorization string
	Token         string
}

// Locate lets the behaviours of a server find endpoints that are not known
// before, such as a SharePoint farm's realm. client keeps the rules of all
// requests. It does nothing for servers whose endpoints are data.
func Locate(ctx context.Context, names []string, client *http.Client, e *Endpoints) error {
	for _, name := range names {
		if q := find(name); q != nil && q.locate != nil {
			if err := q.locate(ctx, client, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Locates reports whether one of the behaviours finds endpoints.
func Locates(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		q := find(name)
		return q != nil && q.locate != nil
	})
}

func find(name string) *quirk {
	if i := slices.IndexFunc(table, func(q quirk) bool { return q.name == name }); i >= 0 {
		return &table[i]
	}
	return nil
}

func unknown(name string) error {
	return fmt.Errorf("there is no quirk %q; known: %s", name, strings.Join(Names(), ", "))
}

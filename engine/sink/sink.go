// Package sink publishes values to the places where jobs look for them: one
// file a kind of place.
//
// A [Type] describes the blocks of one kind; its New turns a decoded block into
// a [Target], which writes values. Publishing the same values again is harmless.
//
// The package does not know where values come from, the state, when something
// has to be published, printing, or the environment.
package sink

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Env is what publishing gets from outside.
type Env struct {
	HTTP *http.Client // follows no redirects, caps bodies, keeps deadlines: see grant.NewHTTPClient
	// Client makes a client like HTTP for a server that is known by authorities, a
	// name, or a client certificate of its own. Whoever asks closes its idle connections.
	Client func(*tls.Config) *http.Client
	Now    func() time.Time
	Rand   io.Reader // nil: crypto/rand
	// ReadFile reads a small file outside the configuration, and LookupEnv the
	// environment: how a target finds credentials that the platform lays out. A
	// relative name is relative to the configuration.
	ReadFile  func(name string) ([]byte, error)
	LookupEnv func(name string) (string, bool)
	// ReadOwn, WriteFile and RemoveFile work on the files that values are written
	// to; a relative name is relative to the configuration. WriteFile replaces a
	// whole file at once, so that only its owner can read it, and follows no
	// symbolic link; to remove a file that is not there is no error.
	ReadOwn    func(name string) ([]byte, error)
	WriteFile  func(name string, text []byte) error
	RemoveFile func(name string) error
	// Run runs a program by the name that the user's own settings give it, with
	// input on its standard input. Its error says what the program said.
	Run func(ctx context.Context, program string, input []byte) error
}

// Type is one kind of place.
type Type struct {
	Name string // "github_actions"
	Doc  string
	Spec *schema.Spec // without "secrets", which every sink has
	// New makes a target from the settings of a block. It makes no request. While
	// a plan is made, Sensitive attributes may be unknown: what they are is for
	// Publish to look at.
	New    func(o *schema.Object) (Target, hcl.Diagnostics)
	Whole  bool // a place is one sink's as a whole, whatever the names
	Opaque bool // what becomes of a name nobody knows
}

// Value is one named value to publish.
type Value struct {
	Name   string
	Secret secret.Secret
}

// Target is one place.
type Target interface {
	// Place names the place in one line, for plans and errors; nothing in it is secret.
	Place() string
	// Hosts are the hosts that are spoken to, sorted, as far as they can be told
	// without speaking to any; none for places on this machine.
	Hosts(env Env) []string
	// Check says of the names that the place would refuse them, before anything is sent.
	Check(names []string) error
	// Publish writes the values, sorted by name, replacing what is there. What
	// else the place holds stays, unless the place documents otherwise. An error
	// is an *Error and says which of the values may have been written.
	Publish(ctx context.Context, env Env, values []Value) error
	// Remove takes the named values away; that they are not there is no error.
	Remove(ctx context.Context, env Env, names []string) error
}

// Package engine knows time and order: it plans, applies, hands out and
// refreshes tokens, and revokes.
//
// Its rule for every token: received, sealed, written, and only then used or
// printed. Commands call the methods of [Engine] and show the [Event]s.
//
// The package does not know flags, the screen, the environment, or exit codes.
package engine

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/state"
)

// Options of an Engine. Everything from outside comes through here.
type Options struct {
	Store     *state.Store
	Catalog   *providers.Catalog // where only the state is worked with, it explains errors, and may be nil
	HTTP      *http.Client
	User      grant.User // nil: nobody is here
	NoBrowser bool       // no browser can be opened here: see grant.Env
	Now       func() time.Time
	Rand      io.Reader
	ReadFile  func(name string) ([]byte, error) // tokens with which clients authenticate: see grant.Env
	LookupEnv func(name string) (string, bool)  // likewise
	// Publish is what publishing gets from outside besides HTTP, Now and Rand.
	// PublishNothing only notes what would have been published: for the sandbox.
	Publish        sink.Env
	PublishNothing bool
	// Recipients are those that the state is to be sealed for; nil: those that it is sealed for.
	Recipients []string
	// WriteBack: the state came from where a sink publishes it, and what is written
	// is kept nowhere else. So that place is proven before anything is spent there
	// is no second copy of, and what is due is renewed to be published.
	WriteBack   bool
	Parallelism int           // 0: 10
	LockTimeout time.Duration // 0: 10 s
	NoLock      bool          // apply takes no locks; what may be sent once only is still refreshed under its lock
	Carry       Carry         // nil: this process refreshes by itself
	Rescuer     Rescuer       // nil: no emergency copies are made or looked for
	OnEvent     func(Event)   // called from one goroutine at a time; nil: nobody listens
	PID         int           // of this process and the name of its machine: whoever finds
	Host        string        // an unfinished refresh is told who began it
}

// Engine does the work of all commands. Its methods may be called from many
// goroutines.
type Engine struct {
	o      Options
	events sync.Mutex
}

// New returns an Engine.
func New(o Options) *Engine {
	if o.Parallelism <= 0 {
		o.Parallelism = 10
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 10 * time.Second
	}
	return &Engine{o: o}
}

func (e *Engine) now() time.Time { return e.o.Now() }

// env is what the flows get from outside.
func (e *Engine) env() grant.Env {
	env := grant.Env{HTTP: e.o.HTTP, User: e.o.User, NoBrowser: e.o.NoBrowser, Now: e.o.Now, Rand: e.o.Rand,
		ReadFile: e.o.ReadFile, LookupEnv: e.o.LookupEnv}
	if e.o.Catalog != nil {
		env.Preset = e.o.Catalog.Named
	}
	return env
}

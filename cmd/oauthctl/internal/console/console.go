// Package console is the person at the terminal: it opens the browser, shows a
// code, asks and confirms.
//
// What needs a person goes to the terminal (or stderr); stdout is never touched.
// The package does not know flows, connections' contents, or exit codes.
package console

import (
	"context"
	"io"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Options of a Console.
type Options struct {
	In          io.Reader
	Out         io.Writer // where the person reads: stderr
	Interactive bool      // In and Out are a terminal: live countdown, prompts
	Color, Dark bool
	Width       int
	Now         func() time.Time
	// OpenBrowser opens a URL that has been checked, as one argv element, or says why it cannot.
	OpenBrowser func(ctx context.Context, url string) error
}

// Console implements grant.User.
type Console struct{}

var _ grant.User = (*Console)(nil)

// New returns a Console.
func New(o Options) *Console { panic("contract") }

// Confirm asks a question that only "yes" answers with true.
func (c *Console) Confirm(ctx context.Context, question string) (bool, error) { panic("contract") }

// Ask asks for one line; hidden does not echo it.
func (c *Console) Ask(ctx context.Context, prompt string, hidden bool) (string, error) {
	panic("contract")
}

// Open implements grant.User.
func (c *Console) Open(ctx context.Context, v grant.Visit) (func(), error) { panic("contract") }

// Code implements grant.User.
func (c *Console) Code(ctx context.Context, d grant.DeviceCode) (func(), error) { panic("contract") }

// Paste implements grant.User.
func (c *Console) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) { panic("contract") }

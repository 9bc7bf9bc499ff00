// Package console is the person at the terminal: it opens the browser, shows a
// code, asks and confirms.
//
// What needs a person goes to the terminal (or stderr); stdout is never touched.
// While somebody is waited for, one live line at the bottom shows the time left;
// everything else that is printed meanwhile goes through [Console.Wrap].
//
// The package does not know flows, connections' contents, or exit codes.
package console

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/grant"
)

// Options of a Console.
type Options struct {
	In          io.Reader
	Out         io.Writer // where the person reads: stderr
	Interactive bool      // In and Out are a terminal: live countdown, prompts
	Color, Dark bool
	Width       int // columns; 0: 80
	Height      int // lines; 0: nobody knows
	Now         func() time.Time
	// OpenBrowser opens a URL that has been checked, as one argv element, or says
	// why it cannot. It should return when the program has been started. Nil:
	// there is no browser here.
	OpenBrowser func(ctx context.Context, url string) error
}

// Console implements grant.User.
type Console struct {
	o     Options
	theme view.Theme

	mu      sync.Mutex // guards Out and what follows
	lives   []*live    // the last one is on the screen
	drawn   int        // columns of the live line on the screen
	mid     bool       // the last write ended within a line
	restore func()     // gives the terminal back, while keys are read
	ahead   []byte     // typed behind the last answer, for the next question

	in *lines // In, if it is no terminal
}

var _ grant.User = (*Console)(nil)

// New returns a Console.
func New(o Options) *Console {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Console{o: o, theme: view.NewTheme(o.Color, o.Dark), in: &lines{r: o.In}}
}

// Confirm asks a question that only "yes" answers with true.
func (c *Console) Confirm(ctx context.Context, question string) (bool, error) {
	c.print(func(s *screen) {
		s.line()
		s.text(0, s.Strong, view.SafeText(question))
		s.text(2, view.Paint{}, "Only 'yes' will be accepted to approve.")
		s.line()
	})
	answer, err := c.read(ctx, prompt{label: "  " + c.theme.Strong.On("Enter a value:") + " ", echo: true})
	if err != nil {
		return false, err
	}
	return strings.TrimSpace(answer) == "yes", nil
}

// Ask asks for one line; hidden does not echo it.
func (c *Console) Ask(ctx context.Context, question string, hidden bool) (string, error) {
	label := view.Safe(strings.TrimRight(question, ": ")) + ": "
	return c.read(ctx, prompt{label: c.theme.Strong.On(label), echo: !hidden})
}

// Line reads one line behind a prompt; ErrNoInput if there are no more.
func (c *Console) Line(ctx context.Context, label string) (string, error) {
	return c.read(ctx, prompt{label: c.theme.Strong.On(view.Safe(label)), echo: true})
}

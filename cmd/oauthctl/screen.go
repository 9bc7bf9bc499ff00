package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/console"
	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// newView returns the view of a command: for a person or, with -json, for a
// program. stream is for commands that report while they work.
func (c *cli) newView(json, stream bool) view.View {
	if json {
		return view.NewJSON(c.viewOptions(stream))
	}
	return view.NewHuman(c.viewOptions(stream))
}

func (c *cli) viewOptions(stream bool) view.Options {
	person := c.console()
	return view.Options{
		Out: person.Wrap(&c.out), Err: person.Wrap(c.Stderr),
		Color:   c.wantColor(c.Stdout) && c.wantColor(c.Stderr),
		Dark:    c.dark(),
		Width:   c.width(c.Stdout),
		Now:     c.Now,
		Version: version,
		Sandbox: c.sandbox,
		Stream:  stream,
		Flags:   c.again(),
		Live:    isTerminal(c.Stderr),
	}
}

// console is the person at this terminal. There is one: what is printed while
// they are waited for goes through it.
func (c *cli) console() *console.Console {
	if c.person != nil {
		return c.person
	}
	o := console.Options{
		In: c.Stdin, Out: c.Stderr,
		Interactive: isTerminal(c.Stdin) && isTerminal(c.Stderr),
		Color:       c.wantColor(c.Stderr),
		Dark:        c.dark(),
		Width:       c.width(c.Stderr),
		Height:      height(c.Stderr),
		Now:         c.Now,
	}
	if c.hasBrowser() {
		o.OpenBrowser = c.openBrowser
	}
	c.person = console.New(o)
	if c.AtKill != nil {
		c.AtKill(c.person.Close)
	}
	return c.person
}

// results is stdout; it remembers that a write failed, so that a command whose
// result nobody got does not end with 0.
type results struct {
	io.Writer
	err error
}

// Write implements [io.Writer].
func (r *results) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n, err
}

// unread reports whether err is no more than that the reader of stdout went away,
// as head does when it has seen enough: nobody has to be told. A command to which
// it matters, such as token, says what it was that nobody read.
func (r *results) unread(err error) bool {
	return errors.Is(r.err, syscall.EPIPE) && err.Error() == r.err.Error()
}

// wantColor follows -no-color, NO_COLOR (no-color.org), FORCE_COLOR, TERM, and
// whether anybody sees it.
func (c *cli) wantColor(w io.Writer) bool {
	switch {
	case c.noColor, c.env("NO_COLOR") != "":
		return false
	case c.env("FORCE_COLOR") != "":
		return true
	case c.env("TERM") == "dumb":
		return false
	}
	return isTerminal(w)
}

// dark guesses the background from COLORFGBG: asking the terminal would hang
// on some, and mix with what a person types.
func (c *cli) dark() bool {
	parts := strings.Split(c.env("COLORFGBG"), ";")
	background, err := strconv.Atoi(parts[len(parts)-1])
	return err != nil || background < 7 || background == 8
}

func (c *cli) width(w io.Writer) int {
	if n, err := strconv.Atoi(c.env("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// height is the number of lines of a terminal, 0 if nobody knows.
func height(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if _, n, err := term.GetSize(int(f.Fd())); err == nil {
			return max(n, 0)
		}
	}
	return 0
}

func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// canAsk reports whether somebody is here to answer: not with -input=false, not
// in CI, and only on a terminal. -input=true insists where CI says no.
func (c *cli) canAsk(in *inputFlags) bool {
	switch {
	case in.set && !in.input:
		return false
	case in.set:
		return true
	case c.inCI():
		return false
	}
	return isTerminal(c.Stdin)
}

// canConsent reports whether somebody may be here to consent: on a terminal, or
// where a browser can be opened.
func (c *cli) canConsent(in *inputFlags) bool {
	if in.set || c.inCI() {
		return c.canAsk(in)
	}
	return isTerminal(c.Stdin) || isTerminal(c.Stderr) || c.hasBrowser()
}

// canPaste reports whether an answer to this machine should be asked for as
// well as waited for: no browser runs here, and somebody can type.
func (c *cli) canPaste(in *inputFlags) bool { return !c.hasBrowser() && c.canAsk(in) }

func (c *cli) hasBrowser() bool { return c.noBrowser() == "" }

func (c *cli) inCI() bool {
	ci := c.env("CI")
	return ci != "" && ci != "false" && ci != "0"
}

package console

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// screen collects what is printed at once.
type screen struct {
	view.Theme
	buf   bytes.Buffer
	width int
}

func (s *screen) line(parts ...string) {
	for _, p := range parts {
		s.buf.WriteString(p)
	}
	s.buf.WriteByte('\n')
}

// text writes wrapped text behind indent columns.
func (s *screen) text(indent int, paint view.Paint, text string) {
	for _, l := range view.Wrap(text, max(min(s.width, 100)-indent, 20)) {
		s.line(strings.Repeat(" ", indent), paint.On(l))
	}
}

// print writes a whole block above the live line.
func (c *Console) print(f func(s *screen)) {
	s := &screen{Theme: c.theme, width: c.o.Width}
	f(s)
	_, _ = c.Wrap(c.o.Out).Write(s.buf.Bytes())
}

// Wrap returns a writer for everything else that goes to the terminal while
// somebody is waited for: it takes the live line away, writes to w, and puts
// the line back when the text has ended its own.
func (c *Console) Wrap(w io.Writer) io.Writer { return &wrapped{c, w} }

type wrapped struct {
	c *Console
	w io.Writer
}

func (w *wrapped) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	w.c.clear()
	n, err := w.w.Write(b)
	w.c.mid = b[len(b)-1] != '\n'
	w.c.draw()
	return n, err
}

// live is a line that is rewritten until it is done.
type live struct {
	render func(width int) string // without colours
	paint  view.Paint
}

// clear takes the live line from the screen. It uses spaces and carriage
// returns only, which every terminal knows.
func (c *Console) clear() {
	if c.drawn > 0 {
		// A key pressed meanwhile has been echoed behind it: "^C".
		n := max(min(c.drawn+4, c.o.Width-1), c.drawn)
		_, _ = io.WriteString(c.o.Out, "\r"+strings.Repeat(" ", n)+"\r")
		c.drawn = 0
	}
}

// draw puts the newest live line on the screen.
func (c *Console) draw() {
	if len(c.lives) == 0 || c.mid {
		return
	}
	l := c.lives[len(c.lives)-1]
	text := l.render(c.o.Width - 1)
	fill := max(c.drawn-view.Width(text), 0)
	_, _ = io.WriteString(c.o.Out, "\r"+l.paint.On(text)+strings.Repeat(" ", fill)+strings.Repeat("\b", fill))
	c.drawn = view.Width(text)
}

// show puts up a live line that is drawn again every second until the context
// ends or done is called; done may be called twice.
func (c *Console) show(ctx context.Context, l *live) (done func()) {
	c.mu.Lock()
	c.lives = append(c.lives, l)
	c.clear()
	c.draw()
	c.mu.Unlock()

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				c.mu.Lock()
				c.draw()
				c.mu.Unlock()
			case <-ctx.Done():
				c.remove(l)
				return
			case <-stop:
				c.remove(l)
				return
			}
		}
	}()
	var once sync.Once
	return func() {
		once.Do(func() { close(stop) })
		<-stopped
	}
}

// remove takes a live line away and shows the one before it.
func (c *Console) remove(l *live) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	c.drop(l)
	c.draw()
}

// drop takes a live line off the list.
func (c *Console) drop(l *live) {
	c.lives = slices.DeleteFunc(c.lives, func(have *live) bool { return have == l })
}

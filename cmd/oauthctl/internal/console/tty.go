package console

import (
	"context"
	"io"
	"os"
	"slices"
	"time"
)

// readTerminal reads one line key by key. The terminal's own line mode would
// cut a pasted URL at 4096 bytes, echo the code in it, and not let go when the
// context ends.
func (c *Console) readTerminal(ctx context.Context, f *os.File, p prompt) (string, error) {
	restore, again, err := keyMode(f)
	if err != nil {
		return "", err
	}
	var e editor
	l := &live{render: func(width int) string { return c.promptLine(p, &e, width) }}
	c.mu.Lock()
	c.restore = restore
	c.clear()
	if p.fresh {
		c.ahead = nil
	}
	if c.o.Interactive {
		c.lives = append(c.lives, l)
		c.draw()
	} else { // the keys come from a terminal, and the question goes elsewhere: once
		_, _ = io.WriteString(c.o.Out, p.label)
		c.mid = true
	}
	c.mu.Unlock()

	err = c.keys(ctx, f, &e, again, !p.until.IsZero())
	c.leave(l)
	if err != nil {
		return "", err
	}
	return string(e.text), nil
}

// keys feeds the editor until the line is complete: first what has been typed
// ahead, then what is typed.
func (c *Console) keys(ctx context.Context, f *os.File, e *editor, again func() bool, ticks bool) error {
	buf := make([]byte, 4096)
	drawn := c.o.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.mu.Lock()
		typed := c.ahead
		c.ahead = nil
		if c.restore != nil && again() {
			c.draw() // below what the shell has written
		}
		c.mu.Unlock()
		if len(typed) == 0 {
			n, err := readKeys(ctx, f, buf)
			if err != nil {
				return err
			}
			typed = buf[:n]
		}
		c.mu.Lock()
		rest, done, err := e.keys(typed)
		c.ahead = slices.Clone(rest)
		if now := c.o.Now(); len(typed) > 0 || ticks && now.Sub(drawn) >= time.Second {
			c.draw()
			drawn = now
		}
		c.mu.Unlock()
		if done || err != nil {
			return err
		}
	}
}

// leave gives the terminal back, leaves the answered prompt on the screen, and
// goes to the next line.
func (c *Console) leave(l *live) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveBack()
	c.draw()
	_, _ = io.WriteString(c.o.Out, "\n")
	c.drawn, c.mid = 0, false
	c.drop(l)
	c.draw()
}

// giveBack restores the terminal's mode.
func (c *Console) giveBack() {
	if c.restore != nil {
		c.restore()
		c.restore = nil
	}
}

// Close takes the live line away and gives the terminal back as it was. Call it
// before a process ends without waiting for what it does.
func (c *Console) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	c.lives = nil
	c.giveBack()
}

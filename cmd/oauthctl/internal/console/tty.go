package console

import (
	"context"
	"io"
	"os"
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// readTerminal reads one line key by key. The terminal's own line mode would
// cut a pasted URL at 4096 bytes, echo the code in it, and not let go when the
// context ends.
func (c *Console) readTerminal(ctx context.Context, f *os.File, p prompt) (string, error) {
	restore, err := keyMode(f)
	if err != nil {
		return "", err
	}
	defer restore()

	var e editor
	l := &live{render: func(width int) string { return c.promptLine(p, &e, width) }}
	c.mu.Lock()
	c.lives = append(c.lives, l)
	c.clear()
	c.draw()
	c.mu.Unlock()
	err = c.keys(ctx, f, &e)
	c.leave(l)
	if err != nil {
		return "", err
	}
	return string(e.text), nil
}

// keys feeds the editor until the line is complete.
func (c *Console) keys(ctx context.Context, f *os.File, e *editor) error {
	buf := make([]byte, 4096)
	drawn := time.Time{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Read(buf) // returns within a tenth of a second
		if err != nil && err != io.EOF {
			return err
		}
		c.mu.Lock()
		for _, b := range buf[:n] {
			done, err := e.key(b)
			if done || err != nil {
				c.mu.Unlock()
				return err
			}
		}
		if now := time.Now(); n > 0 || now.Sub(drawn) >= time.Second {
			c.draw()
			drawn = now
		}
		c.mu.Unlock()
	}
}

// leave leaves the answered prompt on the screen and goes to the next line.
func (c *Console) leave(l *live) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, have := range c.lives {
		if have == l {
			c.draw()
			_, _ = io.WriteString(c.o.Out, "\n")
			c.drawn = 0
			c.lives = append(c.lives[:i:i], c.lives[i+1:]...)
			c.draw()
			return
		}
	}
}

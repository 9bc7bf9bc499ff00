package console

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// ErrNoInput says that the input ended without an answer.
var ErrNoInput = errors.New("the input ended without an answer")

// A line longer than this is not an answer.
const maxLine = 64 << 10

// prompt is one question.
type prompt struct {
	label string
	echo  bool      // show what is typed; else only how much
	until time.Time // show the time left; zero: no end
	fresh bool      // what was typed before the question is no answer to it
}

// read shows the prompt and reads one line. The context ends it at once.
func (c *Console) read(ctx context.Context, p prompt) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if f, ok := c.o.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return c.readTerminal(ctx, f, p)
	}
	c.mu.Lock()
	c.clear()
	_, _ = io.WriteString(c.o.Out, p.label)
	c.mid = true
	c.mu.Unlock()
	text, err := c.in.next(ctx)
	c.mu.Lock()
	_, _ = io.WriteString(c.o.Out, "\n")
	c.mid = false
	c.draw()
	c.mu.Unlock()
	return text, err
}

// lines reads lines from something that is no terminal. A blocked read cannot
// be taken back, so one goroutine reads ahead; it ends with the input.
type lines struct {
	r    io.Reader
	once sync.Once
	ch   chan string
}

func (l *lines) next(ctx context.Context) (string, error) {
	if l.r == nil {
		return "", ErrNoInput
	}
	l.once.Do(func() {
		l.ch = make(chan string)
		go l.pump()
	})
	select {
	case s, ok := <-l.ch:
		if !ok {
			return "", ErrNoInput
		}
		return s, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (l *lines) pump() {
	defer close(l.ch)
	sc := bufio.NewScanner(l.r)
	sc.Buffer(nil, maxLine)
	for sc.Scan() {
		l.ch <- strings.TrimSuffix(sc.Text(), "\r")
	}
}

// editor collects the keys of one line.
type editor struct {
	text   []byte
	escape int // within an escape sequence: 1 after ESC, 2 after ESC [
}

// keys takes what has been typed; done says that the line is complete, and rest
// is what follows it: the answer to the next question.
func (e *editor) keys(typed []byte) (rest []byte, done bool, err error) {
	for i, b := range typed {
		if done, err = e.key(b); done || err != nil {
			return typed[i+1:], done, err
		}
	}
	return nil, false, nil
}

// key takes one byte; done says that the line is complete.
func (e *editor) key(b byte) (done bool, err error) {
	if e.escape > 0 {
		e.sequence(b)
		return false, nil
	}
	switch b {
	case '\r', '\n':
		return true, nil
	case 0x03:
		return false, context.Canceled // where the terminal makes no signal of it
	case 0x04: // Ctrl-D
		if len(e.text) == 0 {
			return false, ErrNoInput
		}
	case 0x08, 0x7f: // backspace
		_, n := utf8.DecodeLastRune(e.text)
		e.text = e.text[:len(e.text)-n]
	case 0x15: // Ctrl-U
		e.text = e.text[:0]
	case 0x17: // Ctrl-W
		s := strings.TrimRight(string(e.text), " ")
		e.text = e.text[:strings.LastIndexByte(s, ' ')+1]
	case 0x1b:
		e.escape = 1
	default:
		if b >= ' ' && len(e.text) < maxLine {
			e.text = append(e.text, b)
		}
	}
	return false, nil
}

// sequence swallows arrow keys and the marks of a bracketed paste.
func (e *editor) sequence(b byte) {
	switch {
	case e.escape == 1 && (b == '[' || b == 'O'):
		e.escape = 2
	case e.escape == 2 && b < 0x40:
	default:
		e.escape = 0
	}
}

// promptLine is how the prompt looks now.
func (c *Console) promptLine(p prompt, e *editor, width int) string {
	shown := ""
	switch n := utf8.RuneCount(e.text); {
	case p.echo:
		shown = view.Safe(string(e.text))
	case n > 0:
		shown = "(" + plural(n) + ")"
	}
	if !p.until.IsZero() {
		left := clock(p.until.Sub(c.o.Now())) + " left"
		if shown == "" {
			shown = c.theme.Dim.On("(" + left + ") ")
		}
	}
	// The end of a long line stays in sight.
	for view.Width(p.label)+view.Width(shown) > width && shown != "" {
		_, n := utf8.DecodeRuneInString(shown)
		shown = shown[n:]
	}
	return p.label + shown
}

func plural(n int) string {
	if n == 1 {
		return "1 character"
	}
	return strconv.Itoa(n) + " characters"
}

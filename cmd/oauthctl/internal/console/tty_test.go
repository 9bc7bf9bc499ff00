//go:build unix

package console

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// watched collects what the program writes to its terminal.
type watched struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// openTerminal returns a terminal and the keyboard at its other end. What the
// terminal itself echoes goes to echo.
func openTerminal(t *testing.T) (keyboard, terminal *os.File, echo *watched) {
	t.Helper()
	keyboard, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close(); _ = terminal.Close() })
	echo = &watched{}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buf)
			_, _ = echo.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return keyboard, terminal, echo
}

func mode(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// waitFor waits until the screen shows text.
func waitFor(t *testing.T, screen *watched, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(screen.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q does not appear in %q", text, screen.String())
}

func TestALongURLIsPastedWhole(t *testing.T) {
	keyboard, tty, echo := openTerminal(t)
	before := mode(t, tty)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	long := "https://contoso.example/accept?code=" + strings.Repeat("0123456789", 1200)
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		s, err := c.Paste(context.Background(), visit(time.Now().Add(time.Minute)))
		got <- answer{s.Reveal(), err}
	}()
	waitFor(t, &screen, "Address:")
	for s := range strings.SplitSeq(long, "&") {
		if _, err := keyboard.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, &screen, "characters")
	if _, err := keyboard.WriteString("\r"); err != nil {
		t.Fatal(err)
	}
	a := <-got
	if a.err != nil || a.text != long {
		t.Fatalf("pasted %d bytes, got %d, %v", len(long), len(a.text), a.err)
	}
	if strings.Contains(screen.String()+echo.String(), "0123456789") {
		t.Error("the code is on the screen")
	}
	if after := mode(t, tty); after != before {
		t.Error("the terminal is not as it was")
	}
}

func TestKeysEditTheLine(t *testing.T) {
	for typed, want := range map[string]string{
		"yes\r":                          "yes",
		"noo\x7f\x7f\x7fyes\n":           "yes",
		"wrong\x15yes\r":                 "yes",
		"yes maybe\x17\r":                "yes ",
		"\x1b[200~pasted\x1b[201~\r":     "pasted",
		"\x1b[A\x1bOByes\r":              "yes",
		"küche\x7f\r":                    "küch",
		"a\x01b\r":                       "ab",
		"one\rtwo\r":                     "one",
		strings.Repeat("\x7f", 5) + "\r": "",
	} {
		var e editor
		_, done, err := e.keys([]byte(typed))
		if !done || err != nil || string(e.text) != want {
			t.Errorf("typing %q gives %q, %v, %v; want %q", typed, e.text, done, err, want)
		}
	}
	var e editor
	if _, _, err := e.keys([]byte("\x04")); !errors.Is(err, ErrNoInput) {
		t.Errorf("Ctrl-D on an empty line: %v", err)
	}
	if _, _, err := e.keys([]byte("abc\x03")); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
}

func TestCancelGivesTheTerminalBack(t *testing.T) {
	_, tty, _ := openTerminal(t)
	before := mode(t, tty)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Ask(ctx, "Secret", true)
		failed <- err
	}()
	waitFor(t, &screen, "Secret:")
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("Ask = %v", err)
	}
	if after := mode(t, tty); after != before {
		t.Error("the terminal is not as it was")
	}
}

// Ctrl-Z gives the terminal to the shell, and fg comes back in the shell's mode.
func TestAHiddenAnswerIsNotEchoedAfterAStop(t *testing.T) {
	keyboard, tty, echo := openTerminal(t)
	before := mode(t, tty)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	got := make(chan string, 1)
	go func() {
		s, _ := c.Ask(context.Background(), "Secret", true)
		got <- s
	}()
	waitFor(t, &screen, "Secret:")
	if err := unix.IoctlSetTermios(int(tty.Fd()), setTermios, &before); err != nil {
		t.Fatal(err)
	}
	for i := 0; mode(t, tty).Lflag&(unix.ECHO|unix.ICANON) != 0; i++ {
		if i == 1000 {
			t.Fatal("the terminal stays in the shell's mode")
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, _ = keyboard.WriteString("hunter2\r")
	if s := <-got; s != "hunter2" {
		t.Errorf("answer %q", s)
	}
	if s := screen.String() + echo.String(); strings.Contains(s, "hunter") || strings.Count(s, "Secret:") < 2 {
		t.Errorf("on the screen: %q", s)
	}
	if after := mode(t, tty); after != before {
		t.Error("the terminal is not as it was")
	}
}

func TestCloseGivesTheTerminalBack(t *testing.T) {
	_, tty, _ := openTerminal(t)
	before := mode(t, tty)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = c.Ask(ctx, "Secret", true)
	}()
	waitFor(t, &screen, "Secret:")
	c.Close()
	if after := mode(t, tty); after != before {
		t.Error("the terminal is not as it was")
	}
	cancel()
	<-ended
}

func TestAHiddenAnswerIsNotEchoed(t *testing.T) {
	keyboard, tty, echo := openTerminal(t)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	got := make(chan string, 2)
	go func() {
		hidden, _ := c.Ask(context.Background(), "Secret", true)
		got <- hidden
		shown, _ := c.Ask(context.Background(), "Name", false)
		got <- shown
	}()
	waitFor(t, &screen, "Secret:")
	_, _ = keyboard.WriteString("hunter2\r")
	if s := <-got; s != "hunter2" {
		t.Errorf("hidden answer %q", s)
	}
	waitFor(t, &screen, "Name:")
	_, _ = keyboard.WriteString("alice\r")
	if s := <-got; s != "alice" {
		t.Errorf("answer %q", s)
	}
	if text := screen.String() + echo.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "alice") {
		t.Errorf("the screen is %q", text)
	}
}

// A paste of several lines answers several questions.
func TestWhatIsTypedAheadAnswersTheNextQuestion(t *testing.T) {
	keyboard, tty, _ := openTerminal(t)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	got := make(chan string)
	go func() {
		for range 3 {
			s, _ := c.Ask(context.Background(), "Value", false)
			got <- s
		}
	}()
	waitFor(t, &screen, "Value:")
	_, _ = keyboard.WriteString("one\rtwo\rthr")
	for _, want := range []string{"one", "two"} {
		if s := <-got; s != want {
			t.Errorf("answer %q, want %q", s, want)
		}
	}
	_, _ = keyboard.WriteString("ee\r")
	if s := <-got; s != "three" {
		t.Errorf("answer %q, want three", s)
	}
}

// What was pasted wrongly is not tried line by line.
func TestAProblemIsToldAndAsksForSomethingNew(t *testing.T) {
	keyboard, tty, _ := openTerminal(t)
	var screen watched
	c := New(Options{In: tty, Out: &screen, Interactive: true, Now: time.Now})
	got := make(chan string)
	ask := func(problem string) {
		v := visit(time.Now().Add(time.Minute))
		v.Problem = problem
		s, _ := c.Paste(context.Background(), v)
		got <- s.Reveal()
	}
	go ask("")
	waitFor(t, &screen, "Address:")
	_, _ = keyboard.WriteString("half a\rpage\r")
	if s := <-got; s != "half a" {
		t.Errorf("pasted %q", s)
	}
	go ask("it is another page")
	waitFor(t, &screen, "it is another page")
	_, _ = keyboard.WriteString("the page\r")
	if s := <-got; s != "the page" {
		t.Errorf("pasted %q", s)
	}
	if n := strings.Count(screen.String(), "https://login.example"); n != 1 {
		t.Errorf("the page is shown %d times", n)
	}
}

// Where the questions go into a file, they stand there once.
func TestThePromptIsWrittenOnceWhereNobodyRewritesIt(t *testing.T) {
	keyboard, tty, _ := openTerminal(t)
	var log watched
	c := New(Options{In: tty, Out: &log, Now: time.Now})
	got := make(chan string)
	go func() {
		s, _ := c.Ask(context.Background(), "Name", false)
		got <- s
	}()
	waitFor(t, &log, "Name:")
	for _, key := range []string{"a", "l", "i", "\r"} {
		_, _ = keyboard.WriteString(key)
	}
	if s := <-got; s != "ali" {
		t.Errorf("answer %q", s)
	}
	if text := log.String(); text != "Name: \n" {
		t.Errorf("the log is %q", text)
	}
}

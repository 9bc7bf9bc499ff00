package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// terminal is what a person sees: it obeys line feeds, carriage returns and
// backspaces, and keeps all that was written.
type terminal struct {
	mu    sync.Mutex
	raw   strings.Builder
	lines []string
	line  []rune
	col   int
}

func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.raw.Write(b)
	for _, r := range string(b) {
		switch r {
		case '\n':
			t.lines = append(t.lines, strings.TrimRight(string(t.line), " "))
			t.line, t.col = nil, 0
		case '\r':
			t.col = 0
		case '\b':
			t.col = max(t.col-1, 0)
		default:
			for len(t.line) <= t.col {
				t.line = append(t.line, ' ')
			}
			t.line[t.col] = r
			t.col++
		}
	}
	return len(b), nil
}

// screen is what can be read now; last is the line that the cursor is in.
func (t *terminal) screen() (above []string, last string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...), strings.TrimRight(string(t.line), " ")
}

func (t *terminal) text() string {
	above, last := t.screen()
	return strings.Join(append(above, last), "\n")
}

const longURL = "https://login.example/authorize?client_id=11111111-2222-3333-4444-555555555555&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&redirect_uri=http%3A%2F%2F127.0.0.1%3A53682%2F&state=xyz"

func visit(deadline time.Time) grant.Visit {
	return grant.Visit{
		Addr: addr.Connection("graph"), Title: "Microsoft Entra ID", URL: longURL, RedirectURI: "http://127.0.0.1:53682/",
		Listening: "127.0.0.1:53682", Account: "alice@contoso.com", Scopes: []string{"Files.ReadWrite.All", "User.Read"}, Deadline: deadline,
	}
}

func device(deadline time.Time) grant.DeviceCode {
	return grant.DeviceCode{
		Addr: addr.Connection("repo"), Title: "GitHub", UserCode: "WDJB-MJHT", VerificationURI: "https://github.com/login/device",
		VerificationURIComplete: "https://github.com/login/device?user_code=WDJB-MJHT", Scopes: []string{"repo"}, Deadline: deadline,
	}
}

func TestOpenCountsDownAndLeavesACleanLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		var opened string
		c := New(Options{Out: &term, Interactive: true, Now: time.Now, OpenBrowser: func(_ context.Context, u string) error {
			if !strings.Contains(term.text(), u) {
				t.Error("the browser opens before the URL is on the screen")
			}
			opened = u
			return nil
		}})
		done, err := c.Open(t.Context(), visit(time.Now().Add(3*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		if opened != longURL {
			t.Errorf("opened %q", opened)
		}
		time.Sleep(19*time.Second + time.Millisecond)
		above, last := term.screen()
		if want := "  Waiting for consent… 2:41 left · Ctrl-C cancels, nothing will be changed"; last != want {
			t.Errorf("the live line is %q, want %q", last, want)
		}
		if n := strings.Count(strings.Join(above, "\n"), "Waiting"); n != 0 {
			t.Errorf("%d countdowns scrolled up", n)
		}
		done()
		done()
		above, last = term.screen()
		if last != "" {
			t.Errorf("after done the cursor is behind %q", last)
		}
		text := strings.Join(above, "\n")
		for _, want := range []string{"connection.graph", "Microsoft Entra ID", "alice@contoso.com", "Files.ReadWrite.All, User.Read", "127.0.0.1:53682"} {
			if !strings.Contains(text, want) {
				t.Errorf("the screen does not say %q:\n%s", want, text)
			}
		}
		if !strings.Contains(text, "\n"+longURL+"\n") {
			t.Errorf("the URL is not on a line of its own:\n%s", text)
		}
		time.Sleep(time.Minute)
		if after := term.text(); after != text+"\n" && after != text {
			t.Errorf("something was written after done: %q", strings.TrimPrefix(after, text))
		}
	})
}

func TestTheEndOfTheContextTakesTheCountdownAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		ctx, cancel := context.WithCancel(t.Context())
		c := New(Options{Out: &term, Interactive: true, Now: time.Now})
		done, err := c.Code(ctx, device(time.Now().Add(15*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		cancel()
		synctest.Wait()
		if _, last := term.screen(); last != "" {
			t.Errorf("a cancelled wait leaves %q", last)
		}
		done() // must not hang
		if _, err := c.Open(ctx, visit(time.Time{})); !errors.Is(err, context.Canceled) {
			t.Errorf("Open with an ended context: %v", err)
		}
	})
}

func TestOthersPrintAboveTheCountdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		c := New(Options{Out: &term, Interactive: true, Now: time.Now, Width: 100})
		done, err := c.Open(t.Context(), visit(time.Now().Add(3*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		events := c.Wrap(&term)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				for j := range 10 {
					_, _ = fmt.Fprintf(events, "connection.c%02d: step %d\n", i, j)
					time.Sleep(300 * time.Millisecond)
				}
			})
		}
		wg.Wait()
		_, _ = io.WriteString(events, "half ")
		time.Sleep(2 * time.Second)
		_, _ = io.WriteString(events, "a line\n")
		above, last := term.screen()
		if !strings.HasPrefix(last, "  Waiting for consent…") {
			t.Errorf("the live line is %q", last)
		}
		seen := map[string]bool{}
		for _, l := range above {
			if strings.Contains(l, "step") || strings.Contains(l, "half") {
				seen[l] = true
			}
		}
		for i := range 20 {
			for j := range 10 {
				if want := fmt.Sprintf("connection.c%02d: step %d", i, j); !seen[want] {
					t.Fatalf("%q is not a line of its own", want)
				}
			}
		}
		if !seen["half a line"] {
			t.Error("a line that was written in two parts is torn")
		}
		done()
	})
}

func TestTwoWaitsShowTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		c := New(Options{Out: &term, Interactive: true, Now: time.Now})
		first, err := c.Open(t.Context(), visit(time.Now().Add(time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		second, err := c.Code(t.Context(), device(time.Now().Add(2*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		if _, last := term.screen(); !strings.Contains(last, "code…") {
			t.Errorf("the newest wait is not shown: %q", last)
		}
		second()
		if _, last := term.screen(); !strings.Contains(last, "consent…") {
			t.Errorf("the first wait does not come back: %q", last)
		}
		first()
		if _, last := term.screen(); last != "" {
			t.Errorf("the line is %q", last)
		}
	})
}

func TestWithoutATerminalLinesArePlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		c := New(Options{Out: &term, Now: time.Now, OpenBrowser: func(context.Context, string) error { return errors.New("no display") }})
		done, err := c.Open(t.Context(), visit(time.Now().Add(3*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		done()
		if raw := term.raw.String(); strings.ContainsAny(raw, "\r\b\x1b") {
			t.Errorf("control characters in %q", raw)
		}
		for _, want := range []string{"3:00 left", "no display", longURL} {
			if !strings.Contains(term.text(), want) {
				t.Errorf("%q is missing:\n%s", want, term.text())
			}
		}
		if strings.Count(term.text(), "left") != 1 {
			t.Error("the countdown is repeated where nobody rewrites the line")
		}
	})
}

func TestABrowserThatHangsDoesNotHoldTheFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		release := make(chan struct{})
		c := New(Options{Out: &term, Interactive: true, Now: time.Now, OpenBrowser: func(context.Context, string) error {
			<-release
			return errors.New("it broke")
		}})
		begin := time.Now()
		done, err := c.Open(t.Context(), visit(time.Now().Add(3*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > browserPatience {
			t.Errorf("Open took %v", took)
		}
		close(release)
		synctest.Wait()
		if !strings.Contains(term.text(), "it broke") {
			t.Error("the late failure of the browser is not told")
		}
		done()
	})
}

var hostile = []string{
	"\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\u009b31m", "\r", "\b\b", "a\nb", "\x7f", "\x00", "\u202eevil", "\u2066x\u2069", "\u200b", "\ufeff", "\u2028", "\xff\xfe",
}

func TestNothingHostileReachesTheTerminal(t *testing.T) {
	for _, h := range hostile {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			c := New(Options{
				In: strings.NewReader("x\nx\nx\n"), Out: &out, Now: time.Now, Width: 80,
				OpenBrowser: func(context.Context, string) error { return errors.New("browser: " + h) },
			})
			v, d := visit(time.Now().Add(time.Minute)), device(time.Now().Add(time.Minute))
			v.Title, v.URL, v.RedirectURI, v.Listening, v.Account, v.Scopes = h, "https://a.example/"+h, h, h, h, []string{h}
			d.Title, d.UserCode, d.VerificationURI, d.VerificationURIComplete, d.Account, d.Scopes = h, "AB"+h, "https://a.example/"+h, h, h, []string{h}
			v.Addr, d.Addr = addr.Connection("a").Instance(h), addr.Connection("a").Instance(h)
			done, err := c.Open(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			done()
			if done, err = c.Code(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			done()
			if _, err := c.Paste(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Ask(t.Context(), h, false); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Confirm(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			for l := range strings.SplitSeq(out.String(), "\n") {
				if view.Safe(l) != l {
					t.Errorf("%q comes out raw in %q", h, l)
				}
			}
		})
	}
}

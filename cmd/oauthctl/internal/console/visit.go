package console

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// Open implements grant.User.
func (c *Console) Open(ctx context.Context, v grant.Visit) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.print(func(s *screen) {
		s.asks(v.Addr, v.Title)
		s.facts(v.Account, v.Scopes)
		if v.Listening != "" {
			s.fact("answer", "comes back to "+view.Safe(v.Listening)+" on this machine")
		}
		s.line()
		if c.o.OpenBrowser != nil {
			s.text(2, view.Paint{}, "Your browser opens this page. If it does not, open it yourself:")
		} else {
			s.text(2, view.Paint{}, "Open this page in a browser on this machine:")
		}
		s.url(v.URL)
	})
	done := c.wait(ctx, "Waiting for consent…", v.Deadline)
	c.browse(ctx, v.URL)
	return done, nil
}

// How long opening the browser may keep the flow from going on. A launcher that
// takes longer is left alone, and its failure still told.
const browserPatience = 2 * time.Second

// browse opens the browser and says if that failed.
func (c *Console) browse(ctx context.Context, u string) {
	if c.o.OpenBrowser == nil {
		return
	}
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		if err := c.o.OpenBrowser(ctx, u); err != nil && ctx.Err() == nil {
			c.print(func(s *screen) {
				s.text(2, s.Warn, "No browser could be opened here ("+view.Safe(err.Error())+"). Open the page above yourself, on this machine.")
				s.line()
			})
		}
	}()
	t := time.NewTimer(browserPatience)
	defer t.Stop()
	select {
	case <-opened:
	case <-t.C:
	case <-ctx.Done():
	}
}

// Code implements grant.User.
func (c *Console) Code(ctx context.Context, d grant.DeviceCode) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.print(func(s *screen) {
		s.asks(d.Addr, d.Title)
		s.closed(s.facts(d.Account, d.Scopes))
		scan := ""
		if c.o.Interactive {
			scan = s.qr(d, c.o.Dark, c.o.Height)
		}
		s.text(2, view.Paint{}, "On any device, "+scan+"open this page:")
		s.url(d.VerificationURI)
		s.line("  Its host has to be  ", s.Strong.On(hostOf(d.VerificationURI)))
		s.line()
		s.text(2, view.Paint{}, "Enter this code there:")
		s.code(d.UserCode)
		s.text(2, s.Warn, "Only there, and only because you started this here yourself: whoever else asks you to enter a code wants your account.")
		s.line()
	})
	return c.wait(ctx, "Waiting for the code…", d.Deadline), nil
}

// Paste implements grant.User.
func (c *Console) Paste(ctx context.Context, v grant.Visit) (secret.Secret, error) {
	c.print(func(s *screen) {
		if v.Problem != "" { // the page stands above
			s.text(2, s.Warn, "That is not it: "+view.Safe(v.Problem)+".")
			s.line()
			return
		}
		s.asks(v.Addr, v.Title)
		s.closed(s.facts(v.Account, v.Scopes))
		s.step("1.", "Open this page in any browser, sign in and consent:")
		s.url(v.URL)
		s.elsewhere(v)
		s.line()
	})
	fresh := v.Problem != ""
	for {
		text, err := c.read(ctx, prompt{label: "  " + c.theme.Strong.On("Address:") + " ", until: v.Deadline, fresh: fresh})
		if err != nil {
			return "", err
		}
		if text = strings.TrimSpace(text); text != "" {
			return secret.Secret(text), nil
		}
		c.print(func(s *screen) {
			s.text(2, s.Warn, "Nothing was pasted. Paste the address, or press Ctrl-C to cancel.")
		})
	}
}

// elsewhere says how the answer comes from a browser that may run anywhere.
func (s *screen) elsewhere(v grant.Visit) {
	ends, address := "The browser ends at an address that begins with "+view.Safe(v.RedirectURI)+" and may show an error page; that is all right.", "Copy the whole address"
	if v.Listening != "" {
		ends = "If that browser runs on this machine, or port " + portOf(v.Listening) + " is forwarded to it, you are done. Anywhere else it ends with an error page, " +
			"at an address that begins with " + view.Safe(v.RedirectURI) + "; that is all right."
		address = "In that case copy the whole address"
	}
	s.step("2.", ends)
	s.step("3.", address+" from the browser's address bar, paste it here and press Enter. It is not shown: it holds a one-time code.")
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return view.Safe(address)
	}
	return view.Safe(port)
}

// wait shows the time left: as a live line on a terminal, else as one plain line.
func (c *Console) wait(ctx context.Context, what string, deadline time.Time) (done func()) {
	const cancel = "press Ctrl-C to cancel, nothing will be changed"
	if !c.o.Interactive {
		text := what
		if !deadline.IsZero() {
			text += " " + clock(deadline.Sub(c.o.Now())) + " left (until " + deadline.In(c.o.Now().Location()).Format("15:04:05") + ")"
		}
		c.print(func(s *screen) { s.text(2, view.Paint{}, text+" · "+cancel) })
		return func() {}
	}
	return c.show(ctx, &live{paint: c.theme.Info, render: func(width int) string {
		left := ""
		if !deadline.IsZero() {
			left = clock(deadline.Sub(c.o.Now())) + " left"
		}
		for _, way := range []string{"· press Ctrl-C to cancel — nothing will be changed", "· Ctrl-C cancels, nothing will be changed", "· Ctrl-C cancels", ""} {
			text := "  " + strings.Join(slices.DeleteFunc([]string{what, left, way}, func(s string) bool { return s == "" }), " ")
			if view.Width(text) <= width {
				return text
			}
		}
		return left
	}})
}

// clock writes a time left: "2:41".
func clock(d time.Duration) string {
	n := int(max(d, 0).Round(time.Second) / time.Second)
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

// asks says who wants a consent, and from where.
func (s *screen) asks(a addr.Addr, title string) {
	s.line()
	if title == "" {
		title = "the server"
	}
	s.line(s.Strong.On(view.Safe(a.String())), " needs your consent at ", s.Strong.On(view.Safe(title)))
	s.line()
}

// closed ends a block with a blank line, if there is a block.
func (s *screen) closed(some bool) {
	if some {
		s.line()
	}
}

// facts reports whether there were any.
func (s *screen) facts(account string, scopes []string) bool {
	if account != "" {
		s.fact("sign in as", view.Safe(account))
	}
	if len(scopes) > 0 {
		s.fact("scopes", view.Safe(strings.Join(scopes, ", ")))
	}
	return account != "" || len(scopes) > 0
}

// fact writes a label and a value wrapped under itself.
func (s *screen) fact(label, value string) {
	const lead = 14
	for _, l := range view.Wrap(value, max(s.width-lead, 20)) {
		s.line("  ", s.Dim.On(label), strings.Repeat(" ", max(lead-2-len(label), 1)), l)
		label = ""
	}
}

// step writes one of several things to do.
func (s *screen) step(number, text string) {
	for _, l := range view.Wrap(text, max(min(s.width, 100)-5, 20)) {
		s.line("  ", number, " ", l)
		number = strings.Repeat(" ", len(number))
	}
}

// code writes a user code so that nobody overlooks it, as it has to be typed: a
// double click or a triple click takes what can be pasted.
func (s *screen) code(code string) {
	code = view.Safe(strings.TrimSpace(code))
	rule := strings.Repeat("─", view.Width(code)+6)
	s.line("      ", s.Dim.On("╭"+rule+"╮"))
	s.line("      ", s.Dim.On("│"), "   ", s.Strong.On(code), "   ", s.Dim.On("│"))
	s.line("      ", s.Dim.On("╰"+rule+"╯"))
	s.line()
}

// url writes a URL on a line of its own, from the first column and unbroken, so
// that a terminal selects it as a whole.
func (s *screen) url(u string) {
	s.line()
	s.line(s.Info.On(view.Safe(u)))
	s.line()
}

// hostOf is the host of a URL, in ASCII: a look-alike letter shows as an escape.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "(no host)"
	}
	q := strconv.QuoteToASCII(u.Host)
	return q[1 : len(q)-1]
}

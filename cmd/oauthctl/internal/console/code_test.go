package console

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rsc.io/qr"
)

func TestCodeCanBeCopiedAsItHasToBeTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var term terminal
		c := New(Options{Out: &term, Interactive: true, Dark: true, Now: time.Now})
		done, err := c.Code(t.Context(), device(time.Now().Add(15*time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		above, _ := term.screen()
		has := map[string]bool{}
		for _, l := range above {
			has[strings.Trim(l, " │")] = true
		}
		for _, want := range []string{"WDJB-MJHT", "Its host has to be  github.com", "https://github.com/login/device"} {
			if !has[want] {
				t.Errorf("%q is not a line of its own:\n%s", want, strings.Join(above, "\n"))
			}
		}
		if !strings.Contains(term.text(), "▀") {
			t.Error("there is no QR code")
		}
	})
}

func TestQRCodeIsDrawnAsItIs(t *testing.T) {
	target := device(time.Time{}).VerificationURIComplete
	code, err := qr.Encode(target, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	for _, ink := range []bool{true, false} {
		rows := halfBlocks(code, ink)
		for y, row := range rows {
			for x, r := range []rune(row) {
				up, down := r == '█' || r == '▀', r == '█' || r == '▄'
				mx, my := x-quietZone, 2*y-quietZone
				if up != (code.Black(mx, my) == ink) || down != (code.Black(mx, my+1) == ink) {
					t.Fatalf("ink %v: module %d,%d is wrong", ink, mx, my)
				}
			}
		}
	}
}

func TestQRCodeIsLeftOutWhereItCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		o   Options
		uri string
	}{
		"narrow":       {Options{Interactive: true, Width: 30}, "https://github.com/login/device"},
		"low":          {Options{Interactive: true, Width: 80, Height: 24}, "https://github.com/login/device"},
		"no terminal":  {Options{Width: 120}, "https://github.com/login/device"},
		"http":         {Options{Interactive: true, Width: 120}, "http://github.com/login/device"},
		"hostile":      {Options{Interactive: true, Width: 120}, "https://github.com/login\u202edevice"},
		"other scheme": {Options{Interactive: true, Width: 120}, "javascript:alert(1)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var term terminal
			c.o.Out, c.o.Now = &term, time.Now
			d := device(time.Now().Add(time.Minute))
			d.VerificationURI, d.VerificationURIComplete = c.uri, ""
			done, err := New(c.o).Code(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			done()
			if strings.ContainsAny(term.text(), "▀▄█") {
				t.Errorf("%s: a QR code is drawn", name)
			}
		})
	}
}

// Without an account and scopes there is nothing to leave room for.
func TestScreensWithoutFacts(t *testing.T) {
	var term terminal
	c := New(Options{In: strings.NewReader("x\n"), Out: &term})
	d, v := device(time.Time{}), visit(time.Time{})
	d.Scopes, v.Account, v.Scopes = nil, "", nil
	done, err := c.Code(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	done()
	if _, err := c.Paste(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if text := term.text(); strings.Contains(text, "\n\n\n") {
		t.Errorf("a hole in the screen:\n%s", text)
	}
}

package console

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestConfirmTakesOnlyYes(t *testing.T) {
	for in, want := range map[string]bool{"yes\n": true, " yes \r\n": true, "yes": true, "y\n": false, "Yes\n": false, "\n": false, "no\n": false, "yes please\n": false} {
		var term terminal
		got, err := New(Options{In: strings.NewReader(in), Out: &term}).Confirm(t.Context(), "Do you want to carry this out?")
		if err != nil || got != want {
			t.Errorf("Confirm with %q = %v, %v; want %v", in, got, err, want)
		}
	}
	var term terminal
	if ok, err := New(Options{In: strings.NewReader(""), Out: &term}).Confirm(t.Context(), "?"); ok || !errors.Is(err, ErrNoInput) {
		t.Errorf("Confirm without input = %v, %v", ok, err)
	}
}

func TestAnswersInAPipeAreTakenOneByOne(t *testing.T) {
	var term terminal
	c := New(Options{In: strings.NewReader("first\nsecond\nyes\n"), Out: &term})
	for _, want := range []string{"first", "second"} {
		got, err := c.Ask(t.Context(), "Value", true)
		if err != nil || got != want {
			t.Fatalf("Ask = %q, %v; want %q", got, err, want)
		}
	}
	if ok, err := c.Confirm(t.Context(), "?"); !ok || err != nil {
		t.Errorf("Confirm = %v, %v", ok, err)
	}
}

func TestTheEndOfTheContextEndsAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		var term terminal
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := New(Options{In: r, Out: &term, Now: time.Now})
		if _, err := c.Paste(ctx, visit(time.Now().Add(time.Minute))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Paste = %v", err)
		}
		_ = w.Close()
	})
}

func TestPasteAsksAgainForAnEmptyLine(t *testing.T) {
	var term terminal
	long := "http://127.0.0.1:53682/?code=" + strings.Repeat("c", 9000)
	c := New(Options{In: strings.NewReader("\n  \n" + long + "\n"), Out: &term})
	got, err := c.Paste(t.Context(), visit(time.Time{}))
	if err != nil || got.Reveal() != long {
		t.Fatalf("Paste = %d bytes, %v; want %d bytes", len(got.Reveal()), err, len(long))
	}
	if strings.Contains(term.text(), "cccc") {
		t.Error("the pasted code is on the screen")
	}
}

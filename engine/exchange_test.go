package engine

import (
	"bytes"
	"testing"
	"time"
)

// What becomes of a refresh token that was sent and not answered.
func TestSendAgain(t *testing.T) {
	const grace = 30 * time.Second
	for _, c := range []struct {
		name string
		u    unknownSend
		want again
	}{
		{"strict server, nothing to lose", unknownSend{sends: 1}, againSend},
		{"strict server, a valid token", unknownSend{sends: 1, valid: true, left: time.Hour}, againLater},
		{"strict server, a token about to end", unknownSend{sends: 1, valid: true, left: time.Minute}, againSend},
		{"strict server, a token without end", unknownSend{sends: 1, valid: true, endless: true}, againLater},
		{"within the grace", unknownSend{sends: 1, grace: grace, ago: 29 * time.Second, valid: true, left: time.Hour}, againSend},
		{"the grace is over, a valid token", unknownSend{sends: 1, grace: grace, ago: grace, valid: true, left: time.Hour}, againLater},
		{"the grace is over, nothing to lose", unknownSend{sends: 1, grace: grace, ago: time.Hour}, againSend},
		{"all grants at stake, a valid token", unknownSend{sends: 1, grace: grace, wide: true, valid: true, left: time.Hour}, againLater},
		{"all grants at stake, nothing to lose here", unknownSend{sends: 1, grace: grace, wide: true}, againSend},
		{"a third time", unknownSend{sends: 2, grace: grace}, againPerson},
		{"a third time, a valid token", unknownSend{sends: 2, grace: grace, valid: true, left: time.Hour}, againPerson},
		{"never", unknownSend{never: true, sends: 1, grace: grace}, againPerson},
		{"never, a valid token", unknownSend{never: true, sends: 1, valid: true, left: time.Hour}, againPerson},
	} {
		if got := sendAgain(c.u); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Those who wait for a lock look again at different moments, and never later
// than the pause says.
func TestJitter(t *testing.T) {
	const pause = 400 * time.Millisecond
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	e := New(Options{Rand: bytes.NewReader(all)})
	seen := map[time.Duration]bool{}
	for range all {
		d := e.jitter(pause)
		if d < pause/2 || d > pause {
			t.Errorf("%s", d)
		}
		seen[d] = true
	}
	if len(seen) != len(all) {
		t.Errorf("%d different pauses", len(seen))
	}
	if d := e.jitter(pause); d != pause {
		t.Errorf("without random numbers: %s", d)
	}
}

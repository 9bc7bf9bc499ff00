package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// fifty are as many connections whose tokens were given in the same second.
func fifty(t *testing.T, k *kit, life, before time.Duration) []addr.Addr {
	t.Helper()
	k.applied(one)
	pattern := k.record(graph)
	addrs := make([]addr.Addr, 50)
	for i := range addrs {
		r := *pattern
		info := *pattern.Info
		r.Info, r.Generation = &info, 0
		r.Addr = addr.Connection(fmt.Sprintf("c%d", i))
		r.Info.ReceivedAt, r.Info.RefreshBefore = k.clock.now(), before
		r.ExpiresAt = k.clock.now().Add(life)
		if err := k.store.Put(k.ctx, &r); err != nil {
			t.Fatal(err)
		}
		addrs[i] = r.Addr
	}
	return addrs
}

// dueAt finds by asking how long before its end a token is refreshed. It asks an
// engine that cannot refresh, and so warns when it would.
func dueAt(t *testing.T, k *kit, a addr.Addr, life time.Duration) time.Duration {
	t.Helper()
	k.fail("probe", state.ErrUnwritable)
	defer k.fail("probe", nil)
	start := k.clock.now()
	defer func() { k.clock.pass(start.Sub(k.clock.now())) }()
	least, most := time.Duration(0), life // due at least, not due at most before the end
	for most-least > time.Second {
		mid := (least + most) / 2
		k.clock.pass(start.Add(life - mid).Sub(k.clock.now()))
		if k.token(a, engine.TokenOptions{}).Warning != "" {
			least = mid
		} else {
			most = mid
		}
	}
	return least
}

// Connections that were made together do not fall due together; each falls due
// at one moment, whoever asks, never later than refresh_before promises and
// never more than as much again before that.
func TestEarlyRefreshIsSpread(t *testing.T) {
	for _, c := range []struct{ life, before, margin time.Duration }{
		{time.Hour, 0, 5 * time.Minute},
		{time.Hour, 10 * time.Minute, 10 * time.Minute},
		{10 * time.Minute, 0, time.Minute},
		{20 * time.Second, 5 * time.Minute, 10 * time.Second},
	} {
		t.Run(fmt.Sprintf("%s with %s", c.life, c.before), func(t *testing.T) {
			k := newKit(t)
			addrs := fifty(t, k, c.life, c.before)
			room := min(c.margin, c.life/2-c.margin)
			perQuarter := map[int]int{}
			for _, a := range addrs {
				due := dueAt(t, k, a, c.life)
				if due < c.margin-2*time.Second || due > c.margin+room+2*time.Second {
					t.Errorf("%s is due %s before its end; the margin is %s", a, due, c.margin)
				}
				if room > 0 {
					perQuarter[int(max(due-c.margin, 0)*4/(room+1))]++
				}
			}
			for q := 0; q < 4 && room > 0; q++ {
				if n := perQuarter[q]; n < 1 || n > 30 {
					t.Errorf("%d of 50 in quarter %d: not spread", n, q)
				}
			}
		})
	}
}

// The moment belongs to the token: what is written about it meanwhile (an
// intent, an error) does not draw it again, and another process draws the same.
func TestEarlyRefreshIsDrawnOnce(t *testing.T) {
	k := newKit(t)
	a := fifty(t, k, time.Hour, 0)[rand.IntN(50)]
	want := dueAt(t, k, a, time.Hour)
	r := k.record(a)
	for range 3 {
		if err := k.store.Put(k.ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	other := k.options
	other.Store = k.open(k.backend)
	k.engine = engine.New(other)
	if due := dueAt(t, k, a, time.Hour); due != want {
		t.Errorf("due %s before the end, then %s", want, due)
	}
	r.Info.ReceivedAt = r.Info.ReceivedAt.Add(time.Second)
	r.ExpiresAt = r.ExpiresAt.Add(time.Second)
	if err := k.store.Put(k.ctx, r); err != nil {
		t.Fatal(err)
	}
	if due := dueAt(t, k, a, time.Hour+time.Second); (due - want).Abs() < time.Second {
		t.Errorf("the next token is due as long before its end as the last one: %s", due)
	}
}

package backendtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

var me = state.Holder{PID: 4711, Host: "build-7", User: "alice", Operation: "refresh", Since: "2026-11-23T08:00:00Z"}

func testContext(t *testing.T, b state.Backend) {
	begin(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Header(ctx)
	wantIs(t, err, context.Canceled)
	_, err = b.Get(ctx, graph, state.PartAll)
	wantIs(t, err, context.Canceled)
	wantIs(t, b.List(ctx, 0, func(state.Row) error { return nil }), context.Canceled)
	wantIs(t, b.Write(ctx, state.Batch{Epoch: 1, Changes: []state.Change{put(row(graph, 1))}}), context.Canceled)
	_, err = b.Get(t.Context(), graph, 0)
	wantIs(t, err, state.ErrNotFound)
}

func testRace(t *testing.T, b state.Backend) {
	begin(t, b)
	const writers, rounds = 8, 10
	for round := uint64(1); round <= rounds; round++ {
		var (
			wg   sync.WaitGroup
			errs [writers]error
		)
		for i := range writers {
			wg.Go(func() {
				errs[i] = b.Write(t.Context(), state.Batch{Epoch: 1, Changes: []state.Change{put(row(graph, round))}})
				if _, err := b.Get(t.Context(), graph, state.PartAll); err != nil {
					t.Errorf("get while others write: %v", err)
				}
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, state.ErrConflict):
				t.Errorf("error %v, want ErrConflict", err)
			}
		}
		if won != 1 {
			t.Fatalf("%d writers of generation %d won", won, round)
		}
	}
	wantRow(t, get(t, b, graph), row(graph, rounds))
}

func lock(t *testing.T, b state.Backend, a addr.Addr) state.Unlock {
	t.Helper()
	unlock, err := b.Lock(t.Context(), a, me)
	if err != nil {
		t.Fatalf("lock %s: %v", a, err)
	}
	return unlock
}

// busy reports whether the lock of a is held by somebody.
func busy(t *testing.T, b state.Backend, a addr.Addr) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a lock tries at least once
	unlock, err := b.Lock(ctx, a, state.Holder{PID: 1})
	if err == nil {
		unlock()
		return false
	}
	wantIs(t, err, state.ErrBusy)
	return true
}

func testLock(t *testing.T, b state.Backend) {
	begin(t, b)
	unlock := lock(t, b, graph)
	if !busy(t, b, graph) {
		t.Error("the lock was given twice")
	}
	got := make(chan struct{})
	go func() {
		defer close(got)
		u, err := b.Lock(t.Context(), graph, me)
		if err != nil {
			t.Errorf("lock: %v", err)
			return
		}
		u()
	}()
	unlock()
	unlock() // harmless
	<-got
	if busy(t, b, graph) {
		t.Error("still locked")
	}
	second := lock(t, b, graph)
	unlock() // of the first lock: must not release the second
	if !busy(t, b, graph) {
		t.Error("an old unlock released a new lock")
	}
	second()
}

func testLocksIndependent(t *testing.T, b state.Backend) {
	begin(t, b)
	addrs := []addr.Addr{graph, mail, graph.Instance(""), graph.Instance("a"), graph.Instance("b")}
	for _, a := range addrs {
		defer lock(t, b, a)()
	}
	write(t, b, put(row(graph, 1))) // locks do not stop writes of others
	for _, a := range addrs {
		if !busy(t, b, a) {
			t.Errorf("%s is not locked", a)
		}
	}
}

func testLockWait(t *testing.T, b state.Backend) {
	begin(t, b)
	defer lock(t, b, graph)()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := b.Lock(ctx, graph, state.Holder{PID: 1})
	var held *state.BusyError
	if !errors.As(err, &held) {
		t.Fatalf("error %v, want a *BusyError", err)
	}
	wantIs(t, err, state.ErrBusy)
	wantIs(t, err, context.DeadlineExceeded)
	if held.Addr != graph {
		t.Errorf("address %s", held.Addr)
	}
	if held.Holder != me {
		t.Errorf("holder %+v, want %+v", held.Holder, me)
	}
}

func testLockCounter(t *testing.T, b state.Backend) {
	begin(t, b)
	const goroutines, rounds = 8, 10
	n, inside := 0, 0
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				unlock, err := b.Lock(t.Context(), graph, me)
				if err != nil {
					t.Errorf("lock: %v", err)
					return
				}
				inside++
				if inside != 1 {
					t.Errorf("%d hold the lock", inside)
				}
				n++
				inside--
				unlock()
			}
		})
	}
	wg.Wait()
	if n != goroutines*rounds {
		t.Errorf("counted %d, want %d", n, goroutines*rounds)
	}
}

func testLease(t *testing.T, b state.Backend) {
	begin(t, b)
	release, err := b.Lease(t.Context(), graph, me)
	if err != nil {
		t.Fatal(err)
	}
	if busy(t, b, graph) {
		t.Error("a lock waits for a lease")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Lease(ctx, graph, state.Holder{PID: 1})
	var held *state.BusyError
	if !errors.As(err, &held) || !held.Lease || held.Addr != graph || held.Holder != me {
		t.Errorf("a second lease: %#v", err)
	}
	other, err := b.Lease(ctx, mail, me)
	if err != nil {
		t.Fatalf("the lease of another connection: %v", err)
	}
	other()
	release()
	again, err := b.Lease(ctx, graph, me)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again()
}

func testHeld(t *testing.T, b state.Backend) {
	begin(t, b)
	write(t, b, put(row(graph, 1)))
	nothing, err := b.Held(t.Context(), []addr.Addr{graph, mail})
	if err != nil || len(nothing) != 0 {
		t.Fatalf("nothing is held: %v, %v", nothing, err)
	}
	unlock := lock(t, b, graph)
	release, err := b.Lease(t.Context(), mail, me) // in no row, and asked for by nobody
	if err != nil {
		t.Fatal(err)
	}
	held, err := b.Held(t.Context(), []addr.Addr{graph})
	if err != nil {
		t.Fatal(err)
	}
	want := map[state.Held]bool{{Addr: graph, Holder: me}: true, {Addr: mail, Lease: true, Holder: me}: true}
	for _, h := range held {
		if !want[h] {
			t.Errorf("not held: %+v", h)
		}
		delete(want, h)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	if !busy(t, b, graph) {
		t.Error("looking took the lock away")
	}
	unlock()
	release()
	if left, err := b.Held(t.Context(), []addr.Addr{graph, mail}); err != nil || len(left) != 0 {
		t.Errorf("released, and still there: %v, %v", left, err)
	}
}

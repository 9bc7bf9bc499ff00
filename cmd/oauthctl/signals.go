package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// interrupts turns signals into the end of a context, and of the process.
type interrupts struct {
	once   sync.Once
	cancel context.CancelFunc

	mu   sync.Mutex
	last []func()
}

// interruptible returns a context that the first Ctrl-C (or SIGTERM, or the end of
// the terminal) cancels once arm has been called: what is under way is finished
// and saved. The second ends the process at once. Before arm, as by default, the first one does:
// listening costs threads, and a token that is only read has nothing to save.
func interruptible(ctx context.Context) (context.Context, *interrupts) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, &interrupts{cancel: cancel}
}

func (i *interrupts) arm() { i.once.Do(i.listen) }

func (i *interrupts) listen() {
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup, and & in a script, mean it
			signal.Notify(signals, s)
		}
	}
	go func() {
		<-signals
		i.cancel()
		<-signals
		i.kill()
	}()
	// A reader that went away must not kill the process between an answer and
	// its save: writes fail with EPIPE instead. Not signal.Ignore, which child
	// processes would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}

// atKill takes what has to be done before the process is killed by a signal.
func (i *interrupts) atKill(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = append(i.last, f)
}

// patience bounds what is done before a kill: a terminal that has been stopped
// takes no output.
const patience = time.Second

// kill ends the process in the middle of its work.
func (i *interrupts) kill() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.mu.Lock()
		defer i.mu.Unlock()
		for _, f := range i.last {
			f()
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
	os.Exit(exitInterrupted)
}

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interruptible returns a context that the first Ctrl-C (or SIGTERM) cancels
// once arm has been called: what is under way is finished and saved. The second
// ends the process at once. Before arm, as by default, the first one does:
// listening costs threads, and a token that is only read has nothing to save.
func interruptible(ctx context.Context) (_ context.Context, arm func()) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, sync.OnceFunc(func() {
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		go func() {
			<-signals
			cancel()
			<-signals
			os.Exit(exitInterrupted)
		}()
		// A reader that went away must not kill the process between an answer and
		// its save: writes fail with EPIPE instead. Not signal.Ignore, which child
		// processes would inherit.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	})
}

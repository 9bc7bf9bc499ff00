package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that the first Ctrl-C (or SIGTERM) cancels:
// what is under way is finished and saved. The second ends the process at once.
func interruptible(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
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
	return ctx
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) forceUnlockCommand() *cobra.Command {
	var force bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "force-unlock ADDR",
		Short: "End the process that holds the lock of a connection",
		Long: "Ask the process that holds the lock of a connection, or waits for its consent, to end. It saves what it has received and then releases the lock. " +
			"The lock of a process that is gone is gone with it, so that this is needed only for one that hangs. It works on the machine where that process runs.",
		Example: "oauthctl force-unlock graph",
		Args:    exactArgs(1, "one address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, false)
			return c.forceUnlock(cmd.Context(), args[0], force, wait)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	cmd.Flags().BoolVar(&force, "force", false, "do not ask")
	cmd.Flags().DurationVar(&wait, "lock-timeout", 10*time.Second, "wait for the process to end at most `DURATION`")
	return cmd
}

func (c *cli) forceUnlock(ctx context.Context, name string, force bool, wait time.Duration) error {
	a, err := addr.Parse(name)
	if err != nil {
		return advised("locks have no ids, they are of connections; see who is at work: oauthctl lock list", "%w", err)
	}
	store, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	held, err := store.Held(ctx)
	if err != nil {
		return err
	}
	held = heldOf(held, []addr.Addr{a})
	if len(held) == 0 {
		c.view.Note("%s is not locked.", a)
		return nil
	}
	c.view.Locks(held)
	for _, h := range held {
		if err := c.mayEnd(h, store.Location()); err != nil {
			return err
		}
	}
	if !force {
		if err := c.confirmEnding(ctx); err != nil {
			return err
		}
	}
	for _, h := range held {
		if err := end(h.Holder.PID); err != nil {
			return advised(fmt.Sprintf("end process %d yourself", h.Holder.PID), "end the process that holds %s: %w", h.Addr, err)
		}
	}
	return c.awaitRelease(ctx, store, a, wait)
}

// mayEnd refuses what cannot be ended from here.
func (c *cli) mayEnd(h state.Held, location string) error {
	switch {
	case h.Holder.PID <= 1:
		return advised("wait for it to end", "nothing says which process holds %s", h.Addr)
	case h.Holder.Host != hostname():
		return advised("run this there", "the process that holds %s runs on %s", h.Addr, h.Holder.Host)
	case h.Holder.PID == os.Getpid() || !hasOpen(h.Holder.PID, location+".lock"):
		return advised("see: oauthctl lock list", "process %d does not hold %s any more", h.Holder.PID, h.Addr)
	}
	return nil
}

func (c *cli) confirmEnding(ctx context.Context) error {
	if !c.canAsk(&inputFlags{input: true}) {
		return advised("give -force", "nobody can be asked here (no terminal, or CI)")
	}
	yes, err := c.console().Confirm(ctx, "Do you want to end it?")
	if err == nil && !yes {
		err = errors.New("cancelled, nothing was ended")
	}
	return err
}

// end asks a process to end, which it does when nothing can be lost any more.
func end(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(syscall.SIGTERM)
}

func (c *cli) awaitRelease(ctx context.Context, store *state.Store, a addr.Addr, wait time.Duration) error {
	patience, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		held, err := store.Held(ctx)
		if err != nil {
			return err
		}
		if held = heldOf(held, []addr.Addr{a}); len(held) == 0 {
			c.view.Note("%s is not locked any more.", a)
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-patience.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &engine.Error{
				Class: engine.ClassTemporary, Addr: a, Doing: "unlock " + a.String(),
				Err:    fmt.Errorf("process %d has been asked to end and has not ended yet; it may be waiting for an answer that must not be lost", held[0].Holder.PID),
				Remedy: fmt.Sprintf("try again in half a minute; as a last resort: kill -9 %d", held[0].Holder.PID),
			}
		}
	}
}

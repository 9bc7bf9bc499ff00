package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// agent compares the CPU time of printing a valid token that an agent hands out
// with that of one that is read from the state.
func (b *bench) agent(ctx context.Context) error {
	dir, err := b.project("agent", b.issuer, 1, false)
	if err != nil {
		return err
	}
	if _, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve"); err != nil {
		return err
	}
	socket := filepath.Join(b.dir, "agent-socket", "agent.sock")
	stop, err := b.startAgent(ctx, dir, socket)
	if err != nil {
		return err
	}
	defer stop()
	var alone, asking []usage
	for range b.runs { // one after the other, so that noise falls on all alike
		for _, m := range []struct {
			to     *[]usage
			socket string
		}{{&alone, ""}, {&asking, socket}} {
			b.socket = m.socket
			u, err := b.measure(ctx, dir, b.bin, "token", `c["c00000"]`)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, u)
		}
	}
	b.socket = ""
	a, s := median(alone, cpu), median(asking, cpu)
	fmt.Printf("agent, CPU of token, medians of %d: without %v; with %v = %s× (at most 1×); wall %v and %v\n",
		b.runs, a, s, ratio(s, a), median(alone, wall), median(asking, wall))
	return nil
}

// startAgent starts an agent and waits until it answers.
func (b *bench) startAgent(ctx context.Context, dir, socket string) (stop func(), err error) {
	cmd := b.command(ctx, dir, b.bin, "agent", "-socket="+socket)
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		stop()
		return nil, fmt.Errorf("the agent: %w: %s", err, line)
	}
	return stop, nil
}

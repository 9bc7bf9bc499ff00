package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/agent"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/state"
)

// runAgent runs until ctx ends, and then until all is saved.
func (c *cli) runAgent(ctx context.Context, k *engine.Keeper, held *heldState, socket, metrics net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { k.Run(ctx) })
	if metrics != nil {
		v := versionInfo()
		srv := agent.MetricsServer(func() string {
			list, broken := k.Kept()
			return agent.Metrics(list, broken, agent.Build{Version: v.Version, Commit: v.Commit, Go: v.Go})
		})
		all.Go(func() { _ = srv.Serve(metrics) })
		defer srv.Close()
	}
	s := agent.Server{UID: os.Geteuid(), Answer: func(ctx context.Context, r *agent.Request) *agent.Answer {
		if !k.Keeps(r.Addr) || !held.is(r.State) {
			return &agent.Answer{Declined: agent.DeclinedNotMine}
		}
		t, err := k.Token(ctx, r.Addr, r.Options, r.LockTimeout)
		if err != nil && held.elsewhere(ctx, r.Addr) {
			return &agent.Answer{Declined: agent.DeclinedNotMine}
		}
		return agentAnswer(t, err)
	}}
	if err := s.Serve(ctx, socket); err != nil {
		return fmt.Errorf("answer at the socket: %w", err)
	}
	return agent.Notify(context.WithoutCancel(ctx), c.env("NOTIFY_SOCKET"), "STOPPING=1")
}

// agentAnswer is what token would print, for the process that is token. What
// only this process cannot do is left to that one.
func agentAnswer(t *engine.Token, err error) *agent.Answer {
	var failed *engine.Error
	switch {
	case err == nil:
		return &agent.Answer{Token: t}
	case errors.As(err, &failed) && failed.Class != engine.ClassState && !errors.Is(err, state.ErrNoState):
		return &agent.Answer{Err: failed}
	}
	return &agent.Answer{Declined: agent.DeclinedState}
}

// listenMetrics listens at a loopback address; nil: nobody wants metrics.
func listenMetrics(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-metrics=%s: want an address such as 127.0.0.1:9464", address)
	case !at.Addr().IsLoopback():
		return nil, advised("use 127.0.0.1 or [::1], and something that checks who asks in front of it", "-metrics=%s: metrics are for this machine only", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-metrics=%s: %w", address, err)
	}
	return l, nil
}

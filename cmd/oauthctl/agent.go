package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/agent"
	"github.com/oauthctl/oauthctl/engine"
)

// agentFlags are the flags of agent.
type agentFlags struct {
	socket  string
	fresh   bool
	metrics string
}

func (c *cli) agentCommand() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "agent [NAME...]",
		Short: "Keep tokens fresh, and answer token without a passphrase",
		Long: "Open the state once, refresh the tokens of its connections (or of those named) when they are due, and answer oauthctl token, exec, and the credential helpers that name their connection, " +
			"at a socket that is yours alone. They find it by themselves, and need neither passphrase nor keyring while it runs; without it they work as always. " +
			"The agent asks nobody after its start, takes no lock but for a refresh, and keeps no tokens: what it hands out is in the state. " +
			"Ctrl-C ends it; what is under way is saved.",
		Example: "oauthctl agent\noauthctl agent graph print -metrics=127.0.0.1:9464",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false, true)
			return c.agent(cmd.Context(), args, &f)
		},
		ValidArgsFunction: c.completeAddrs,
	}
	fs := cmd.Flags()
	fs.StringVar(&f.socket, "socket", "", "answer at the socket `PATH` (default: where token looks)")
	fs.BoolVar(&f.fresh, "keep-fresh", true, "refresh tokens when they are due; -keep-fresh=false only answers")
	fs.StringVar(&f.metrics, "metrics", "", "serve /metrics for Prometheus at the loopback `ADDRESS`")
	return cmd
}

func (c *cli) agent(ctx context.Context, names []string, f *agentFlags) error {
	if !agent.Available {
		return advised("use oauthctl token without it", "there is no agent on %s: it cannot tell there who asks", runtime.GOOS)
	}
	only, err := parseAddrs(names)
	if err != nil {
		return err
	}
	debug.SetGCPercent(5) // of the ballast: see Run. This one lives long, and has little to hold
	metrics, err := listenMetrics(ctx, f.metrics)
	if err != nil {
		return err
	}
	if metrics != nil {
		defer metrics.Close()
	}
	socket, path, err := c.agentListener(ctx, f.socket)
	if err != nil {
		return err
	}
	defer socket.Close()
	held, err := c.hold(ctx, only)
	if err != nil {
		return err
	}
	defer held.close()
	k := engine.NewKeeper(engine.KeeperOptions{
		Open: held.engine, Only: only, Idle: !f.fresh, Now: c.Now, OnEvent: c.view.Event,
	})
	c.view.Note("The agent of %s answers at %s. Ctrl-C ends it.", held.path, path)
	if err := agent.Notify(ctx, c.env("NOTIFY_SOCKET"), "READY=1"); err != nil {
		c.view.Note("The service manager was not told: %s", err)
	}
	return c.runAgent(ctx, k, held, socket, metrics)
}

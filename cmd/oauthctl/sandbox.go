package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

func (c *cli) sandboxCommand() *cobra.Command {
	var listen string
	var opaque bool
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve an authorization server for trying things out",
		Long: "Serve an authorization server on loopback, for trying out a configuration or another client without an account. " +
			"It signs in anybody, remembers what it issued in .oauthctl, rotates refresh tokens and detects their reuse. " +
			"Its access tokens are JWTs that an API can check. Ctrl-C ends it.",
		Example: "oauthctl sandbox -listen=127.0.0.1:8090",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false, false)
			return c.serveSandbox(cmd.Context(), listen, opaque)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the loopback `ADDRESS` to serve on; port 0 lets the system choose")
	cmd.Flags().BoolVar(&opaque, "opaque", false, "access tokens are no JWTs, and only introspection tells what is in them")
	return cmd
}

func (c *cli) serveSandbox(ctx context.Context, listen string, opaque bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("-listen=%s: want an address such as 127.0.0.1:8090", listen)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("-listen=%s: the sandbox is for this machine only; use 127.0.0.1, [::1] or localhost", listen)
	}
	srv, err := c.openSandbox(sandbox.Options{Opaque: opaque})
	if err != nil {
		return err
	}
	defer srv.Close()
	base, err := srv.Serve(ctx, listen)
	if err != nil {
		return fmt.Errorf("serve the sandbox on %s: %w", listen, err)
	}
	fmt.Fprintf(&c.out, sandboxText, base)
	<-ctx.Done()
	return nil
}

const sandboxText = `The sandbox serves at %[1]s until Ctrl-C.
It is not a real server: anybody signs in.

  issuer     %[1]s
  discovery  %[1]s/.well-known/openid-configuration

Use it in a configuration:

  provider "local" {
    issuer = "%[1]s"
  }

  connection "demo" {
    provider      = "local"
    client_id     = "demo"
    scopes        = ["openid", "offline_access"]
    redirect_uris = ["http://127.0.0.1/callback"]
  }
`

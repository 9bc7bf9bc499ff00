package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"runtime"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// httpClient speaks to real servers.
func (c *cli) httpClient() *http.Client { return c.httpClientFor(nil) }

// httpClientFor speaks to a server that is known by what own says.
func (c *cli) httpClientFor(own *tls.Config) *http.Client {
	return c.armed(c.logged(grant.NewHTTPClient(grant.HTTPOptions{UserAgent: userAgent(), Proxy: proxy, TLS: own})))
}

// proxy is what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say (see [http.ProxyFromEnvironment]).
func proxy(r *http.Request) (string, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil || u == nil {
		return "", err
	}
	return u.String(), nil
}

// armed arms the App with the first request: an answer has to be saved.
func (c *cli) armed(client *http.Client) *http.Client {
	client.Transport = arming{client.Transport, c.arm}
	return client
}

type arming struct {
	http.RoundTripper
	arm func()
}

// CloseIdleConnections is found by [http.Client.CloseIdleConnections].
func (a arming) CloseIdleConnections() { closeIdle(a.RoundTripper) }

func closeIdle(under http.RoundTripper) {
	if c, ok := under.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (a arming) RoundTrip(r *http.Request) (*http.Response, error) {
	a.arm()
	return a.RoundTripper.RoundTrip(r)
}

func userAgent() string {
	return fmt.Sprintf("oauthctl/%s (%s/%s)", version, runtime.GOOS, runtime.GOARCH)
}

// openSandbox opens the sandbox of this directory, with what it remembers.
func (c *cli) openSandbox(o sandbox.Options) (*sandbox.Server, error) {
	dir, err := c.makeWorkDir()
	if err != nil {
		return nil, err
	}
	o.Journal, o.Now, o.Rand = filepath.Join(dir, sandboxJournal), c.Now, c.Rand
	srv, err := sandbox.New(o)
	return srv, forgetful(err)
}

// forgetful says what to do about a sandbox that cannot open its memory.
func forgetful(err error) error {
	var file *fs.PathError
	if errors.As(err, &file) {
		return advised("make it a file of yours, or work elsewhere with -chdir", "cannot open what the sandbox remembers, %s: %w", file.Path, file.Err)
	}
	return err
}

// connectSandbox lets the session speak to the sandbox, which imitates every
// server of the configuration, instead of to the servers.
func (s *session) connectSandbox(ctx context.Context, in *inputFlags) error {
	c := s.c
	srv, err := c.openSandbox(sandbox.Options{})
	if err != nil {
		return err
	}
	s.closer = append(s.closer, srv.Close)
	if err := s.imitate(ctx, srv); err != nil {
		return err
	}
	s.o.User, err = c.sandboxUser(ctx, srv, in)
	s.o.NoBrowser = c.consent == consentBrowser && c.canPaste(in)
	return err
}

// imitate lets the sandbox be every server of the configuration.
func (s *session) imitate(ctx context.Context, srv *sandbox.Server) error {
	c := s.c
	for _, conn := range s.cfg.Connections {
		preset, diags := s.o.Catalog.Resolve(s.cfg, conn)
		if diags.HasErrors() {
			return c.show(diags, s.cfg.Sources)
		}
		if err := srv.Mount(preset); err != nil {
			return fmt.Errorf("imitate the server of %s in the sandbox: %w", conn.Addr, err)
		}
		if err := s.register(srv, conn); err != nil {
			return err
		}
		if err := s.giveMadeUp(ctx, srv, preset, conn); err != nil {
			return err
		}
	}
	s.o.HTTP = c.sandboxClient(srv)
	c.sandboxSources(&s.o, srv)
	return nil
}

// giveMadeUp lets the sandbox know a refresh token that is going to be imported
// and was made up, as if it had given it out.
func (s *session) giveMadeUp(ctx context.Context, srv *sandbox.Server, preset *providers.Preset, conn *schema.Connection) error {
	if !s.cfg.ImportTo(conn.Addr) {
		return nil
	}
	rows, err := readRows(ctx, s.store)
	if err != nil && !errors.Is(err, state.ErrNoState) {
		return err
	}
	if len(filterRows(rows, []addr.Addr{conn.Addr})) > 0 {
		return nil // it is there, and its token need not exist
	}
	token, made := s.cfg.MadeUpToken(conn.Addr)
	client, diags := grant.NewClient(conn, preset)
	if !made || diags.HasErrors() {
		return nil // what is wrong is said where the connection is planned
	}
	return srv.LearnToken(preset, sandbox.Given{Client: conn.ClientID, Account: conn.Account, Scopes: client.Scopes, Token: token})
}

// connectStored is how commands that work from the state alone reach the
// servers; the sandbox remembers which ones it imitates.
func (c *cli) connectStored(o *engine.Options) (done func(), err error) {
	o.Catalog = providers.New() // reads nothing before an error has to be explained
	if !c.sandbox {
		o.HTTP = c.httpClient()
		c.tokenSources(o)
		return func() {}, nil
	}
	srv, err := c.openSandbox(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	o.HTTP = c.sandboxClient(srv)
	c.sandboxSources(o, srv)
	return func() { _ = srv.Close() }, nil
}

func (c *cli) sandboxClient(srv *sandbox.Server) *http.Client {
	return c.armed(c.logged(grant.NewHTTPClient(grant.HTTPOptions{Transport: srv.Transport(), UserAgent: userAgent()})))
}

// sandboxUser is who consents in the sandbox; nil with -input=false.
func (c *cli) sandboxUser(ctx context.Context, srv *sandbox.Server, in *inputFlags) (grant.User, error) {
	switch {
	case in.set && !in.input:
		return nil, nil
	case c.consent == consentAuto:
		return newAutoUser(srv), nil
	case !c.canConsent(in):
		return nil, nil
	}
	base, err := srv.Serve(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &browserUser{User: c.asked(), carry: srv.Carry, url: func(u string) string { return srv.BrowserURL(base, u) }}, nil
}

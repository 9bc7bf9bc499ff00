package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"time"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/agent"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// agentSocket is where the agent of this person is, and whether it was named by
// OAUTHCTL_AGENT_SOCKET; "" if there is no place for it.
func (c *cli) agentSocket() (path string, named bool) {
	if path := c.env("OAUTHCTL_AGENT_SOCKET"); path != "" {
		return c.path(path), true
	}
	if dir := c.env("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "oauthctl", "agent.sock"), false
	}
	if pins := c.pinDir(); pins != "" {
		return filepath.Join(filepath.Dir(pins), "agent", "agent.sock"), false
	}
	return "", false
}

// askAgent asks the agent for a token. Without an answer, (nil, nil), it is had
// without an agent: there is none, it keeps another state, or it is not to be
// believed. An error is one that this process would have come to as well.
func (c *cli) askAgent(ctx context.Context, a addr.Addr, o engine.TokenOptions, lockTimeout time.Duration) (*engine.Token, error) {
	switch off := c.env("OAUTHCTL_AGENT"); {
	case !agent.Available, off == "0", off == "false":
		return nil, nil
	case c.identity != "", c.older, c.carries(), c.outFile() != "": // this process has to open the state itself
		return nil, nil
	}
	socket, named := c.agentSocket()
	if socket == "" {
		return nil, nil
	}
	path, err := c.statePath()
	if err != nil {
		return nil, nil
	}
	file, err := agent.FileOf(path)
	if err != nil && (!named || !errors.Is(err, fs.ErrNotExist)) {
		return nil, nil // who was given the socket, in a container, may have no state
	}
	answer, err := agent.Ask(ctx, socket, &agent.Request{State: file, Addr: a, Options: o, LockTimeout: lockTimeout})
	switch {
	case err != nil:
		return nil, ctx.Err()
	case answer.Err != nil:
		return nil, answer.Err
	case answer.Token != nil:
		c.warnOld(answer.Token)
	}
	return answer.Token, nil
}

// agentListener is the socket that a service manager has passed, or one that is made.
func (c *cli) agentListener(ctx context.Context, path string) (net.Listener, string, error) {
	if path == "" {
		l, at, err := agent.Passed(c.env)
		if l != nil || err != nil {
			return l, at, listenFailed(at, err)
		}
		if path, _ = c.agentSocket(); path == "" {
			return nil, "", advised("set XDG_RUNTIME_DIR or HOME, or name one with -socket", "there is no place for the socket of the agent")
		}
	} else {
		path = c.path(path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	l, err := agent.Listen(ctx, path)
	return l, path, listenFailed(path, err)
}

// listenFailed says what to do about a socket that cannot be made.
func listenFailed(path string, err error) error {
	var open *agent.OpenError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, agent.ErrLive):
		return advised("end that one, or name another socket with -socket and OAUTHCTL_AGENT_SOCKET", "an agent answers at %s already", path)
	case errors.As(err, &open):
		return advised("name one in a directory that is yours alone (mode 0700) with -socket; in a socket unit of systemd: SocketMode=0600 and DirectoryMode=0700", "make the socket of the agent: %w", err)
	}
	return fmt.Errorf("make the socket of the agent: %w", err)
}

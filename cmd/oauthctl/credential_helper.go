package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// helperFlags are the flags of the credential helpers of git and docker.
type helperFlags struct {
	connection  string
	username    string
	lockTimeout time.Duration
	older       bool
}

func (f *helperFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.connection, "connection", "", "answer for the hosts of the connection `NAME` alone; faster than looking through all of them")
	fs.StringVar(&f.username, "username", "", "the user `NAME` that the server wants beside the token")
	lockTimeoutFlag(fs, &f.lockTimeout)
	rollbackFlag(fs, &f.older)
}

// named is the connection that was named, with the flag or behind the
// operation; the zero address: none was.
func (f *helperFlags) named(args []string) (addr.Addr, error) {
	name := f.connection
	if len(args) == 2 {
		if name != "" && name != args[1] {
			return addr.Addr{}, advised("name it once", "there are two connections, -connection=%s and %s", name, args[1])
		}
		name = args[1]
	}
	if name == "" {
		return addr.Addr{}, nil
	}
	return addr.Parse(name)
}

// serving finds the connection whose token may go to a host: the one that was
// named, or the only one that lists the host. The zero address: there is none.
func (c *cli) serving(ctx context.Context, store *state.Store, named addr.Addr, host string) (addr.Addr, error) {
	records, err := c.helperRecords(ctx, store, named)
	if err != nil {
		return addr.Addr{}, err
	}
	var found []addr.Addr
	for _, r := range records {
		if slices.Contains(r.Info.Hosts, host) {
			found = append(found, r.Addr)
		}
	}
	if len(found) > 1 {
		return addr.Addr{}, severalServe(host, found)
	}
	if len(found) == 0 {
		return addr.Addr{}, nil
	}
	return found[0], nil
}

func severalServe(host string, found []addr.Addr) error {
	const most = 5
	var names []string
	for _, a := range found[:min(most, len(found))] {
		names = append(names, a.Short())
	}
	list := strings.Join(names, ", ")
	if len(found) > most {
		list += fmt.Sprintf(" and %d more", len(found)-most)
	}
	return advised("say which one with -connection=NAME", "%d connections have the host %s: %s", len(found), host, list)
}

// helperRecords are the connections that a helper answers for: one, or all.
func (c *cli) helperRecords(ctx context.Context, store *state.Store, named addr.Addr) ([]*state.Record, error) {
	if named.IsZero() {
		records, err := store.All(ctx, state.PartInfo)
		if err != nil {
			return nil, fmt.Errorf("look for the host: %w", err)
		}
		return records, nil
	}
	r, err := store.Get(ctx, named, state.PartInfo)
	if err != nil {
		return nil, c.suggestAddr(ctx, store, named, "find "+named.String(), fmt.Errorf("look for the host: %w", err))
	}
	return []*state.Record{r}, nil
}

// answerByAgent hands out the token that an agent has of the connection that was
// named, if that one lists the host. Whatever is otherwise is found out without it.
func (c *cli) answerByAgent(ctx context.Context, f *helperFlags, args []string, host, format, user string) (done bool, err error) {
	named, err := f.named(args)
	if err != nil || named.IsZero() || host == "" {
		return false, nil
	}
	t, err := c.askAgent(ctx, named, engine.TokenOptions{}, f.lockTimeout)
	if err != nil || t == nil || !slices.Contains(t.Hosts, host) {
		return false, nil
	}
	return true, c.handOver(t, format, user)
}

// withHelper runs f with the connection that serves a host, if there is one.
func (c *cli) withHelper(ctx context.Context, f *helperFlags, args []string, host string,
	do func(*engine.Engine, addr.Addr) (read bool, err error),
) error {
	named, err := f.named(args)
	if err != nil || host == "" {
		return err
	}
	return c.withTokens(ctx, f.lockTimeout, func(e *engine.Engine, store *state.Store) (bool, error) {
		a, err := c.serving(ctx, store, named, host)
		if err != nil {
			return false, err
		}
		return do(e, a)
	})
}

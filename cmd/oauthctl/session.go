package main

import (
	"context"
	"os"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

// session is a configuration, its state, and the engine over both.
type session struct {
	c      *cli
	cfg    *schema.Config
	store  *state.Store
	engine *engine.Engine
	closer []func() error
}

// begin reads the configuration and opens its state; with create the state and
// the identity are made if they do not exist.
func (c *cli) begin(ctx context.Context, f *planFlags, create bool) (*session, error) {
	if err := f.work.check(); err != nil {
		return nil, err
	}
	cfg, err := c.loadConfig(ctx, &f.vars, &f.input)
	if err != nil {
		return nil, err
	}
	if err := c.show(checkRecipients(cfg), cfg.Sources); err != nil {
		return nil, err
	}
	s := &session{c: c, cfg: cfg}
	if s.store, err = c.openStateFor(ctx, cfg, create); err != nil {
		return nil, err
	}
	s.closer = append(s.closer, s.store.Close)
	o := engine.Options{
		Store: s.store, Catalog: providers.New(), Now: c.Now, Rand: c.Rand,
		Parallelism: f.work.parallelism, LockTimeout: f.work.lockTimeout,
		OnEvent: c.view.Event, PID: os.Getpid(), Host: hostname(),
	}
	if err := s.connect(ctx, &o, &f.input); err != nil {
		s.close()
		return nil, err
	}
	s.engine = engine.New(o)
	return s, nil
}

// connect fills in the servers and the person: real ones, or the sandbox's.
func (s *session) connect(ctx context.Context, o *engine.Options, in *inputFlags) error {
	c := s.c
	if c.sandbox {
		return s.connectSandbox(ctx, o, in)
	}
	o.HTTP = c.httpClient()
	if c.canConsent(in) {
		o.User = c.console()
	}
	return nil
}

func (s *session) plan(ctx context.Context, f *planFlags) (*plan.Plan, error) {
	p, diags, err := s.engine.Plan(ctx, s.cfg, f.Options)
	if shown := s.c.show(diags, s.cfg.Sources); shown != nil {
		return nil, shown
	}
	return p, err
}

func (s *session) close() {
	for i := len(s.closer) - 1; i >= 0; i-- {
		_ = s.closer[i]()
	}
}

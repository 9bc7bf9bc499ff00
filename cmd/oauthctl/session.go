package main

import (
	"context"
	"errors"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// session is a configuration, its state, and the engine over both.
type session struct {
	c      *cli
	cfg    *schema.Config
	path   string // of the state
	store  *state.Store
	o      engine.Options
	engine *engine.Engine
	closer []func() error
}

// begin reads the configuration and opens its state. It makes nothing: see prepare.
func (c *cli) begin(ctx context.Context, f *planFlags) (*session, error) {
	if err := f.work.check(); err != nil {
		return nil, err
	}
	if f.RefreshOnly && !f.look {
		return nil, advised("leave one of them out", "-refresh-only and -refresh=false contradict each other")
	}
	c.input = &f.input
	f.Consent = c.here(f)
	cfg, err := c.loadFor(ctx, &f.vars, &f.input, f)
	if err != nil {
		return nil, err
	}
	parsed, diags := checkRecipients(cfg)
	if err := c.show(diags, cfg.Sources); err != nil {
		return nil, err
	}
	s := &session{c: c, cfg: cfg, o: engine.Options{
		Catalog: providers.New(), Now: c.Now, Rand: c.Rand,
		Parallelism: f.work.parallelism, LockTimeout: f.work.lockTimeout, NoLock: !f.lock,
		OnEvent: c.event, PID: os.Getpid(), Host: hostname(), WriteBack: c.carries(),
	}}
	for _, r := range parsed {
		s.o.Recipients = append(s.o.Recipients, r.Name)
	}
	if s.path, err = c.statePathFor(cfg); err != nil {
		return nil, err
	}
	if err := s.open(ctx, nil); err != nil {
		return nil, err
	}
	if err := s.connect(ctx, f); err != nil {
		s.close()
		return nil, err
	}
	s.engine = engine.New(s.o)
	return s, nil
}

// open opens the state; recipients are for one that has to be made.
func (s *session) open(ctx context.Context, recipients []string) (err error) {
	if s.store, err = s.c.openStore(ctx, s.path, recipients); err == nil {
		s.o.Store, s.o.Rescuer, s.o.Carry = s.store, s.c.rescuer(s.path), s.c.carry()
	}
	return err
}

// connect fills in the servers and the person: real ones, or the sandbox's.
func (s *session) connect(ctx context.Context, f *planFlags) error {
	c, in := s.c, &f.input
	s.o.Publish, s.o.PublishNothing = c.publishing(), c.sandbox
	if c.sandbox {
		return s.connectSandbox(ctx, in)
	}
	s.o.HTTP = c.httpClient()
	c.tokenSources(&s.o)
	if c.canConsent(in) {
		s.o.User, s.o.NoBrowser = c.asked(), c.canPaste(in) && !f.Consent.NoKeys
	}
	return nil
}

func (s *session) plan(ctx context.Context, f *planFlags) (*plan.Plan, error) {
	for _, list := range [][]addr.Addr{f.Targets, f.Excludes, f.Replace} {
		for _, a := range list {
			if err := s.knows(ctx, a); err != nil {
				return nil, err
			}
		}
	}
	p, diags, err := s.engine.Plan(ctx, s.cfg, f.Options)
	if err == nil && !s.c.sandbox && s.store.Gone(ctx) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "The state is gone",
			Detail: "This machine has seen a state in " + s.store.Location() + ", and there is none now. If it is elsewhere, name it with -state=FILE, or put it back: " +
				"otherwise everything is authorized anew, and what was granted before lives on at the servers."})
	}
	if shown := s.c.show(diags, s.cfg.Sources); shown != nil {
		return nil, shown
	}
	return p, err
}

// knows says which address was probably meant by one that is nowhere.
func (s *session) knows(ctx context.Context, a addr.Addr) error {
	rows, err := readRows(ctx, s.store)
	if err != nil && !errors.Is(err, state.ErrNoState) {
		return err
	}
	for _, conn := range s.cfg.Connections {
		rows = append(rows, state.Summary{Addr: conn.Addr})
	}
	for _, b := range s.cfg.Sinks {
		rows = append(rows, state.Summary{Addr: b.Addr()})
	}
	if len(filterRows(rows, []addr.Addr{a})) > 0 {
		return nil
	}
	return advised(engine.Meant(a, rows), "%s is neither in the configuration nor in the state", a)
}

// prepare makes what a first apply lacks: the identity, so that no command
// needs init, and whom the state will be encrypted for.
func (s *session) prepare(ctx context.Context) error {
	if _, _, err := s.store.Lineage(ctx); !errors.Is(err, state.ErrNoState) {
		return nil // there is a state, or what is wrong with it is for the engine to say
	}
	made, err := s.c.ensureIdentity(ctx)
	if err != nil {
		return err
	}
	if made != "" {
		s.c.view.Note("Made an identity in %s: it opens the state, so keep a copy in a safe place.", made)
	}
	recipients := s.cfg.Settings.Recipients
	if len(recipients) == 0 {
		recipients, err = s.c.ownRecipients(ctx)
	} else {
		err = s.c.lockedOut(ctx, recipients)
	}
	if err == nil && s.c.sandbox {
		_, err = s.c.makeWorkDir()
	}
	if err == nil {
		err = errors.Join(s.store.Close(), s.open(ctx, recipients))
	}
	if err != nil {
		return err
	}
	s.engine = engine.New(s.o)
	return nil
}

func (s *session) close() {
	for i := len(s.closer) - 1; i >= 0; i-- {
		_ = s.closer[i]()
	}
	_ = s.store.Close()
}

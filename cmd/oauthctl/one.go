package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// What import, login and logout share: they are about one connection.

// registerOne adds the flags of a command about one connection.
func (f *planFlags) registerOne(cmd *cobra.Command) {
	fs := cmd.Flags()
	jsonFlag(cmd, &f.json)
	fs.StringVar(&f.into, "json-into", "", "write the events of -json to `FILE` as well")
	f.vars.register(fs)
	f.input.register(fs)
	f.work.register(fs)
	f.look, f.lock = true, true
}

// declares fails if the configuration has no such connection, and says which
// one may be meant.
func (s *session) declares(a addr.Addr, doing string) error {
	failed := &engine.Error{Class: engine.ClassError, Addr: a, Doing: doing}
	var names, instances []string
	for _, conn := range s.cfg.Connections {
		if conn.Addr == a {
			return nil
		}
		names = append(names, conn.Addr.Short())
		if a.Contains(conn.Addr) {
			instances = append(instances, conn.Addr.Short())
		}
	}
	near := schema.Suggest(a.Short(), names)
	switch {
	case len(instances) > 0:
		failed.Err, failed.Remedy = errors.New("it has instances, and this is about one of them"), "name one, such as "+instances[0]
	case near != "":
		failed.Err, failed.Remedy = errors.New("the configuration does not declare it"), "did you mean "+near+"?"
	default:
		failed.Err = errors.New("the configuration does not declare it")
		failed.Remedy = fmt.Sprintf("write a block first: connection %q { provider = \"…\", client_id = \"…\" }", a.Block().Name)
	}
	return failed
}

// onlyAbout: what the connection depends on is changed only where somebody has
// looked at the plan.
func onlyAbout(p *plan.Plan, a addr.Addr, verb string) error {
	i := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Addr != a && c.Action != plan.NoOp })
	if i < 0 {
		return nil
	}
	on := p.Changes[i].Addr
	return &engine.Error{Class: engine.ClassError, Addr: a, Doing: verb + " " + a.String(),
		Err: fmt.Errorf("it depends on %s, which has to be applied first", on), Remedy: "run: oauthctl apply -target=" + outlet.ShellQuote(on.Short())}
}

// planOne plans one connection, and leaves the outputs as they are recorded.
func (s *session) planOne(ctx context.Context, f *planFlags, a addr.Addr) (*plan.Plan, error) {
	f.Targets = []addr.Addr{a}
	p, err := s.plan(ctx, f)
	if err != nil {
		return nil, err
	}
	p.Outputs = nil
	return p, nil
}

// carryOut applies a plan that has been shown, without asking.
func (s *session) carryOut(ctx context.Context, p *plan.Plan, verb string) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	out, err := s.engine.Apply(ctx, s.cfg, p)
	if out == nil {
		return err
	}
	out.Outputs = nil // what was asked for is one connection, whatever is wrong with outputs
	s.c.view.Applied(out, verb)
	if code := outcomeCode(ctx, out); code != exitDone {
		return &shownError{code}
	}
	return nil
}

// completeDeclared completes the addresses of the configuration.
func (c *cli) completeDeclared(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, conn := range c.partialConfig(cmd.Context()).Connections {
		names = append(names, conn.Addr.Short()+"\t"+conn.Provider)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/planfile"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// takePlan reads the saved plan that apply was given.
func (c *cli) takePlan(f *applyFlags, arg string) error {
	o := f.Options
	if o.Destroy || o.RefreshOnly || f.way != wayAuto || len(o.Targets)+len(o.Excludes)+len(o.Replace) > 0 {
		return advised("leave them out, or plan again with them", "a saved plan is carried out as it is: "+
			"-target, -exclude, -replace, -consent, -destroy and -refresh-only were options of the plan")
	}
	path := c.path(arg)
	if _, err := os.Stat(path); err != nil {
		if a, bad := addr.Parse(arg); bad == nil {
			return advised("see: oauthctl apply -help", "there is no saved plan %s%s", path, didYouMean("-target="+a.Short()))
		}
	}
	saved, err := c.readPlan(path)
	if err != nil {
		return err
	}
	switch {
	case saved.Sandbox && !c.sandbox:
		return advised("give -sandbox here as well", "the plan %s was made with -sandbox", path)
	case !saved.Sandbox && c.sandbox:
		return advised("make one for the sandbox: oauthctl plan -out=FILE -sandbox", "the plan %s was made for real servers, without -sandbox", path)
	}
	f.saved = saved
	return nil
}

// stale is the error for a saved plan that does not fit any more.
func stale(format string, args ...any) error {
	return advised("plan again: oauthctl plan -out=FILE", "the saved plan is stale: "+format, args...)
}

// sameFiles refuses a configuration that is not the one that the plan was made from.
func sameFiles(saved *planfile.Saved, src *schema.Sources) error {
	now := fileDigests(saved.Salt, src.Texts())
	for _, name := range sortedNames(saved.Files, now) {
		was, had := saved.Files[name]
		is, has := now[name]
		switch {
		case !has:
			return stale("the file %s of the configuration is gone", name)
		case !had:
			return stale("the file %s of the configuration is new", name)
		case was != is:
			return stale("the file %s of the configuration was changed since", name)
		}
	}
	return nil
}

// verified is a saved plan that fits what is here now, and who the state will be
// encrypted for: everything is looked at before anything is done.
func (s *session) verified(ctx context.Context, saved *planfile.Saved) (*plan.Plan, *rewrap, error) {
	for _, check := range []func(context.Context, *planfile.Saved) error{s.sameState, s.sameSecrets, s.sameInputs, s.sameChanges} {
		if err := check(ctx, saved); err != nil {
			return nil, nil, err
		}
	}
	keys, err := s.rewrap(ctx)
	if err != nil {
		return nil, nil, err
	}
	var now plan.Recipients
	if keys != nil {
		now = keys.Recipients
	}
	then := saved.Plan.Recipients
	if !slices.Equal(now.Added, then.Added) || !slices.Equal(now.Removed, then.Removed) {
		return nil, nil, stale("the recipients of the state were changed since")
	}
	return saved.Plan, keys, nil
}

// sameState proves that the plan was made from this state as it is, by somebody
// who can read it. Refreshes since do not count.
func (s *session) sameState(ctx context.Context, saved *planfile.Saved) error {
	p := saved.Plan
	lineage, serial, err := s.store.Lineage(ctx)
	none := errors.Is(err, state.ErrNoState)
	switch {
	case none && p.Lineage == "":
	case none:
		return stale("the state that it was made from is gone from %s", s.path)
	case err != nil:
		return err
	case p.Lineage == "":
		return stale("there was no state when it was made, and now there is one in %s", s.path)
	case lineage != p.Lineage:
		return advised("give the state that it was made from with -state, or plan again: oauthctl plan -out=FILE",
			"the saved plan was made from another state than the one in %s", s.path)
	}
	if err := saved.Verify(s.sign(ctx, p)); errors.Is(err, planfile.ErrChanged) {
		return advised("plan again: oauthctl plan -out=FILE", "the saved plan cannot be trusted: %w", err)
	} else if err != nil {
		return err
	}
	if serial != p.Serial {
		return stale("something was applied since it was made (the state is at serial %d, the plan at %d)", serial, p.Serial)
	}
	return nil
}

// sameSecrets compares the variables that had to be given again.
func (s *session) sameSecrets(ctx context.Context, saved *planfile.Saved) error {
	in, err := s.cfg.Inputs()
	if err != nil {
		return err
	}
	now, err := s.secretDigests(ctx, saved.Plan, in.Secrets)
	if err != nil {
		return err
	}
	for _, name := range sortedNames(saved.Secrets) {
		if was, is := saved.Secrets[name], now[name]; was != is {
			return advised("give the value that it was made with, or plan again: oauthctl plan -out=FILE",
				"the value of var.%s is not the one that the plan was made with", name)
		}
	}
	return nil
}

// sameInputs compares what the configuration wants: the environment and the
// catalogue may have changed although no file has.
func (s *session) sameInputs(ctx context.Context, saved *planfile.Saved) error {
	now, err := s.engine.Inputs(ctx, s.cfg, saved.Plan, s.inputDigest(ctx, saved.File))
	if err != nil {
		return err
	}
	for _, name := range sortedNames(saved.Inputs, now) {
		if saved.Inputs[name] != now[name] {
			return stale("what is asked for %s is not what it was: the environment has changed, or the version of oauthctl", name)
		}
	}
	return nil
}

// sameChanges makes the plan again where no key could authenticate the saved
// one: without a state there is nothing that could have changed it.
func (s *session) sameChanges(ctx context.Context, saved *planfile.Saved) error {
	if saved.Plan.Lineage != "" {
		return nil
	}
	now, diags, err := s.engine.Plan(ctx, s.cfg, saved.Plan.Options)
	switch {
	case err != nil:
		return err
	case diags.HasErrors():
		return s.c.show(diags, s.cfg.Sources)
	case !planfile.SameChanges(now, saved.Plan):
		return advised("plan again: oauthctl plan -out=FILE", "the saved plan cannot be trusted: %w", planfile.ErrChanged)
	}
	return nil
}

// sortedNames are the names in any of the maps, sorted.
func sortedNames(maps ...map[string]string) []string {
	var names []string
	for _, m := range maps {
		for name := range m {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

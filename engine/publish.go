package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// publishTime bounds what is done at one place.
const publishTime = 2 * time.Minute

// publish writes the values of a sink to its place, and remembers what was written.
func (a *applier) publish(ctx context.Context, c *plan.Change, r *Result) error {
	doing := "publish " + c.Addr.String()
	unlock, err := a.lock(ctx, c.Addr)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	defer unlock()
	rec, others, err := a.sinkRecord(ctx, c)
	if err != nil {
		return err
	}
	s, err := a.sink(ctx, c.Addr)
	if err != nil {
		return err
	}
	if s.State != "" {
		if others {
			return errOthersPublished(c.Addr)
		}
		return a.publishState(ctx, c, s, rec, r)
	}
	next := &state.Published{Place: s.Target.Place(), Hosts: s.Target.Hosts(a.e.publishing()), Names: s.Names}
	if next.Settings, next.Digests, err = a.e.sinkDigests(ctx, s); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	r.Place = next.Place
	if before := rec.Info.Published; others {
		if before.Settings == next.Settings && maps.Equal(before.Digests, next.Digests) {
			return nil // it is done
		}
		return errOthersPublished(c.Addr)
	}
	if err := a.e.o.Store.Probe(ctx); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	if failed := a.send(ctx, c, s, r); failed != nil {
		if next = halfway(rec.Info.Published, next, failed); next != nil {
			failed = errors.Join(failed, a.remember(ctx, rec, s, next))
		}
		return a.e.failure(doing, c.Addr, failed)
	}
	return a.e.failure("remember what was published by "+c.Addr.String(), c.Addr, a.remember(ctx, rec, s, next))
}

func errOthersPublished(a addr.Addr) error {
	return errStale(a, "somebody else has published something since the plan was made")
}

// remember saves what is at a place now.
func (a *applier) remember(ctx context.Context, rec *state.Record, s *sink.Sink, now *state.Published) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	a.e.note(rec, s, now)
	return a.put(ctx, rec)
}

// note writes into the record of a sink what is at its place now.
func (e *Engine) note(rec *state.Record, s *sink.Sink, now *state.Published) {
	rec.Provider, rec.UpdatedAt = s.Type, e.now()
	now.At = rec.UpdatedAt
	rec.Info.Published, rec.Info.DependsOn = now, nil
	for _, d := range s.DependsOn {
		rec.Info.DependsOn = append(rec.Info.DependsOn, d.String())
	}
}

// sinkRecord is the record of a sink, or a new one. others reports that another
// apply has published since the plan was made.
func (a *applier) sinkRecord(ctx context.Context, c *plan.Change) (rec *state.Record, others bool, err error) {
	rec, err = a.e.o.Store.Get(ctx, c.Addr, state.PartAll)
	switch {
	case errors.Is(err, state.ErrNotFound) && c.Generation == 0:
		return &state.Record{Summary: state.Summary{Addr: c.Addr, Status: state.StatusOK}, Tokens: &state.Tokens{},
			Info: &state.Info{Published: &state.Published{}}}, false, nil
	case errors.Is(err, state.ErrNotFound):
		return nil, false, errStale(c.Addr, "the sink was removed from the state since the plan was made")
	case err != nil:
		return nil, false, a.e.failure("read "+c.Addr.String(), c.Addr, err)
	}
	rec = clone(rec)
	if rec.Info.Published == nil {
		rec.Info.Published = &state.Published{}
	}
	return rec, c.Generation == 0 || rec.Info.ConfigSerial > a.p.Serial, nil
}

// sink decodes a sink with the values as they are now: a token that is due is renewed.
func (a *applier) sink(ctx context.Context, of addr.Addr) (*sink.Sink, error) {
	failed := &Error{Class: ClassError, Addr: of, Doing: "read the configuration of " + of.String()}
	i := slices.IndexFunc(a.cfg.Sinks, func(b *schema.Block) bool { return b.Addr() == of })
	if i < 0 {
		return nil, errStale(of, "the sink is not in the configuration any more")
	}
	b := a.cfg.Sinks[i]
	s, diags := sink.Decode(b)
	if diags.HasErrors() {
		failed.Err = errorsOf(diags)
		return nil, failed
	}
	var problems error
	s, diags = sink.Decode(b.With(only(s.DependsOn, a.known(ctx, &problems))))
	switch {
	case problems != nil:
		return nil, a.e.failure("obtain the values of "+of.String(), of, problems)
	case diags.HasErrors():
		failed.Err = errorsOf(diags)
		return nil, failed
	case len(s.Unknown) > 0:
		failed.Err = errors.New("not known even now: " + strings.Join(s.Unknown, ", "))
		failed.Remedy = "apply the connections that it depends on first"
		return nil, failed
	case len(s.Null) > 0:
		failed.Doing = "publish " + of.String()
		failed.Err = errors.New("there is no value for " + strings.Join(s.Null, ", ") + ": the server did not give it")
		failed.Remedy = "take it out of secrets, or ask for it: a refresh token may need a scope such as offline_access"
		return nil, failed
	}
	return s, nil
}

// send does what the plan says at the place.
func (a *applier) send(ctx context.Context, c *plan.Change, s *sink.Sink, r *Result) error {
	if a.e.o.PublishNothing {
		r.Warnings = append(r.Warnings, "nothing was published to "+s.Target.Place()+": it is a sandbox")
		return nil
	}
	if err := s.Fits(s.Values); err != nil {
		return err
	}
	defer a.slot()()
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	if err := s.Target.Publish(ctx, a.e.publishing(), s.Values); err != nil {
		return err
	}
	if p := c.Publication; p != nil && len(p.Removed) > 0 {
		err := s.Target.Remove(ctx, a.e.publishing(), p.Removed)
		var failed *sink.Error
		if errors.As(err, &failed) {
			failed.Written = s.Names // before it came to removing
		}
		return err
	}
	return nil
}

// publishing is what targets get from outside.
func (e *Engine) publishing() sink.Env {
	env := e.o.Publish
	env.HTTP, env.Now, env.Rand = e.o.HTTP, e.o.Now, e.o.Rand
	return env
}

// halfway is what is at a place after a failure, nil if that is what was there
// before. Of what may have been written, nobody knows the value.
func halfway(before, wanted *state.Published, err error) *state.Published {
	var failed *sink.Error
	written := wanted.Names
	if errors.As(err, &failed) {
		written = failed.Written
	}
	if len(written) == 0 {
		return nil
	}
	if before.Place != wanted.Place {
		before = &state.Published{Settings: wanted.Settings}
	}
	out := &state.Published{Place: wanted.Place, Hosts: wanted.Hosts, Settings: before.Settings, Digests: map[string]string{}}
	for _, name := range slices.Concat(before.Names, written) {
		if slices.Contains(out.Names, name) {
			continue
		}
		out.Names = append(out.Names, name)
		if d, ok := before.Digests[name]; ok && !slices.Contains(written, name) {
			out.Digests[name] = d
		}
	}
	slices.Sort(out.Names)
	return out
}

// unpublish takes away what a sink has published, or says that it stays where
// nobody knows how to get there any more.
func (a *applier) unpublish(ctx context.Context, c *plan.Change, rec *state.Record, r *Result) error {
	names := []string{}
	if p := rec.Info.Published; p != nil {
		names, r.Place = p.Names, p.Place
	}
	if c.Action == plan.Remove {
		return a.e.failure("remove "+c.Addr.String(), c.Addr, a.takeAway(ctx, c, names, r))
	}
	if len(names) > 0 {
		r.Warnings = append(r.Warnings, "forgotten here, and left there: "+strings.Join(names, ", ")+" at "+r.Place)
	}
	return nil
}

// only is known of some connections: the tokens of others are of no use, and need not
// be renewed.
func only(wanted []addr.Addr, known schema.Known) schema.Known {
	return func(of addr.Addr) (cty.Value, bool) {
		if !slices.Contains(wanted, of) {
			return cty.NilVal, false
		}
		return known(of)
	}
}

func (a *applier) takeAway(ctx context.Context, c *plan.Change, names []string, r *Result) error {
	i := slices.IndexFunc(a.cfg.Sinks, func(b *schema.Block) bool { return b.Addr() == c.Addr })
	if i < 0 {
		return errStale(c.Addr, "the sink is not in the configuration any more")
	}
	b := a.cfg.Sinks[i]
	s, diags := sink.Decode(b)
	if !diags.HasErrors() && len(s.Through) > 0 {
		var problems error
		s, diags = sink.Decode(b.With(only(s.Through, a.known(ctx, &problems))))
		if problems != nil {
			return problems
		}
	}
	if diags.HasErrors() {
		return &Error{Class: ClassError, Addr: c.Addr, Doing: "read the configuration of " + c.Addr.String(), Err: errorsOf(diags)}
	}
	if len(names) == 0 {
		return nil
	}
	if a.e.o.PublishNothing {
		r.Warnings = append(r.Warnings, "nothing was removed from "+s.Target.Place()+": it is a sandbox")
		return nil
	}
	defer a.slot()()
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	return s.Target.Remove(ctx, a.e.publishing(), names)
}

package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// stateSinks are the sinks of the configuration that publish the whole state.
// Their records are no part of what they compare: publishing would change it.
func stateSinks(cfg *schema.Config) map[addr.Addr]bool {
	out := map[addr.Addr]bool{}
	for _, b := range cfg.Sinks {
		if s, diags := sink.Decode(b); !diags.HasErrors() && s.State != "" {
			out[s.Addr] = true
		}
	}
	return out
}

// WritesBack reports whether the plan publishes the state, so that what it saves is kept there.
func WritesBack(cfg *schema.Config, p *plan.Plan) bool {
	sinks := stateSinks(cfg)
	return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Action == plan.Publish && sinks[c.Addr] })
}

// Unpublished reports whether a sink should have published the state, and could not.
func Unpublished(cfg *schema.Config, out *Outcome) bool {
	sinks := stateSinks(cfg)
	return slices.ContainsFunc(out.Results, func(r Result) bool {
		return sinks[r.Addr] && r.Action == plan.Publish && (r.State == Failed || r.State == Waiting) && !r.published
	})
}

// stateWant is the want of a sink that publishes the whole state.
func (e *Engine) stateWant(ctx context.Context, cfg *schema.Config, s *sink.Sink, in *plan.Input) (plan.Want, error) {
	w := e.wantOf(s)
	w.Notes = append(w.Notes, "the value is the whole state, sealed, as it is when everything else is saved")
	if in.Lineage == "" {
		return w, nil
	}
	all, due := e.rotating(cfg, in.Records)
	switch {
	case e.o.WriteBack && len(due) > 0:
		w.Sink.Due = due
		w.Notes = append(w.Notes, "renewed first, because it is due and there will be another refresh token: "+someOf(due))
	case !e.o.WriteBack && len(all) > 0 && slices.ContainsFunc(in.Records, func(r *state.Record) bool { return r.Addr == s.Addr }):
		w.Notes = append(w.Notes, "it replaces what jobs have published there since. If one of them has refreshed, its refresh token is lost; "+
			"give these a new consent in the same apply, with -replace: "+someOf(all))
	}
	recipients, err := e.recipients(ctx)
	if err != nil {
		return w, err
	}
	rows := make([]state.Summary, len(in.Records), len(in.Records)+1)
	for i, r := range in.Records {
		rows[i] = r.Summary
	}
	if rows, err = e.withOutputs(ctx, rows); err != nil {
		return w, err
	}
	w.Sink.Settings, w.Sink.Digests, err = e.stateDigest(ctx, s, recipients, rows, stateSinks(cfg))
	return w, err
}

// withOutputs adds what is recorded of outputs, if anything is, to the rows of a state.
func (e *Engine) withOutputs(ctx context.Context, rows []state.Summary) ([]state.Summary, error) {
	rec, err := e.recorded(ctx)
	if rec == nil || err != nil {
		return rows, err
	}
	return append(rows, rec.Summary), nil
}

// recipients are those that the state will be sealed for: of the configuration,
// where it names any.
func (e *Engine) recipients(ctx context.Context) ([]string, error) {
	if e.o.Recipients != nil {
		return e.o.Recipients, nil
	}
	return e.o.Store.Recipients(ctx)
}

// rotating are the connections of the configuration whose refresh token is another
// after every refresh: who renews such a one has to keep what comes with it. Others
// can be renewed by every job for itself. due are those whose access token is due.
func (e *Engine) rotating(cfg *schema.Config, records []*state.Record) (all, due []addr.Addr) {
	wanted := make(map[addr.Addr]bool, len(cfg.Connections))
	for _, c := range cfg.Connections {
		wanted[c.Addr] = true
	}
	for _, r := range records {
		if !wanted[r.Addr] || r.Status != state.StatusOK || !rotates(r) {
			continue
		}
		all = append(all, r.Addr)
		if !e.lasts(r, e.now(), 0) {
			due = append(due, r.Addr)
		}
	}
	return all, due
}

// rotates: a refresh brings another refresh token.
func rotates(r *state.Record) bool {
	return r.Info != nil && r.Info.HasRefresh && r.Info.Client.Rotation != "none"
}

func someOf(list []addr.Addr) string {
	const most = 5
	var names []string
	for _, a := range list[:min(len(list), most)] {
		names = append(names, a.String())
	}
	text := strings.Join(names, ", ")
	if n := len(list) - most; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// stateDigest stands for what is published of a state: for whom it is sealed, and
// which generation of which record is in it, without those of the sinks that publish it.
func (e *Engine) stateDigest(ctx context.Context, s *sink.Sink, recipients []string, rows []state.Summary, sinks map[addr.Addr]bool) (string, map[string]string, error) {
	var b strings.Builder
	for _, r := range slices.Sorted(slices.Values(recipients)) {
		b.WriteString(r + "\n")
	}
	lines := make([]string, 0, len(rows))
	for _, r := range rows {
		if !sinks[r.Addr] {
			lines = append(lines, r.Addr.String()+" "+strconv.FormatUint(r.Generation, 10)+"\n")
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, ""))
	of := *s
	of.Values = []sink.Value{{Name: s.State, Secret: secret.Secret(b.String())}}
	return e.sinkDigests(ctx, &of)
}

// statesLast takes out of the changes those that publish the state. They wait for
// all others, whatever becomes of them.
func (a *applier) statesLast(all []*node) (rest, last []*node) {
	sinks := stateSinks(a.cfg)
	for _, n := range all {
		if n.change.Action == plan.Publish && sinks[n.change.Addr] {
			last = append(last, n)
			continue
		}
		n.next = slices.DeleteFunc(n.next, func(m *node) bool { return m.change.Action == plan.Publish && sinks[m.change.Addr] })
		rest = append(rest, n)
	}
	return rest, last
}

// publishStates does what was left for the end, and returns what has a result.
// What was saved is published also after an interruption: it may be nowhere else.
func (a *applier) publishStates(ctx context.Context, last []*node) []*node {
	done := last[:0]
	for _, n := range last {
		switch {
		case ctx.Err() != nil && !a.saved():
		case a.nothingNew(ctx, n.change):
			continue // what was to change it is waiting for a person, or failed
		default:
			r := a.do(context.WithoutCancel(ctx), n.change)
			n.result = &r
		}
		done = append(done, n)
	}
	return done
}

// saved: this apply has written something.
func (a *applier) saved() bool {
	a.raising.Lock()
	defer a.raising.Unlock()
	return a.serial != 0
}

// nothingNew: the only reason was what the plan would change, and that did not happen.
func (a *applier) nothingNew(ctx context.Context, c *plan.Change) bool {
	if c.Generation == 0 || len(c.Reasons) != 1 || c.Reasons[0] != plan.ReasonStateChanges {
		return false
	}
	rec, err := a.e.o.Store.Get(ctx, c.Addr, state.PartInfo)
	if err != nil || rec.Info.Published == nil {
		return false
	}
	s, err := a.sink(ctx, c.Addr)
	if err != nil {
		return false
	}
	next, err := a.statePublished(ctx, s)
	return err == nil && maps.Equal(rec.Info.Published.Digests, next.Digests)
}

// statePublished is what will be at the place.
func (a *applier) statePublished(ctx context.Context, s *sink.Sink) (*state.Published, error) {
	rows, err := a.e.o.Store.Summaries(ctx)
	if err == nil {
		rows, err = a.e.withOutputs(ctx, rows)
	}
	if err != nil {
		return nil, err
	}
	recipients, err := a.e.o.Store.Recipients(ctx)
	if err != nil {
		return nil, err
	}
	next := &state.Published{Place: s.Target.Place(), Hosts: s.Target.Hosts(a.e.publishing()), Names: s.Names}
	next.Settings, next.Digests, err = a.e.stateDigest(ctx, s, recipients, rows, stateSinks(a.cfg))
	return next, err
}

// publishState publishes the whole state, with the record in it that says so.
// Until that is done, the record here says that nobody knows what is at the place.
func (a *applier) publishState(ctx context.Context, c *plan.Change, s *sink.Sink, rec *state.Record, r *Result) error {
	doing := "publish the state with " + c.Addr.String()
	failed := a.renewDue(ctx, c)
	next, err := a.statePublished(ctx, s)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	r.Place = next.Place
	open := *next
	open.Digests = nil
	if p := rec.Info.Published; p.Place == next.Place {
		open.Names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Names, next.Names))))
	}
	if err := a.remember(ctx, rec, s, &open); err != nil {
		return a.e.failure("note that the state is being published by "+c.Addr.String(), c.Addr, err)
	}
	with := clone(rec)
	a.e.note(with, s, next)
	text, save, err := a.e.o.Store.ExportNext(ctx, with)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	s.Values = []sink.Value{stateValue(s, text)}
	if err := a.sendAgain(ctx, c, s, r); err != nil {
		return a.e.notWrittenBack(doing, c.Addr, err)
	}
	r.published = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	if err := save(ctx); err != nil {
		return a.e.failure("remember what was published by "+c.Addr.String(), c.Addr, err)
	}
	return failed
}

// stateValue is a document as OAUTHCTL_STATE takes it.
func stateValue(s *sink.Sink, text []byte) sink.Value {
	return sink.Value{Name: s.State, Secret: secret.Secret(base64.StdEncoding.EncodeToString(text))}
}

// sendAgain is send that does not give up at once: what it sends may be nowhere else.
func (a *applier) sendAgain(ctx context.Context, c *plan.Change, s *sink.Sink, r *Result) error {
	err := a.send(ctx, c, s, r)
	for _, d := range []time.Duration{time.Second, 2 * time.Second} {
		var failed *sink.Error
		if !a.e.o.WriteBack || !errors.As(err, &failed) || failed.Kind != sink.Temporary {
			return err
		}
		sleep(ctx, d)
		err = a.send(ctx, c, s, r)
	}
	return err
}

// notWrittenBack: what was saved is not where the next job will look. To try again
// with the state of before is the one thing that must not be done.
func (e *Engine) notWrittenBack(doing string, a addr.Addr, err error) error {
	failed := e.failure(doing, a, err)
	var out *Error
	if e.o.WriteBack && errors.As(failed, &out) {
		remedy := "do not run it again with the state of before, but with that of this run"
		if out.Class == ClassError && out.Remedy != "" {
			remedy += "; " + out.Remedy
		}
		out.Class, out.Remedy = ClassError, remedy
		out.Err = fmt.Errorf("what this run has saved is not where the next one will look for it, and a refresh token that was used is spent: %w", out.Err)
	}
	return failed
}

// renewDue renews what is due and has to be kept, as far as the plan says so.
func (a *applier) renewDue(ctx context.Context, c *plan.Change) error {
	if !slices.Contains(c.Reasons, plan.ReasonTokenDue) {
		return nil
	}
	records, err := a.e.o.Store.All(ctx, state.PartInfo)
	if err != nil {
		return a.e.failure("renew what is due", c.Addr, err)
	}
	_, due := a.e.rotating(a.cfg, records)
	errs := make([]error, len(due))
	turns := make(chan struct{}, a.atOnce())
	var wg sync.WaitGroup
	for i, of := range due {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			_, errs[i] = a.e.renew(ctx, renewal{addr: of, operation: "apply", slot: a.slot})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// proveStates writes the state as it is to where it will be published, before
// anything is spent: what comes later has no other place. Where the token of the
// place comes from a connection, that is not known yet.
func (a *applier) proveStates(ctx context.Context) error {
	if !a.e.o.WriteBack || a.e.o.PublishNothing {
		return nil
	}
	sinks := stateSinks(a.cfg)
	busy := func(c plan.Change) bool {
		switch {
		case c.Action == plan.NoOp, c.NeedsUser && a.e.o.User == nil:
			return false
		case sinks[c.Addr]:
			return slices.Contains(c.Reasons, plan.ReasonTokenDue)
		}
		return true
	}
	if !slices.ContainsFunc(a.p.Changes, busy) {
		return nil
	}
	for i := range a.p.Changes {
		c := &a.p.Changes[i]
		if c.Action != plan.Publish || !sinks[c.Addr] {
			continue
		}
		if err := a.proveState(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) proveState(ctx context.Context, c *plan.Change) error {
	b := a.cfg.Sinks[slices.IndexFunc(a.cfg.Sinks, func(b *schema.Block) bool { return b.Addr() == c.Addr })]
	s, diags := sink.Decode(b)
	if diags.HasErrors() || len(s.Through) > 0 {
		return nil // the change itself says what is wrong
	}
	text, err := a.e.o.Store.Export(ctx)
	if err == nil {
		s.Values = []sink.Value{stateValue(s, text)}
		of := *c
		of.Publication = nil
		err = a.send(ctx, &of, s, &Result{})
	}
	if err == nil {
		return nil
	}
	failed := a.e.failure("try whether the state can be published by "+c.Addr.String(), c.Addr, err)
	var out *Error
	if errors.As(failed, &out) {
		out.Err = fmt.Errorf("nothing was sent to any server, because the new state would be lost: %w", out.Err)
	}
	return failed
}

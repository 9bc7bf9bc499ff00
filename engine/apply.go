package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Apply carries out a plan made from the same configuration, in dependency
// order, independent changes in parallel, consents one at a time.
//
// One failure does not stop what is independent of it; what succeeded is saved.
// When ctx ends, nothing new is started, and what has been handed out is still
// saved. The error is not nil only if nothing could be started, or an output
// cannot be evaluated; what became of the changes is in the Outcome.
func (e *Engine) Apply(ctx context.Context, cfg *schema.Config, p *plan.Plan) (*Outcome, error) {
	_, _ = e.Recover(ctx, nil, false) // before anything is built on tokens that are spent; "recover" tells what fails
	if p.Empty() {
		out := &Outcome{}
		return out, e.outputs(ctx, cfg, p, out)
	}
	if err := e.prepare(ctx, p); err != nil {
		return nil, err
	}
	a := &applier{
		e: e, cfg: cfg, p: p, env: e.env(),
		conns: make(map[addr.Addr]*schema.Connection, len(cfg.Connections)),
		slots: make(chan struct{}, e.o.Parallelism),
		held:  map[addr.Addr]*state.Record{},
	}
	a.env.Shared = new(grant.Shared)
	for _, c := range cfg.Connections {
		a.conns[c.Addr] = c
	}
	if err := a.proveStates(ctx); err != nil {
		return nil, err
	}
	a.unmoved = a.move(ctx)
	if err := a.recordOutputs(ctx); err != nil {
		return nil, err
	}
	out := &Outcome{Results: a.run(ctx)}
	return out, e.outputs(context.WithoutCancel(ctx), cfg, p, out)
}

// prepare proves that the state is the one that the plan was made from, and
// that it can be written, before any person is asked and any request is made.
func (e *Engine) prepare(ctx context.Context, p *plan.Plan) error {
	const doing = "prepare to apply the plan"
	stale := &Error{Class: ClassError, Doing: doing, Remedy: "plan again: oauthctl plan"}
	lineage, serial, err := e.o.Store.Lineage(ctx)
	switch {
	case errors.Is(err, state.ErrNoState) && p.Lineage == "":
		if err = e.o.Store.Create(ctx); errors.Is(err, state.ErrUnwritable) {
			return &Error{Class: ClassError, Doing: doing, Err: err,
				Remedy: "make the directory of " + e.o.Store.Location() + " writable, or room in it, or keep the state elsewhere with -state=FILE"}
		}
	case errors.Is(err, state.ErrNoState):
		stale.Err = errors.New("the state that the plan was made from is gone")
		return stale
	case err != nil:
	case p.Lineage != "" && p.Lineage != lineage:
		stale.Err = errors.New("the plan was made from another state")
		return stale
	case p.Lineage != "" && p.Serial != serial:
		stale.Err = errors.New("the plan is stale: something was applied since it was made")
		return stale
	}
	if err == nil {
		err = e.o.Store.Probe(ctx)
	}
	return e.failure(doing, addr.Addr{}, err)
}

// applier carries out one plan.
type applier struct {
	e     *Engine
	cfg   *schema.Config
	p     *plan.Plan
	env   grant.Env // of flows: each metadata document is asked for once
	conns map[addr.Addr]*schema.Connection
	slots chan struct{} // requests under way

	unmoved error                       // why what should have moved is still at its former address
	moved   map[addr.Addr]state.Renamed // by the new address

	mu   sync.Mutex
	held map[addr.Addr]*state.Record // what this apply has saved

	raising sync.Mutex
	serial  uint64 // the configuration serial of this apply; 0: nothing is saved yet
}

// put saves a record under the configuration serial of this apply. The first
// save raises it, in the same write: an apply that saves nothing leaves plans valid.
// So does one of a record that begins again at its address after another apply: what lived
// there meanwhile was not later.
func (a *applier) put(ctx context.Context, r *state.Record) error {
	again := a.beginsAgain(ctx, r)
	a.raising.Lock()
	if a.serial == 0 || again && a.overtaken(ctx) {
		defer a.raising.Unlock()
		err := a.e.o.Store.PutNext(ctx, r)
		if err == nil {
			a.serial = r.Info.ConfigSerial
		}
		return err
	}
	r.Info.ConfigSerial = a.serial
	a.raising.Unlock()
	return a.e.o.Store.Put(ctx, r)
}

// beginsAgain: there is no record at the address, and there has been one.
func (a *applier) beginsAgain(ctx context.Context, r *state.Record) bool {
	if r.Generation > 0 {
		return false
	}
	next, err := a.e.o.Store.NextGeneration(ctx, r.Addr)
	return err == nil && next > 1
}

// overtaken: another apply has raised the serial since this one did.
func (a *applier) overtaken(ctx context.Context) bool {
	_, now, err := a.e.o.Store.Lineage(ctx)
	return err == nil && now > a.serial
}

// remove takes a record out of the state; see put.
func (a *applier) remove(ctx context.Context, r *state.Record) (err error) {
	a.raising.Lock()
	if a.serial == 0 {
		defer a.raising.Unlock()
		a.serial, err = a.e.o.Store.DeleteNext(ctx, r.Addr, r.Generation)
		return err
	}
	a.raising.Unlock()
	return a.e.o.Store.Delete(ctx, r.Addr, r.Generation)
}

// bury takes a record out of the state whose tokens were revoked: they are not kept.
func (a *applier) bury(ctx context.Context, r *state.Record) (err error) {
	a.raising.Lock()
	if a.serial == 0 {
		defer a.raising.Unlock()
		a.serial, err = a.e.o.Store.BuryNext(ctx, r, a.e.now())
		return err
	}
	a.raising.Unlock()
	return a.e.o.Store.Bury(ctx, r, a.e.now())
}

// slot waits for a turn on the network.
func (a *applier) slot() (release func()) {
	a.slots <- struct{}{}
	return func() { <-a.slots }
}

// hold remembers a saved record for the connections that depend on it.
func (a *applier) hold(r *state.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held[r.Addr] = r
}

// known gives the attributes of a connection, tokens included, as they are now.
// What keeps it from that is added to problems.
func (a *applier) known(ctx context.Context, problems *error) schema.Known {
	return func(of addr.Addr) (cty.Value, bool) {
		a.mu.Lock()
		rec := a.held[of]
		a.mu.Unlock()
		if rec == nil {
			out, err := a.e.renew(ctx, renewal{addr: of, operation: "apply", slot: a.slot})
			if err != nil {
				*problems = errors.Join(*problems, err)
				return cty.NilVal, false
			}
			rec = out.record
		}
		return attributes(rec), true
	}
}

// client evaluates a connection with what it depends on, and finds its server.
func (a *applier) client(ctx context.Context, of addr.Addr) (*grant.Client, error) {
	doing := "read the configuration of " + of.String()
	conn := a.conns[of]
	if conn == nil {
		return nil, errStale(of, "the connection is not in the configuration any more")
	}
	if refers(conn) {
		var problems error
		resolved, diags := a.cfg.Resolve(of, a.known(ctx, &problems))
		if diags.HasErrors() {
			return nil, &Error{Class: ClassError, Addr: of, Doing: doing, Err: errorsOf(diags)}
		}
		conn = resolved
		if len(conn.Unknown) > 0 {
			err := cmp.Or(problems, errors.New("not known even now: "+strings.Join(conn.Unknown, ", ")))
			out := &Error{Class: ClassError, Addr: of, Doing: doing, Err: err, Remedy: "apply the connections that it depends on first"}
			if up := (*Error)(nil); errors.As(problems, &up) { // a person who is needed there is needed for this one
				out.Class, out.Remedy = up.Class, cmp.Or(up.Remedy, out.Remedy)
			}
			return nil, out
		}
	}
	c, diags := a.e.client(a.cfg, conn)
	if diags.HasErrors() {
		return nil, &Error{Class: ClassError, Addr: of, Doing: doing, Err: errorsOf(diags)}
	}
	if problem := c.Choose(here(a.p.Options.Consent)); problem != "" {
		return nil, &Error{Class: ClassError, Addr: of, Doing: doing, Err: errors.New(problem)}
	}
	return c, nil
}

func errorsOf(diags hcl.Diagnostics) error {
	return slices.DeleteFunc(slices.Clone(diags), func(d *hcl.Diagnostic) bool { return d.Severity != hcl.DiagError })
}

var errNobody = errors.New("a person has to consent, and nobody is here")

// do carries out one change.
func (a *applier) do(ctx context.Context, c *plan.Change) Result {
	start := a.e.now()
	r := Result{Addr: c.Addr, MovedFrom: c.MovedFrom, Action: c.Action}
	if c.NeedsUser && a.e.o.User == nil {
		r.Err = &Error{Class: ClassNeedsUser, Addr: c.Addr, Doing: string(c.Action) + " " + c.Addr.String(),
			Err: errNobody, Remedy: "on a machine with a browser, " + applyCommand(c.Addr)}
		return a.end(r, start)
	}
	a.e.emit(Event{Type: EventStart, Addr: c.Addr, Action: c.Action})
	if !r.MovedFrom.IsZero() && a.unmoved != nil {
		r.Err = a.unmoved
		return a.end(r, start)
	}
	if r.Err = a.ready(ctx, c); r.Err != nil {
		return a.end(r, start)
	}
	switch c.Action {
	case plan.Move:
	case plan.Authorize, plan.Reauthorize:
		r.Err = a.authorize(ctx, c, &r)
	case plan.Import:
		r.Err = a.adopt(ctx, c, &r)
	case plan.Refresh:
		r.Err = a.refresh(ctx, c, &r)
	case plan.Update:
		r.Err = a.update(ctx, c, &r)
	case plan.Publish:
		r.Err = a.publish(ctx, c, &r)
	case plan.Revoke, plan.Forget, plan.Remove:
		r.Err = a.revoke(ctx, c, &r)
	default:
		r.Err = &Error{Class: ClassError, Addr: c.Addr, Doing: "apply the change of " + c.Addr.String(),
			Err: errors.New("this version cannot " + string(c.Action))}
	}
	if r.Err == nil {
		r.Err = a.satisfied(ctx, c)
	}
	return a.end(r, start)
}

// end classifies a result and tells it.
func (a *applier) end(r Result, start time.Time) Result {
	r.Elapsed = a.e.now().Sub(start)
	ev := Event{Type: EventDone, Addr: r.Addr, Action: r.Action, Err: r.Err, Elapsed: r.Elapsed}
	var g *grant.Error
	switch {
	case r.Err == nil:
		r.State = Done
		ev.ExpiresAt, ev.RefreshExpiresAt = r.ExpiresAt, r.RefreshExpiresAt
		if r.Action == plan.Publish {
			ev.Text = r.Place
		}
	case errors.Is(r.Err, errNobody), errors.As(r.Err, &g) && g.Kind == grant.NeedsUser:
		r.State, ev.Type = Waiting, EventWaiting
	default:
		r.State, ev.Type = Failed, EventFailed
	}
	for _, w := range r.Warnings {
		a.e.emit(Event{Type: EventWarning, Addr: r.Addr, Action: r.Action, Text: w})
	}
	a.e.emit(ev)
	return r
}

// skip is the result of a change that was never started.
func (a *applier) skip(c *plan.Change, why error) Result {
	r := Result{Addr: c.Addr, Action: c.Action, State: Skipped, Err: why}
	a.e.emit(Event{Type: EventSkipped, Addr: c.Addr, Action: c.Action, Err: why})
	return r
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// importable reports imports of a plan that cannot work: a token that is not
// there, and a grant that has none.
func importable(cfg *schema.Config, p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action != plan.Import {
			continue
		}
		if !grant.HasRefreshToken(c.Grant) {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Nothing to import",
				Detail:  fmt.Sprintf("The grant %s of %s has no refresh tokens: the client asks for a token by itself. Remove the import block.", c.Grant, c.Addr),
				Subject: cfg.ImportRange(c.Addr), Extra: schema.DiagExtra{Addr: c.Addr},
			})
			continue
		}
		_, d := cfg.ImportToken(c.Addr)
		diags = append(diags, d...)
	}
	return diags
}

// printToken adds a digest of the token that is going to be imported to the
// fingerprint of a want: a saved plan is about this one.
func (e *Engine) printToken(ctx context.Context, cfg *schema.Config, w *plan.Want) error {
	token, diags := cfg.ImportToken(w.Addr)
	if diags.HasErrors() {
		return &Error{Class: ClassError, Addr: w.Addr, Doing: "read the refresh token to import", Err: errorsOf(diags)}
	}
	digest, err := e.o.Store.Digest(ctx, "refresh_token", token.Reveal())
	if err != nil {
		return e.failure("digest what the configuration wants", w.Addr, err)
	}
	if w.Fingerprint == nil {
		w.Fingerprint = map[string]string{}
	}
	w.Fingerprint["refresh_token"] = digest
	return nil
}

// adopt begins a connection with a refresh token that was given elsewhere. The
// token may work only once, so that it is in the state, with the intent to send
// it, before it is sent; whoever comes after a crash goes on from there.
func (a *applier) adopt(ctx context.Context, c *plan.Change, r *Result) error {
	doing := "import " + c.Addr.String()
	token, diags := a.cfg.ImportToken(c.Addr)
	if diags.HasErrors() {
		return &Error{Class: ClassError, Addr: c.Addr, Doing: doing, Err: errorsOf(diags)}
	}
	client, err := a.client(ctx, c.Addr)
	if err != nil {
		return err
	}
	if err := a.prepare(ctx, client); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	unlock, err := a.lockAnyway(ctx, c)
	if err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	defer unlock()
	if err := a.absent(ctx, c); err != nil {
		return err
	}
	if err := a.e.o.Store.Probe(ctx); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	if err := ctx.Err(); err != nil {
		return a.e.failure(doing, c.Addr, err)
	}
	ctx = context.WithoutCancel(ctx) // from here on there is something to lose
	rec, err := a.intendImport(ctx, c, client, token)
	if err != nil {
		return err
	}
	g, err := a.prove(ctx, client, token)
	if err != nil {
		return a.notImported(ctx, rec, g, err)
	}
	r.Warnings = append(r.Warnings, g.Warnings...)
	next := imported(rec, g, a.e.now())
	w := &renewal{addr: c.Addr, operation: "import", put: a.put}
	if err := a.e.saveRenewed(ctx, w, rec, next); err != nil {
		return err
	}
	a.finished(next, r)
	return nil
}

// prepare looks, in its turn on the network, whether the token can be sent.
func (a *applier) prepare(ctx context.Context, client *grant.Client) error {
	defer a.slot()()
	return client.Prepare(ctx, a.env)
}

// lockAnyway takes the lock even with -lock=false: what is sent may work only once.
func (a *applier) lockAnyway(ctx context.Context, c *plan.Change) (state.Unlock, error) {
	ctx, cancel := context.WithTimeout(ctx, a.e.o.LockTimeout)
	defer cancel()
	return a.e.o.Store.Lock(ctx, c.Addr, "import")
}

// absent makes sure that nothing was authorized or imported since the plan.
func (a *applier) absent(ctx context.Context, c *plan.Change) error {
	_, err := a.e.o.Store.Get(ctx, c.Addr, state.PartInfo)
	switch {
	case errors.Is(err, state.ErrNotFound), errors.Is(err, state.ErrNoState):
		return nil
	case err != nil:
		return a.e.failure("read "+c.Addr.String(), c.Addr, err)
	}
	return errStale(c.Addr, "somebody else authorized or imported the connection since the plan was made")
}

// intendImport saves the token that is about to be sent. Until the answer, nobody
// knows what becomes of it; the scopes are taken for those that are wanted, since
// no server is bound to repeat them (RFC 6749 §5.1).
func (a *applier) intendImport(ctx context.Context, c *plan.Change, client *grant.Client, token secret.Secret) (*state.Record, error) {
	now := a.e.now()
	digest, err := a.e.o.Store.Digest(ctx, "refresh_token", token.Reveal())
	if err != nil {
		return nil, a.e.failure("import "+c.Addr.String(), c.Addr, err)
	}
	rec := &state.Record{
		Summary: state.Summary{Addr: c.Addr, Status: state.StatusUnknown, UpdatedAt: now},
		Info: &state.Info{Granted: client.Scopes, Intent: &state.Intent{
			At: now, Digest: digest, PID: a.e.o.PID, Host: a.e.o.Host, Sends: 1,
		}},
		Tokens: &state.Tokens{RefreshToken: token},
	}
	if err := a.settle(ctx, rec, client); err != nil {
		return nil, a.e.failure("import "+c.Addr.String(), c.Addr, err)
	}
	switch err := a.put(ctx, rec); {
	case errors.Is(err, state.ErrConflict):
		return nil, errStale(c.Addr, "somebody else authorized or imported the connection since the plan was made")
	case err != nil:
		return nil, a.e.failure("import "+c.Addr.String(), c.Addr, err)
	}
	return rec, nil
}

// prove sends the token once, in its turn on the network.
func (a *applier) prove(ctx context.Context, client *grant.Client, token secret.Secret) (*grant.Grant, error) {
	defer a.slot()()
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	return client.Import(ctx, a.env, token)
}

// notImported says what became of a token that was sent. Only if nobody knows
// does it stay in the state; else it is taken out again.
func (a *applier) notImported(ctx context.Context, rec *state.Record, g *grant.Grant, err error) error {
	doing := "import " + rec.Addr.String()
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	var e *grant.Error
	if errors.As(err, &e) && e.Outcome == grant.Unknown && g == nil {
		return &Error{Class: ClassTemporary, Addr: rec.Addr, Doing: doing,
			Err:    fmt.Errorf("the refresh token was sent and no answer arrived, so that nobody knows whether it still works; it is in the state: %w", err),
			Remedy: "send it once more, run: " + command("token", "", rec.Addr) + "; if that fails, " + replaceCommand(rec.Addr)}
	}
	if e != nil && replaced(rec, g) {
		told := *e
		told.Detail += "; the server had replaced the refresh token with its answer, so that the one that was imported has ended"
		err = &told
	}
	failed := a.e.failure(doing, rec.Addr, err)
	var out *Error
	if errors.As(failed, &out) && e != nil {
		out.Remedy = importRemedy(e, out, a.cfg.ImportRange(rec.Addr) != nil)
	}
	if err := a.remove(ctx, rec); err != nil {
		return errors.Join(failed, a.e.failure("take "+rec.Addr.String()+" out of the state again", rec.Addr, err))
	}
	return failed
}

// replaced: the answer had another refresh token in it.
func replaced(rec *state.Record, g *grant.Grant) bool {
	return g != nil && !g.Tokens.RefreshToken.Equal(rec.Tokens.RefreshToken)
}

// importRemedy is what to do about a token that is not imported.
func importRemedy(e *grant.Error, out *Error, block bool) string {
	consent := "have a person consent, " + applyCommand(out.Addr)
	if block {
		consent = "remove the import block and " + consent
	}
	switch {
	case e.Kind == grant.Rejected:
		return "give another token: this one has ended, was used before, or belongs to another client; or " + consent
	case e.Outcome == grant.NotSent && e.Kind == grant.Temporary:
		return "try again: the token was not sent"
	case e.Kind == grant.Account:
		return "give a token of the account that is declared, or correct account in the connection"
	case e.Kind == grant.Temporary && out.Remedy == "":
		return "try again later"
	}
	return out.Remedy
}

// imported is the record of a token that has proved itself. When the person
// consented nobody here knows, so that no end is computed from it.
func imported(sent *state.Record, g *grant.Grant, now time.Time) *state.Record {
	next := renewed(sent, g, now)
	next.Generation = sent.Generation
	next.RefreshExpiresAt = g.RefreshExpiresAt
	return next
}

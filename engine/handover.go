package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// HandOverOptions of HandOver.
type HandOverOptions struct {
	To      []string // recipients of the other state
	Keep    bool     // this state keeps the tokens as well
	Sandbox bool     // the state is one of the sandbox
}

// Deliver takes a sealed consent where it belongs, and reports whether it is known to be there
// for good: what goes into a pipe may never arrive.
type Deliver func(sealed []byte) (durable bool, err error)

// HandOver seals the consent of a connection for another state and gives it to
// deliver. When that has succeeded, this state lets go of the tokens: two states
// with one refresh token would end each other's grant. With Keep it does not, and
// the warning says what that costs. What is kept of earlier generations goes in the same write,
// if what was delivered cannot be lost any more; else the warning says that it is still there.
func (e *Engine) HandOver(ctx context.Context, a addr.Addr, o HandOverOptions, deliver Deliver) (warning string, err error) {
	doing := "export the consent of " + a.String()
	if a.Kind != addr.KindConnection {
		return "", &Error{Class: ClassError, Addr: a, Doing: doing, Err: errors.New("only connections have one")}
	}
	waiting, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	unlock, err := e.o.Store.Lock(waiting, a, "export")
	cancel()
	if err != nil {
		return "", e.failure(doing, a, err)
	}
	defer unlock()
	rec, err := e.o.Store.Get(ctx, a, state.PartAll)
	if errors.Is(err, state.ErrNotFound) {
		return "", e.notFound(ctx, a, err)
	}
	if err == nil {
		rec, err = e.putBack(context.WithoutCancel(ctx), rec)
	}
	if err != nil {
		return "", e.failure(doing, a, err)
	}
	if err := exportable(rec, doing); err != nil {
		return "", err
	}
	if !o.Keep { // what cannot be let go of here is not given away
		if err := e.o.Store.Probe(ctx); err != nil {
			return "", e.failure(doing, a, err)
		}
	}
	sealed, err := state.SealConsent(rec, o.To, o.Sandbox)
	if err != nil {
		return "", &Error{Class: ClassError, Addr: a, Doing: doing, Err: err}
	}
	durable, err := deliver(sealed)
	if err != nil {
		return "", &Error{Class: ClassError, Addr: a, Doing: doing, Err: err}
	}
	if o.Keep {
		return keptToo(rec), nil
	}
	put := e.o.Store.PutLast
	if !durable {
		put = e.o.Store.PutNext
		warning = "until you run " + command("state forget", "", a) + ", earlier generations with its tokens stay in this state, in case that it does not arrive"
	}
	if err := put(context.WithoutCancel(ctx), e.handedOver(rec, o.To)); err != nil {
		failed := &Error{Class: ClassState, Addr: a, Doing: doing, Err: fmt.Errorf("it is written, and this state could not let go of it: %w", err),
			Remedy: "do not import what was written; destroy it and export again"}
		return "", failed
	}
	return warning, nil
}

// exportable: there is a consent, and it is whole.
func exportable(r *state.Record, doing string) error {
	refuse := func(remedy, format string, args ...any) error {
		return &Error{Class: ClassError, Addr: r.Addr, Doing: doing, Err: fmt.Errorf(format, args...), Remedy: remedy}
	}
	switch {
	case renewsItself(r):
		return refuse("apply there: the configuration is all it takes", "nobody consented to it: the client gets its tokens by itself")
	case r.Status == state.StatusHandedOver:
		return refuse(replaceCommand(r.Addr), "%s", handedTo(r))
	case r.Info.Intent != nil || r.Status == state.StatusUnknown:
		return refuse(command("token", "", r.Addr)+", and export then", "a refresh of it has no answer yet")
	case r.Status != state.StatusOK:
		return refuse(replaceCommand(r.Addr), "its consent has ended")
	}
	return nil
}

// handedOver is what stays of a record whose tokens are in another state.
func (e *Engine) handedOver(r *state.Record, to []string) *state.Record {
	out := clone(r)
	out.Tokens = &state.Tokens{ClientSecret: r.Tokens.ClientSecret, ClientKey: r.Tokens.ClientKey}
	i := out.Info
	i.HandedTo, i.HandedAt, i.Reject = slices.Clone(to), e.now(), nil
	out.Status, out.UpdatedAt = state.StatusHandedOver, e.now()
	out.ExpiresAt, out.RefreshExpiresAt = time.Time{}, time.Time{}
	return out
}

// handedTo says where the tokens of a record went.
func handedTo(r *state.Record) string {
	return fmt.Sprintf("its consent was handed over to the state of %s on %s",
		strings.Join(r.Info.HandedTo, ", "), r.Info.HandedAt.UTC().Format("2006-01-02"))
}

func errHandedOver(r *state.Record) error {
	return &Error{
		Class: ClassNeedsUser, Addr: r.Addr, Doing: "get a token for " + r.Addr.String(), Err: errors.New(handedTo(r)),
		Remedy: "ask where it is now; for a consent of its own here, " + replaceCommand(r.Addr),
	}
}

// keptToo says what two states with one refresh token do to each other.
func keptToo(r *state.Record) string {
	switch {
	case r.Tokens.RefreshToken.Empty():
		return ""
	case oneTime(r):
		return "the server replaces the refresh token with every use: the state that refreshes first takes the consent from the other one, and the server may end it for both"
	}
	return "two states have the refresh token now: what one revokes, the other loses"
}

// Arrival is a consent that was exported elsewhere, opened and compared with what is here.
type Arrival struct {
	Record  *state.Record
	Present *state.Record // at its address; nil: nothing
	client  *grant.Client // that the configuration declares for it; nil: its settings are what came with it
}

// ArriveOptions of Arrive.
type ArriveOptions struct {
	Replace bool // another grant at its address
	Sandbox bool // the state is one of the sandbox
}

// Arrive opens an exported consent. With a configuration it has to be what that
// declares: the same server and the same client. It changes nothing.
func (e *Engine) Arrive(ctx context.Context, cfg *schema.Config, sealed []byte, o ArriveOptions) (*Arrival, error) {
	const doing = "import a consent"
	rec, sandbox, err := e.o.Store.OpenConsent(sealed)
	if err != nil {
		return nil, e.failure(doing, addr.Addr{}, err)
	}
	in := &Arrival{Record: rec}
	refuse := func(remedy, format string, args ...any) error {
		return &Error{Class: ClassError, Addr: rec.Addr, Doing: "import the consent of " + rec.Addr.String(), Err: fmt.Errorf(format, args...), Remedy: remedy}
	}
	switch {
	case sandbox && !o.Sandbox:
		return nil, refuse("give -sandbox here as well", "it was given in the sandbox, and is worth nothing at the server")
	case !sandbox && o.Sandbox:
		return nil, refuse("leave out -sandbox", "it was given at the server, and not in the sandbox")
	}
	if renewsItself(rec) { // with what is here: tokens of other connections, files, variables
		return nil, refuse("apply here: the configuration is all it takes", "nobody consented to it: the client would get tokens by itself")
	}
	if rec.Status != state.StatusOK || rec.Tokens.AccessToken.Empty() && rec.Tokens.RefreshToken.Empty() {
		return nil, refuse("consent again where it comes from, and export that", "it holds no tokens that could be used")
	}
	if in.client, err = e.declaredFor(cfg, rec); err != nil {
		return nil, err
	}
	if in.client == nil && readsHere(&rec.Info.Client) {
		return nil, refuse("import it where the configuration declares the connection", "it wants a token read on this machine and sent to %s, and no configuration says so",
			grant.Clean(rec.Info.Client.TokenEndpoint))
	}
	in.Present, err = e.o.Store.Get(ctx, rec.Addr, state.PartAll)
	switch {
	case errors.Is(err, state.ErrNotFound), errors.Is(err, state.ErrNoState):
		in.Present = nil
	case err != nil:
		return nil, e.failure(doing, rec.Addr, err)
	case in.Present.Status == state.StatusHandedOver:
	case !in.Present.Tokens.RefreshToken.Empty() && in.Present.Tokens.RefreshToken.Equal(rec.Tokens.RefreshToken):
		return nil, refuse("", "this state has it already")
	case !o.Replace:
		return nil, refuse("add -replace to put it in the place of that one, which is not revoked", "this state has another grant of %s", rec.Addr)
	}
	if in.client != nil {
		requested := rec.Info.Requested
		settle(rec, in.client, nil)
		rec.Info.Requested = requested // what the consent asked for: the next plan compares it
	}
	return in, nil
}

// declaredFor is the client that the configuration declares for a consent that has
// arrived; nil without one. It has to be the client that the consent is of.
func (e *Engine) declaredFor(cfg *schema.Config, rec *state.Record) (*grant.Client, error) {
	if cfg == nil {
		return nil, nil
	}
	i := slices.IndexFunc(cfg.Connections, func(c *schema.Connection) bool { return c.Addr == rec.Addr })
	if i < 0 || refers(cfg.Connections[i]) {
		return nil, nil
	}
	failed := &Error{Class: ClassError, Addr: rec.Addr, Doing: "import the consent of " + rec.Addr.String(),
		Remedy: "import it where it belongs, or correct the configuration"}
	client, diags := e.client(cfg, cfg.Connections[i])
	if diags.HasErrors() {
		failed.Err = errorsOf(diags)
		return nil, failed
	}
	declared, own := client.StateClient(), rec.Info.Client
	if !sameClient(own, declared) || rec.Info.Grant != client.Settings.Type {
		failed.Err = fmt.Errorf("it is of the client %q at %s, grant %s; the configuration declares %q at %s, grant %s",
			own.ClientID, cmp.Or(own.Issuer, own.TokenEndpoint), rec.Info.Grant,
			declared.ClientID, cmp.Or(declared.Issuer, declared.TokenEndpoint), client.Settings.Type)
		return nil, failed
	}
	filled := mergeClient(own, declared)
	for _, e := range plan.Brought(&declared, &filled) {
		failed.Err = fmt.Errorf("it has the %s %s, and the configuration names no such host", e.Name, grant.Clean(e.After))
		failed.Remedy = "if that is where the server has it, set " + e.Name + " in the provider block; else do not use what was sent"
		return nil, failed
	}
	return client, nil
}

// readsHere: the client proves itself with a token that is not in the record, but
// in a file or a variable, or given by the platform.
func readsHere(c *state.Client) bool {
	return c.AssertionFile != "" || c.AssertionEnv != "" || c.AssertionGitHub
}

// TakeIn saves a consent that has arrived. What it replaces is kept as an earlier
// generation, and not revoked. Saved plans are stale then.
func (e *Engine) TakeIn(ctx context.Context, in *Arrival) error {
	rec := in.Record
	doing := "import the consent of " + rec.Addr.String()
	if err := e.o.Store.Create(ctx); err != nil {
		return e.failure(doing, rec.Addr, err)
	}
	waiting, cancel := context.WithTimeout(ctx, e.o.LockTimeout)
	unlock, err := e.o.Store.Lock(waiting, rec.Addr, "import")
	cancel()
	if err != nil {
		return e.failure(doing, rec.Addr, err)
	}
	defer unlock()
	if rec.Info.Fingerprint, err = e.arrivedPrints(ctx, in); err != nil {
		return e.failure(doing, rec.Addr, err)
	}
	rec.Generation = 0
	if in.Present != nil {
		rec.Generation = in.Present.Generation // that somebody else may have raised: then it is a conflict
	}
	rec.UpdatedAt = e.now()
	return e.failure(doing, rec.Addr, e.o.Store.PutNext(context.WithoutCancel(ctx), rec))
}

// arrivedPrints are the digests of the settings, under the key of this state.
func (e *Engine) arrivedPrints(ctx context.Context, in *Arrival) (map[string]string, error) {
	secret := in.Record.Tokens.ClientSecret
	switch {
	case in.client != nil:
		return fingerprint(ctx, in.client, e.o.Store.Digest)
	case secret.Empty():
		return nil, nil
	}
	d, err := e.o.Store.Digest(ctx, "client_secret", secret.Reveal())
	return map[string]string{"client_secret": d}, err
}

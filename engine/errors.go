package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
)

// Class is the kind of a failure; cmd/oauthctl turns it into an exit code.
type Class string

// The classes.
const (
	ClassError     Class = "error"      // 1
	ClassNeedsUser Class = "needs_user" // 3: a person has to consent
	ClassTemporary Class = "temporary"  // 4: network, 5xx, busy lock
	ClassState     Class = "state"      // 5: unreadable, tampered, no key
)

// Error is a failure with what to do now. Doing says what was being done to
// which address, Err what went wrong, Remedy what to do (a command if possible).
type Error struct {
	Class  Class
	Addr   addr.Addr
	Doing  string
	Remedy string
	Err    error
}

// Error says all of it in one line.
func (e *Error) Error() string {
	text := e.Doing
	if e.Err != nil {
		text = strings.TrimPrefix(text+": "+e.Cause(), ": ")
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Cause is what went wrong, without what the other fields say already.
func (e *Error) Cause() string {
	if e.Err == nil {
		return ""
	}
	text := strings.TrimPrefix(e.Err.Error(), e.Doing+": ")
	if do := state.Advice(e.Err); do != "" {
		text = strings.TrimSuffix(text, ": "+do)
	}
	return strings.TrimSuffix(text, ": "+e.Remedy)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// command is a command line about one connection, or about all if there is no
// address, safe to paste into a shell.
func command(verb, flag string, a addr.Addr) string {
	if a.IsZero() {
		return "oauthctl " + verb
	}
	return "oauthctl " + verb + " " + flag + quote(a.String())
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// applyCommand authorizes one connection.
func applyCommand(a addr.Addr) string { return "run: " + command("apply", "-target=", a) }

// replaceCommand asks for a new grant although there is one.
func replaceCommand(a addr.Addr) string { return "run: " + command("apply", "-replace=", a) }

// failure turns an error of the floors below into an Error: what was being
// done, and the class and remedy that fit.
func (e *Engine) failure(doing string, a addr.Addr, err error) error {
	if err == nil {
		return nil
	}
	var done *Error
	if errors.As(err, &done) {
		return err
	}
	out := &Error{Class: ClassError, Addr: a, Doing: doing, Err: err}
	var g *grant.Error
	var p *sink.Error
	switch {
	case errors.As(err, &p):
		out.Class, out.Remedy = sinkClass(p.Kind), p.Remedy
	case errors.As(err, &g):
		out.Class, out.Remedy = grantClass(g.Kind), grantRemedy(g, a)
	case errors.Is(err, context.Canceled):
	case errors.Is(err, context.DeadlineExceeded):
		out.Class, out.Remedy = ClassTemporary, "try again"
	default:
		out.Class, out.Remedy = e.stateClass(err, a)
	}
	return out
}

// grantClass: a person who did not come in time is still needed; one who said
// no has decided.
func grantClass(k grant.Kind) Class {
	switch k {
	case grant.NeedsUser, grant.Expired, grant.Rejected:
		return ClassNeedsUser
	case grant.Temporary:
		return ClassTemporary
	}
	return ClassError
}

func sinkClass(k sink.Kind) Class {
	if k == sink.Temporary {
		return ClassTemporary
	}
	return ClassError
}

// grantRemedy is what the flow says, with the command that names the connection.
func grantRemedy(g *grant.Error, a addr.Addr) string {
	own := ""
	switch g.Kind {
	case grant.NeedsUser, grant.Expired, grant.Rejected:
		own = applyCommand(a)
	case grant.Temporary:
		own = "try again later"
	}
	switch {
	case own == "" || g.Kind == grant.Temporary && g.Remedy != "":
		return strings.ReplaceAll(g.Remedy, "oauthctl apply -replace=ADDRESS", command("apply", "-replace=", a))
	case g.Remedy == "" || strings.Contains(g.Remedy, "oauthctl apply"):
		return own
	}
	return strings.TrimSuffix(g.Remedy, ".") + "; then " + own
}

func (e *Engine) stateClass(err error, a addr.Addr) (Class, string) {
	class, remedy := ClassError, ""
	switch {
	case errors.Is(err, state.ErrNotFound):
		return ClassError, applyCommand(a)
	case errors.Is(err, state.ErrNoState):
		return ClassError, applyCommand(addr.Addr{})
	case errors.Is(err, state.ErrBusy), errors.Is(err, state.ErrConflict):
		class, remedy = ClassTemporary, "try again"
	case errors.Is(err, state.ErrNoKey):
		class, remedy = ClassState, "name the identity that the state was encrypted for with -identity"
	case errors.Is(err, state.ErrTampered), errors.Is(err, state.ErrRollback):
		class, remedy = ClassState, "restore "+e.o.Store.Location()+" from a copy that you trust"
	case errors.Is(err, state.ErrFormat):
		class, remedy = ClassState, "use the version of oauthctl that wrote it, or a newer one"
	case errors.Is(err, state.ErrPlace):
		class, remedy = ClassState, "name the file of the state with -state"
	case errors.Is(err, state.ErrUnwritable):
		remedy = "make " + e.o.Store.Location() + " writable, or room for it, and try again"
	}
	return class, cmp.Or(state.Advice(err), remedy)
}

// errNotSaved: a server handed something out that could not be kept.
func (e *Engine) errNotSaved(a addr.Addr, err error) error {
	class, remedy := e.stateClass(err, a)
	if errors.Is(err, state.ErrUnwritable) {
		remedy = "make " + e.o.Store.Location() + " writable; then " + replaceCommand(a)
	}
	return &Error{
		Class: class, Addr: a, Doing: "save the tokens of " + a.String(), Remedy: cmp.Or(remedy, replaceCommand(a)),
		Err: fmt.Errorf("the server answered with new tokens, and they could not be saved: %w", err),
	}
}

// notFound says which connection may have been meant.
func (e *Engine) notFound(ctx context.Context, a addr.Addr, err error) error {
	out := &Error{Class: ClassError, Addr: a, Doing: "read " + a.String(), Err: err, Remedy: applyCommand(a)}
	if rows, err := e.o.Store.Summaries(ctx); err == nil {
		out.Remedy = cmp.Or(Meant(a, rows), out.Remedy)
	}
	return out
}

// Meant says which address of the state may have been meant by one that is not
// there, as a remedy; "" if nobody knows.
func Meant(a addr.Addr, rows []state.Summary) string {
	var names, instances []string
	for _, r := range rows {
		names = append(names, r.Addr.Short())
		if a != r.Addr && a.Contains(r.Addr) {
			instances = append(instances, r.Addr.Short())
		}
	}
	if len(instances) > 0 {
		return "name one of its instances: " + strings.Join(instances[:min(len(instances), 5)], ", ")
	}
	if s := schema.Suggest(a.Short(), names); s != "" {
		return "did you mean " + s + "?"
	}
	return ""
}

// errStale: the state is not the one that the plan was made from.
func errStale(a addr.Addr, what string) error {
	return &Error{
		Class: ClassError, Addr: a, Doing: "apply the change of " + a.String(),
		Err: staleError(what), Remedy: "plan again: oauthctl plan",
	}
}

// staleError says why a change does not fit the state any more.
type staleError string

func (s staleError) Error() string { return string(s) }

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// A refresh token that works once is exchanged in a process of its own session,
// which a kill of the command, or of its terminal and process group, does not
// reach: docs/decisions/0005-exchange-in-a-helper.md. The two share the lock of
// the connection, by an open file. The tokens go through the state; through the
// pipe goes the key that opens it, for only the command can ask for a passphrase.

const (
	helperArg  = "refresh-helper" // not a command that anybody types
	helperLock = 3                // file descriptor
	// helperTime is the longest life of a helper, should all its deadlines fail.
	helperTime = 2 * time.Minute
	maxHelper  = 1 << 20 // bytes of what is said
)

// lockFiles is a backend whose locks can be shared with a child process.
type lockFiles interface {
	LockFile(a addr.Addr) *os.File
	Adopt(f *os.File, a addr.Addr, who state.Holder)
}

// helperRequest is what the helper is asked for, on its stdin.
type helperRequest struct {
	Version, Commit string // of the one who asks: the file of the program may be newer by now
	State           string
	Dir, Identity   string // -chdir, -identity
	Key             string // the identity, opened; "": it is in the keyring, or where anybody can read it
	Older           bool   // -accept-rollback
	Addr            string
	MinTTL          time.Duration
	Force           bool
}

// helperReply is what it answers, on its stdout.
type helperReply struct {
	Declined  bool `json:",omitempty"` // nothing was done
	Refreshed bool
	Warning   string       `json:",omitempty"`
	Errors    []helperFail `json:",omitempty"`
}

// helperFail is one failure.
type helperFail struct {
	Class               engine.Class
	Addr, Doing, Remedy string
	Cause               string
	Flow                *grant.Error `json:",omitempty"` // without its Err, which Why and Ended stand for
	Why                 string       `json:",omitempty"`
	Ended               bool         `json:",omitempty"` // engine.ErrConsentEnded
}

// carry is the [engine.Carry] of a command over a state in a file; nil: none here.
func (c *cli) carry() engine.Carry { return c.carryOver(c.opened, c.locks, c.keyForHelper) }

// carryOver is the [engine.Carry] over the state at a path, with the backend that holds its
// locks, and the key at the time; nil: none here.
func (c *cli) carryOver(path string, locks lockFiles, keyNow func() (secret.Secret, bool)) engine.Carry {
	if switched := c.env("OAUTHCTL_HELPER"); !c.Ends || c.sandbox || locks == nil || switched == "0" || switched == "false" {
		return nil
	}
	return func(_ context.Context, a addr.Addr, o engine.TokenOptions) (engine.Carried, error) {
		lock := locks.LockFile(a)
		key, ok := keyNow()
		if lock == nil || !ok {
			return engine.Carried{}, engine.ErrNotCarried
		}
		request, err := json.Marshal(helperRequest{
			Version: version, Commit: commit, State: path, Dir: c.chdir, Identity: c.identity, Key: key.Reveal(), Older: c.older,
			Addr: a.String(), MinTTL: o.MinTTL, Force: o.ForceRefresh,
		})
		if err != nil {
			return engine.Carried{}, engine.ErrNotCarried
		}
		c.arm()
		answer, err := startHelper(request, lock, c.Stderr)
		if err != nil {
			return engine.Carried{}, err
		}
		var reply helperReply
		if err := json.Unmarshal(answer, &reply); err != nil {
			return engine.Carried{}, &engine.Error{
				Class: engine.ClassTemporary, Addr: a, Doing: "refresh " + a.String(), Remedy: "try again",
				Err: errors.New("the process that exchanges the refresh token was ended by somebody"),
			}
		}
		return reply.carried()
	}
}

// keyForHelper is the opened identity, as far as the helper cannot find it by
// itself; false: it cannot be handed on.
func (c *cli) keyForHelper() (secret.Secret, bool) {
	switch {
	case c.key == nil:
		return "", false
	case c.key.plain != "":
		return c.key.plain, true
	case c.key.keyring != "":
		return "", true
	}
	return secret.Secret(c.key.text), !c.key.protected
}

func (r *helperReply) carried() (engine.Carried, error) {
	if r.Declined {
		return engine.Carried{}, engine.ErrNotCarried
	}
	var failed []error
	for _, f := range r.Errors {
		e := &engine.Error{Class: f.Class, Doing: f.Doing, Remedy: f.Remedy, Err: errors.New(f.Cause)}
		if f.Addr != "" {
			e.Addr, _ = addr.Parse(f.Addr)
		}
		if f.Flow != nil {
			e.Err = &retold{f.Cause, f.Flow}
			switch {
			case f.Ended:
				f.Flow.Err = engine.ErrConsentEnded
			case f.Why != "":
				f.Flow.Err = errors.New(f.Why)
			}
		}
		failed = append(failed, e)
	}
	if len(failed) == 1 {
		return engine.Carried{}, failed[0]
	}
	return engine.Carried{Refreshed: r.Refreshed, Warning: r.Warning}, errors.Join(failed...)
}

// retold is an error of a flow in the words that the helper put around it.
type retold struct {
	text string
	flow *grant.Error
}

func (e *retold) Error() string { return e.text }
func (e *retold) Unwrap() error { return e.flow }

// runHelper is the helper.
func (c *cli) runHelper(ctx context.Context) int {
	defer time.AfterFunc(helperTime, func() { os.Exit(exitTryAgain) }).Stop()
	c.arm()
	var reply helperReply
	done, err := c.helped(ctx)
	switch {
	case errors.Is(err, engine.ErrNotCarried):
		reply.Declined = true
	case err != nil:
		reply.Errors = failsOf(err)
	default:
		reply.Refreshed, reply.Warning = done.Refreshed, done.Warning
	}
	if err := json.NewEncoder(c.Stdout).Encode(reply); err != nil {
		return exitError // nobody listens any more
	}
	return exitDone
}

func (c *cli) helped(ctx context.Context) (engine.Carried, error) {
	var q helperRequest
	text, err := io.ReadAll(io.LimitReader(c.Stdin, maxHelper))
	if err != nil || json.Unmarshal(text, &q) != nil || q.Version != version || q.Commit != commit {
		return engine.Carried{}, engine.ErrNotCarried
	}
	a, err := addr.Parse(q.Addr)
	lock := inheritedLock()
	if err != nil || lock == nil {
		return engine.Carried{}, engine.ErrNotCarried
	}
	c.chdir, c.identity, c.older = q.Dir, q.Identity, q.Older
	if q.Key != "" {
		ids, err := seal.ParseIdentities(q.Key)
		if err != nil {
			return engine.Carried{}, engine.ErrNotCarried
		}
		c.key = &identity{src: identitySource{name: "the identity"}, ids: ids}
	}
	store, err := c.openStore(ctx, q.State, nil)
	if err != nil {
		return engine.Carried{}, engine.ErrNotCarried
	}
	defer store.Close()
	if !sharesLock(ctx, store, a, q.State, lock) {
		return engine.Carried{}, engine.ErrNotCarried
	}
	if _, err := store.Get(ctx, a, state.PartInfo); err != nil { // the key does not open the state here, perhaps
		return engine.Carried{}, engine.ErrNotCarried
	}
	who := c.holder()
	who.Operation = "refresh"
	c.locks.Adopt(lock, a, who) // "lock list" and force-unlock find the process that has to be waited for
	o := engine.Options{Store: store, Now: c.Now, Rand: c.Rand, PID: os.Getpid(), Host: hostname(), Rescuer: c.rescuer(q.State)}
	end, err := c.connectStored(&o)
	if err != nil {
		return engine.Carried{}, engine.ErrNotCarried
	}
	defer end()
	return engine.New(o).TokenHeld(ctx, a, engine.TokenOptions{MinTTL: q.MinTTL, ForceRefresh: q.Force})
}

// sharesLock: the file that was handed over is the lock file of the state, and the
// connection is locked.
func sharesLock(ctx context.Context, store *state.Store, a addr.Addr, path string, lock *os.File) bool {
	given, err := lock.Stat()
	if err != nil {
		return false
	}
	ours, err := os.Lstat(sqlite.LockPath(path))
	if err != nil || !os.SameFile(given, ours) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	unlock, err := store.Lock(ctx, a, "refresh")
	if err == nil {
		unlock()
	}
	return errors.Is(err, state.ErrBusy)
}

// failsOf takes an error apart for the way through the pipe; joined errors
// become one failure each.
func failsOf(err error) []helperFail {
	var list []helperFail
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			list = append(list, failsOf(e)...)
		}
		return list
	}
	var e *engine.Error
	if !errors.As(err, &e) {
		return []helperFail{{Class: engine.ClassError, Cause: fmt.Sprint(err)}}
	}
	f := helperFail{Class: e.Class, Doing: e.Doing, Remedy: e.Remedy, Cause: e.Cause()}
	if !e.Addr.IsZero() {
		f.Addr = e.Addr.String()
	}
	var flow *grant.Error
	if errors.As(e.Err, &flow) {
		whole := *flow
		if f.Ended = errors.Is(flow.Err, engine.ErrConsentEnded); flow.Err != nil && !f.Ended {
			f.Why = flow.Err.Error()
		}
		whole.Err = nil
		f.Flow, f.Cause = &whole, e.Err.Error()
	}
	return []helperFail{f}
}

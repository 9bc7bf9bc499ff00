package engine

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema/addr"
)

// guarded does the work on one connection in a goroutine of its own. A panic is
// a failure of that connection: the others go on and are saved, and the person
// is told. Its value may hold anything, so that only the places are.
func (a *applier) guarded(c *plan.Change, work func() Result) (r Result) {
	start := a.e.now()
	defer func() {
		if recover() == nil {
			return
		}
		r = a.end(Result{Addr: c.Addr, MovedFrom: c.MovedFrom, Action: c.Action,
			Err: crashed(string(c.Action)+" "+c.Addr.String(), c.Addr, places())}, start)
	}()
	return work()
}

// guardedToken is [Engine.Token] of one connection of many: a panic is its failure, as
// with guarded, and the others are served on.
func (k *Keeper) guardedToken(ctx context.Context, e *Engine, a addr.Addr, o TokenOptions) (t *Token, err error) {
	defer func() {
		if recover() != nil {
			t, err = nil, crashed("refresh "+a.String(), a, places())
		}
	}()
	return e.Token(ctx, a, o)
}

func crashed(doing string, a addr.Addr, at string) *Error {
	return &Error{
		Class: ClassError, Addr: a, Doing: doing,
		Err: fmt.Errorf("oauthctl crashed, at %s", at), Remedy: "this is a bug, please report it; what was saved is safe",
	}
}

// places are the lines of this program that led to a panic, the last one first.
func places() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])]) // behind places and the deferred function
	var list []string
	for more := true; more && len(list) < 4; {
		var f runtime.Frame
		f, more = frames.Next()
		if _, in, ours := strings.Cut(f.Function, "/oauthctl/oauthctl/"); ours {
			dir, _, _ := strings.Cut(in, ".")
			list = append(list, fmt.Sprintf("%s/%s:%d", dir, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line))
		}
	}
	return strings.Join(list, ", ")
}

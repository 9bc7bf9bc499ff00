package grant

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
)

type wireKey struct{}

// wire watches one token request on its way, to tell a request that provably
// never reached the server from one whose fate is unknown.
type wire struct {
	once bool // carries a code or refresh token: must not be sent twice

	mu      sync.Mutex
	refused bool // by our own rules
	passed  int  // handed to a transport so often
	traced  bool // by a transport that reports its connections
	gotConn bool // a connection was ready: bytes may have left from here on
}

// watch attaches a wire to the context of a request.
func watch(ctx context.Context, once bool) (context.Context, *wire) {
	w := &wire{once: once}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.gotConn = true
	}})
	return context.WithValue(ctx, wireKey{}, w), w
}

// wireOf finds the wire of a request; nil if nobody watches.
func wireOf(ctx context.Context) *wire {
	w, _ := ctx.Value(wireKey{}).(*wire)
	return w
}

func (w *wire) oneTime() bool { return w != nil && w.once }

func (w *wire) refuse() {
	if w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refused = true
	}
}

func (w *wire) pass(traced bool) {
	if w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.passed++
		w.traced = traced
	}
}

// notSent reports whether a request that failed with err provably never left:
// our rules refused it, no connection was ready (name resolution, connect, TLS
// handshake, proxy), or the error itself says that dialling failed.
func (w *wire) notSent(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gotConn {
		return false
	}
	if w.refused || w.passed > 0 && w.traced {
		return true
	}
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

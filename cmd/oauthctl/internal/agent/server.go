package agent

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// What one caller may take: a caller that says nothing is not waited for, and
// too many of them wait in the queue of the socket, or go on without an agent.
const (
	maxCallers  = 64
	askTime     = 5 * time.Second // for the request to arrive, and for the answer to be taken
	signOfLife  = 500 * time.Millisecond
	acceptPause = 100 * time.Millisecond
)

// Server answers at a socket.
type Server struct {
	Answer func(context.Context, *Request) *Answer
	UID    int // who may ask
}

// Serve answers until ctx ends, and closes the listener. What is under way is
// answered before it returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer l.Close()
	var callers sync.WaitGroup
	defer callers.Wait()
	turns := make(chan struct{}, maxCallers)
	for {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of descriptors, perhaps
			<-turns
			pause(ctx, acceptPause)
			continue
		}
		callers.Go(func() {
			defer func() { <-turns }()
			defer conn.Close()
			s.serve(ctx, conn)
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// serve answers one caller, once.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return
	}
	if uid, err := peerUID(unix); err != nil || uid != s.UID {
		return // who is not the owner gets no word
	}
	_ = conn.SetDeadline(time.Now().Add(askTime))
	line, err := bufio.NewReaderSize(conn, maxRequest).ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		reply(conn, &Answer{Declined: DeclinedRequest})
		return
	}
	if err != nil {
		return
	}
	r, err := parseRequest(line)
	switch {
	case errors.Is(err, errVersion):
		reply(conn, &Answer{Declined: DeclinedVersion})
	case err != nil:
		reply(conn, &Answer{Declined: DeclinedRequest})
	default:
		reply(conn, s.answer(ctx, conn, r))
	}
}

// answer works on a request. While it does, blanks tell the caller that it is
// alive; a caller that goes away is not worked for.
func (s *Server) answer(ctx context.Context, conn net.Conn, r *Request) *Answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_ = conn.SetReadDeadline(time.Time{})
	go func() { // ends with conn
		_, _ = conn.Read(make([]byte, 1))
		cancel()
	}()
	done := make(chan *Answer, 1)
	go func() { done <- s.Answer(ctx, r) }()
	tick := time.NewTicker(signOfLife)
	defer tick.Stop()
	for {
		select {
		case a := <-done:
			return a
		case <-tick.C:
			_ = conn.SetWriteDeadline(time.Now().Add(askTime))
			if _, err := conn.Write([]byte{' '}); err != nil {
				cancel()
			}
		}
	}
}

func reply(conn net.Conn, a *Answer) {
	line, err := a.encode()
	if err != nil || len(line) > maxAnswer {
		return
	}
	_ = conn.SetWriteDeadline(time.Now().Add(askTime))
	_, _ = conn.Write(line)
}

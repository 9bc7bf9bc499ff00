package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// silence is how long an agent may say nothing at all: one that works sends a
// blank now and then.
const silence = 2 * time.Second

// Ask asks the agent at a socket. An error means that there is none, or none to
// be believed: only a socket that the caller's user owns and nobody else can
// reach is spoken to, and only if a process of that user is at its other end.
func Ask(ctx context.Context, path string, r *Request) (*Answer, error) {
	line, err := r.encode()
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(silence))
	if _, err := conn.Write(line); err != nil {
		return nil, err
	}
	text, err := readLine(conn)
	if err != nil {
		return nil, err
	}
	return parseAnswer(text, r.Addr)
}

// dial connects to a socket of the caller's own user.
func dial(ctx context.Context, path string) (*net.UnixConn, error) {
	uid := os.Geteuid()
	if err := checkPrivate(path, uid); err != nil {
		return nil, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errors.New("not a Unix socket"), c.Close())
	}
	switch peer, err := peerUID(conn); {
	case err != nil:
		return nil, errors.Join(err, conn.Close())
	case peer != uid:
		return nil, errors.Join(fmt.Errorf("the process at %s belongs to the user %d", path, peer), conn.Close())
	}
	return conn, nil
}

// readLine reads one line, or fails when nothing comes for a while.
func readLine(conn net.Conn) ([]byte, error) {
	text := make([]byte, 0, 8<<10)
	for {
		if len(text) == cap(text) {
			if len(text) > maxAnswer {
				return nil, errors.New("the agent's answer has no end")
			}
			text = append(text, 0)[:len(text)]
		}
		n, err := conn.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if n > 0 && text[len(text)-1] == '\n' {
			return text, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(silence))
	}
}

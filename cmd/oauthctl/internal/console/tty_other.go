//go:build !unix

package console

import (
	"context"
	"os"

	"golang.org/x/term"
)

// keyMode hands over single keys. Ctrl-C comes as a key.
func keyMode(f *os.File) (restore func(), again func() bool, err error) {
	fd := int(f.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, nil, err
	}
	return func() { _ = term.Restore(fd, old) }, func() bool { return false }, nil
}

// readKeys reads what has been typed. A read cannot be taken back here: when
// the context ends, its goroutine stays until the next key.
func readKeys(ctx context.Context, f *os.File, buf []byte) (int, error) {
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		own := make([]byte, len(buf))
		n, err := f.Read(own)
		read <- result{own[:n], err}
	}()
	select {
	case r := <-read:
		if r.err != nil {
			return 0, ErrNoInput
		}
		return copy(buf, r.text), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

//go:build !unix

package console

import (
	"os"

	"golang.org/x/term"
)

// keyMode hands over single keys. Ctrl-C comes as a key.
func keyMode(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(fd, old) }, nil
}

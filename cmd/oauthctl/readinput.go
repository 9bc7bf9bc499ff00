package main

import (
	"fmt"
	"io"
	"os"
)

// readInput reads FILE, or stdin for "-", of a command that takes what another has
// written: no more of it than that can be long.
func (c *cli) readInput(name string, most int64, what, maker string) ([]byte, error) {
	failed := func(err error) error {
		return advised("name a file that "+maker+" has written", "cannot read the %s %s: %w", what, c.path(name), reasonOf(err))
	}
	in := c.Stdin
	if name != "-" {
		file, err := os.Open(c.path(name))
		if err != nil {
			return nil, failed(err)
		}
		defer file.Close() // only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil && name == "-":
		return nil, fmt.Errorf("cannot read the %s from stdin: %w", what, err)
	case err != nil:
		return nil, failed(err)
	case int64(len(text)) > most:
		return nil, advised("give what "+maker+" has written", "cannot read the %s: it is longer than any %s", what, what)
	}
	return text, nil
}

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
)

// viewPlan chooses the view of plan, apply and destroy: for a person or, with
// -json, for a program; with -json-into, for a program as well.
func (c *cli) viewPlan(f *planFlags, stream bool) error {
	c.way = f.way
	c.view = c.newView(f.json, stream)
	switch {
	case f.into == "":
		return nil
	case f.json:
		return advised("leave one of them out", "-json writes for programs on the screen, and -json-into beside it")
	}
	file, err := openInto(c.path(f.into))
	if err != nil {
		return advised("name another file with -json-into", "cannot write to %s: %w", c.path(f.into), reasonOf(err))
	}
	c.into = &results{Writer: file}
	c.ends = append(c.ends, file.Close)
	o := c.viewOptions(true)
	o.Out, o.Err = c.into, c.into
	c.view = view.Also(c.view, view.NewJSON(o))
	return nil
}

var errNotEvents = errors.New("there is a file that is not one of -json-into")

// openInto opens a file for events: a new one, one that has had events before,
// or a pipe. A link is not followed, since what it leads to was not named.
func openInto(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the person named it
	case err != nil:
		return nil, err
	case info.IsDir(), info.Mode()&fs.ModeSymlink != 0:
		return nil, errors.New("it is not a regular file")
	case info.Mode().IsRegular() && info.Size() > 0:
		if start, err := startOf(path); err != nil || !bytes.HasPrefix(start, []byte(`{"@level":`)) {
			return nil, errors.Join(errNotEvents, err)
		}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0) //nolint:gosec // the person named it
}

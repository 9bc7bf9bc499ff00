package main

import (
	"context"
	"strings"
)

// checkGenerate refuses, before anything is done, a file that is there, and what
// does not go together.
func (c *cli) checkGenerate(f *planFlags, out string) error {
	path := c.path(f.generate)
	switch {
	case out != "":
		return advised("look at the blocks first, and plan again with -out", "-generate-config-out changes the configuration, so that a plan saved with -out would be stale")
	case f.Destroy:
		return advised("leave one of them out", "-generate-config-out and -destroy contradict each other")
	case !strings.HasSuffix(path, ".hcl"):
		return advised("name a file that ends in .hcl, so that it is read as a part of the configuration", "no blocks are written to %s", path)
	case exists(path):
		return advised("name another file, or remove that one", "there is a file %s already, and it is not overwritten", path)
	}
	return nil
}

// generate writes blocks for the connections that no block declares.
func (s *session) generate(ctx context.Context, path string) error {
	text, of, err := s.engine.Generate(ctx, s.cfg)
	if err != nil {
		return err
	}
	if len(of) == 0 {
		s.c.view.Note("No blocks were written: everything in the state is declared, or is meant to go (removed blocks).")
		return nil
	}
	if err := writeNew(path, text); err != nil {
		return advised("name another file with -generate-config-out", "cannot write blocks to %s: %w", path, reasonOf(err))
	}
	names := make([]string, len(of))
	for i, a := range of {
		names[i] = a.String()
	}
	s.c.view.Note("Wrote blocks for %s to %s. Look through them, and plan again.", strings.Join(names, ", "), path)
	return nil
}

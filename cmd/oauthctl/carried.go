package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state"
)

// carriedPlace is the name of a state that came in OAUTHCTL_STATE, for messages.
const carriedPlace = "OAUTHCTL_STATE"

// carried is what a run keeps of a state that comes with the environment, and
// of where the state goes at its end.
type carried struct {
	unpacked string // the file that holds it for this run; "": not needed yet
	held     bool   // a state was opened
	written  bool   // -state-out has been written
	proven   bool   // it can be written
	back     bool   // a sink of this run publishes the state: it is not lost without a file
}

// carries: the state is the one of OAUTHCTL_STATE. The sandbox has its own.
func (c *cli) carries() bool {
	return !c.sandbox && c.state == "" && c.env("OAUTHCTL_STATE_PATH") == "" && c.env("OAUTHCTL_STATE") != ""
}

// outFile is where the state is written to at the end; "": nowhere.
func (c *cli) outFile() string {
	if c.stateOut != "" {
		return c.path(c.stateOut)
	}
	return c.path(c.env("OAUTHCTL_STATE_OUT"))
}

var errNotKept = state.WithAdvice(errors.New("the state came in OAUTHCTL_STATE, and the new one would be lost with this run"),
	"name a file for it with -state-out=FILE or OAUTHCTL_STATE_OUT, and keep what is in it for the next run; or let a sink publish it, with state = \"OAUTHCTL_STATE\", and apply")

// mustKeep refuses a change that would be lost.
func (c *cli) mustKeep() error {
	if c.carries() && c.outFile() == "" && !c.back {
		return errNotKept
	}
	return nil
}

// writeBack lets the session spend what can be used once only, if its plan
// publishes the state.
func (s *session) writeBack(ctx context.Context, p *plan.Plan) error {
	if !s.c.carries() || !engine.WritesBack(s.cfg, p) {
		return nil
	}
	s.c.back = true
	err := errors.Join(s.store.Close(), s.open(ctx, nil))
	s.engine = engine.New(s.o)
	return err
}

// keepUnpublished leaves the state where it is unpacked, if a sink should have
// published it and nothing else has it.
func (s *session) keepUnpublished(out *engine.Outcome) error {
	c := s.c
	if !c.back || c.outFile() != "" || !engine.Unpublished(s.cfg, out) {
		return nil
	}
	kept := c.unpacked
	c.unpacked = "" // it stays
	return advised("save it before this machine goes, and give it to the next run: oauthctl state pull -state="+kept+" | base64 -w0",
		"the state of this run is only in %s, sealed", kept)
}

// openCarried opens the state of OAUTHCTL_STATE: sealed in a file of this run.
func (c *cli) openCarried(ctx context.Context) (*state.Store, error) {
	c.opened = carriedPlace
	if err := c.proveOut(); err != nil {
		return nil, err
	}
	o := c.storeOptions(ctx)
	o.Passing = true
	if c.outFile() == "" && !c.back {
		o.Lost = errNotKept
	}
	fresh := c.unpacked == ""
	if fresh {
		dir, err := os.MkdirTemp("", "oauthctl-*") // 0700
		if err != nil {
			return nil, fmt.Errorf("unpack OAUTHCTL_STATE: %w", err)
		}
		c.unpacked = filepath.Join(dir, defaultState)
	}
	backend, err := c.openBackend(c.unpacked)
	if err != nil {
		return nil, err
	}
	store, err := openOn(ctx, unpacked{backend}, o)
	if err != nil || !fresh {
		c.held = err == nil
		return store, err
	}
	if _, err := store.Push(ctx, []byte(c.env("OAUTHCTL_STATE")), state.PushOptions{}); err != nil {
		_ = store.Close()
		_ = c.forgetCarried()
		return nil, fmt.Errorf("OAUTHCTL_STATE: %w", err)
	}
	c.held = true
	c.ends = append(c.ends, c.forgetCarried)
	return store, nil
}

// unpacked goes by the name under which a person knows it.
type unpacked struct{ state.Backend }

func (unpacked) Location() string { return carriedPlace }

// forgetCarried removes the file of this run.
func (c *cli) forgetCarried() error {
	if c.unpacked == "" {
		return nil
	}
	dir := filepath.Dir(c.unpacked)
	c.unpacked = ""
	return os.RemoveAll(dir)
}

// proveOut makes sure, before anything is spent, that the state can be written at the end.
func (c *cli) proveOut() error {
	out := c.outFile()
	if out == "" || c.proven {
		return nil
	}
	if info, err := os.Lstat(out); err == nil && !info.Mode().IsRegular() {
		return advised("name a file, or one that is not there yet", "the state cannot be written to %s: it is not a regular file", out)
	}
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return advised("name a file that can be written with -state-out", "the state cannot be written to %s: %w", out, reasonOf(err))
	}
	c.proven = true
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// keepState writes the state to the file of -state-out, once: at the end of a
// command, or before a token is printed.
func (c *cli) keepState(ctx context.Context) error {
	out := c.outFile()
	if out == "" || c.written || !c.held {
		return nil
	}
	c.written = true
	text, err := c.packed(context.WithoutCancel(ctx))
	if errors.Is(err, state.ErrNoState) {
		return nil
	}
	if err == nil {
		err = replaceFile(out, append([]byte(base64.StdEncoding.EncodeToString(text)), '\n'))
	}
	if err == nil {
		return nil
	}
	if c.unpacked == "" {
		return fmt.Errorf("write the state to %s: %w", out, err)
	}
	kept := c.unpacked
	c.unpacked = "" // it stays
	return advised("keep it: oauthctl state pull -state="+kept, "write the state to %s: %w; it is in %s, sealed", out, err, kept)
}

// packed is the document of the state that this command has worked with.
func (c *cli) packed(ctx context.Context) ([]byte, error) {
	var store *state.Store
	var err error
	if c.opened == carriedPlace {
		store, err = c.openCarried(ctx)
	} else {
		store, err = c.openStore(ctx, c.opened, nil)
	}
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return store.Export(ctx)
}

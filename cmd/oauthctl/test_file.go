package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/zclconf/go-cty/cty"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/view"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

// testWorld is what the runs of one file share: servers, a state, a clock, and
// nothing that was there before or will be there afterwards.
type testWorld struct {
	c      *cli
	f      *testFlags
	file   *schema.TestFile
	dir    string // of the state
	store  *state.Store
	server *sandbox.Server
	later  time.Duration // how far the clock has gone on
	runs   map[string]cty.Value
	last   *session // of the run that was planned last
}

// testFile runs the tests of one file.
func (c *cli) testFile(ctx context.Context, f *testFlags, name string) view.TestFile {
	file, diags := schema.ReadTest(c.configDir(), name)
	out := view.TestFile{Name: file.Name, Status: view.TestPass, Diags: diags, Sources: file.Sources}
	c.view.TestingFile(file.Name)
	defer func() { c.view.TestedFile(out) }()
	if diags.HasErrors() {
		out.Status = view.TestError
		return out
	}
	w, err := c.newTestWorld(ctx, f, file)
	if err != nil {
		out.Status, out.Errs = view.TestError, append(out.Errs, err)
		return out
	}
	defer func() { out.Errs = append(out.Errs, w.close()...) }()
	for _, r := range file.Runs {
		run := view.TestRun{File: file.Name, Name: r.Name, Status: view.TestSkip}
		if out.Status != view.TestError && ctx.Err() == nil {
			run = w.run(ctx, r)
		}
		switch {
		case run.Status == view.TestError, run.Status == view.TestFail && out.Status == view.TestPass:
			out.Status = run.Status
		}
		c.view.TestedRun(run)
		out.Runs = append(out.Runs, run)
	}
	if err := w.tearDown(ctx); err != nil && ctx.Err() == nil {
		out.Status, out.Errs = view.TestError, append(out.Errs, err)
	}
	return out
}

func (c *cli) newTestWorld(ctx context.Context, f *testFlags, file *schema.TestFile) (*testWorld, error) {
	w := &testWorld{c: c, f: f, file: file, runs: map[string]cty.Value{}}
	var err error
	if w.dir, err = os.MkdirTemp("", "oauthctl-test-"); err != nil {
		return nil, advised("make the directory for temporary files writable (TMPDIR)", "no place for the state of the tests: %w", reasonOf(err))
	}
	if w.server, err = sandbox.New(sandbox.Options{Now: w.now, Rand: c.Rand}); err == nil {
		err = w.openStore(ctx)
	}
	if err != nil {
		return nil, errors.Join(append(w.close(), err)...)
	}
	return w, nil
}

// openStore makes the state, sealed for an identity that nobody keeps.
func (w *testWorld) openStore(ctx context.Context) error {
	text, recipient, err := seal.NewIdentity()
	if err != nil {
		return err
	}
	ids, err := seal.ParseIdentities(text)
	if err != nil {
		return err
	}
	backend, err := w.c.openBackend(filepath.Join(w.dir, defaultState))
	if err != nil {
		return err
	}
	w.store, err = state.Open(ctx, backend, state.Options{
		Identities: func() ([]age.Identity, error) { return ids, nil },
		Recipients: []string{recipient}, Holder: w.c.holder(), Now: w.now,
	})
	return err
}

func (w *testWorld) now() time.Time { return w.c.Now().Add(w.later) }

func (w *testWorld) close() (errs []error) {
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	errs = append(errs, os.RemoveAll(w.dir))
	if err := errors.Join(errs...); err != nil {
		return []error{advised("remove "+w.dir, "could not clean up after the tests: %w", err)}
	}
	return nil
}

// session is the configuration with the values of a run, over what the file shares.
func (w *testWorld) session(ctx context.Context, cfg *schema.Config, r *schema.TestRun) (*session, error) {
	s := &session{c: w.c, cfg: cfg, path: w.store.Location(), store: w.store, o: engine.Options{
		Store: w.store, Catalog: providers.New(), Now: w.now, Rand: w.c.Rand, PublishNothing: true, PID: os.Getpid(), Host: hostname(),
	}}
	if err := s.imitate(ctx, w.server); err != nil {
		return nil, err
	}
	if r.Consent != "nobody" {
		person := newAutoUser(w.server)
		person.deny, person.account = r.Consent == "deny", r.Account
		if r.Consent == "wrong_account" {
			person.account = "somebody-else@sandbox.example"
		}
		s.o.User = person
	}
	s.engine = engine.New(s.o)
	return s, nil
}

// tearDown revokes and forgets what the runs have made, as a destroy does. What
// must not be destroyed is not: the state goes away with it.
func (w *testWorld) tearDown(ctx context.Context) error {
	if w.last == nil {
		return nil
	}
	w.server.ClearFaults()
	p, diags, err := w.last.engine.Plan(ctx, w.last.cfg, plan.Options{Destroy: true})
	if err != nil || diags.HasErrors() {
		return err
	}
	out, err := w.last.engine.Apply(ctx, w.last.cfg, p)
	if err != nil {
		return err
	}
	for _, r := range out.Results {
		err = errors.Join(err, r.Err)
	}
	return err
}

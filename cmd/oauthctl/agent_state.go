package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/agent"
	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
)

// heldState is the state that an agent holds open: the file that is at its path
// at the time, with the key that was opened at the start.
type heldState struct {
	path  string
	open  func(context.Context) (*state.Store, lockFiles, error)
	with  engine.Options // but for the store, and what goes with it
	carry func(lockFiles) engine.Carry
	close func()

	mu  sync.Mutex
	cur *heldStore
}

// heldStore is one file that was at the path of the state.
type heldStore struct {
	*state.Store
	locks lockFiles
	file  agent.File
	users int
	left  bool // another file is there now
}

// hold opens the state, asking for a passphrase if it takes one, and proves that
// it can be written. From then on nobody is asked for anything.
func (c *cli) hold(ctx context.Context, only []addr.Addr) (*heldState, error) {
	if c.carries() || c.outFile() != "" {
		return nil, advised("push the state into a file with oauthctl state push, and leave out OAUTHCTL_STATE, OAUTHCTL_STATE_OUT and -state-out",
			"an agent keeps a state that is in a file, and stays there")
	}
	path, err := c.statePath()
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, err
	}
	c.opened = path
	h := &heldState{path: path}
	h.with = engine.Options{Now: c.Now, Rand: c.Rand, PID: os.Getpid(), Host: hostname(), Rescuer: c.rescuer(path)}
	key := heldKey{c: c}
	o := c.storeOptions(ctx)
	o.Identities = func() ([]age.Identity, error) { return key.identities(ctx) }
	h.open = func(ctx context.Context) (*state.Store, lockFiles, error) {
		backend, err := c.openBackend(path)
		if err != nil {
			return nil, nil, err
		}
		locks, _ := backend.(lockFiles)
		store, err := openOn(ctx, backend, o)
		return store, locks, err
	}
	h.carry = func(locks lockFiles) engine.Carry { return c.carryOver(path, locks, key.forHelper) }
	done, err := c.connectStored(&h.with)
	if err != nil {
		return nil, err
	}
	h.close = func() {
		h.leave()
		done()
	}
	if err := c.tryHeld(ctx, h, only); err != nil {
		h.close()
		return nil, err
	}
	c.input = &inputFlags{set: true}
	return h, nil
}

// tryHeld opens the key and looks for the connections that were named.
func (c *cli) tryHeld(ctx context.Context, h *heldState, only []addr.Addr) error {
	store, _, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Probe(ctx); err != nil {
		return err
	}
	rows, err := readRows(ctx, store)
	if err != nil {
		return err
	}
	for _, a := range only {
		if !slices.ContainsFunc(rows, func(r state.Summary) bool { return a.Contains(r.Addr) }) {
			return notHeld(a, "keep "+a.String()+" fresh", rows)
		}
	}
	return nil
}

// heldKey is the key of an agent.
type heldKey struct {
	c     *cli
	mu    sync.Mutex
	first []age.Identity
}

// identities are those that opened the state first, and, when the state is
// sealed under another key since, what is in their place now.
func (k *heldKey) identities(ctx context.Context) ([]age.Identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.first == nil {
		var err error
		k.first, err = k.c.identities(ctx)
		return k.first, err
	}
	before := k.c.key
	k.c.key = nil
	now, err := k.c.identities(ctx)
	if err != nil {
		k.c.key = before
		return k.first, nil // they may still do
	}
	return slices.Concat(k.first, now), nil
}

// forHelper is keyForHelper of the key at the time.
func (k *heldKey) forHelper() (secret.Secret, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.c.keyForHelper()
}

// engine gives an engine over the file that is at the path now.
func (h *heldState) engine(ctx context.Context, lockTimeout time.Duration) (*engine.Engine, func(), error) {
	s, err := h.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	o := h.with
	o.Store, o.LockTimeout, o.Carry = s.Store, lockTimeout, h.carry(s.locks)
	return engine.New(o), func() { h.give(s) }, nil
}

func (h *heldState) take(ctx context.Context) (*heldStore, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	file, err := agent.FileOf(h.path)
	if err != nil {
		return nil, &engine.Error{Class: engine.ClassState, Doing: "read the state", Err: err}
	}
	if h.cur == nil || h.cur.file != *file {
		store, locks, err := h.open(ctx)
		if err != nil {
			return nil, err
		}
		h.retire()
		h.cur = &heldStore{Store: store, locks: locks, file: *file}
	}
	h.cur.users++
	return h.cur, nil
}

func (h *heldState) give(s *heldStore) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.users--; s.left && s.users == 0 {
		_ = s.Close()
	}
}

// retire closes the present store when its last user has gone; h.mu is held.
func (h *heldState) retire() {
	if h.cur == nil {
		return
	}
	if h.cur.left = true; h.cur.users == 0 {
		_ = h.cur.Close()
	}
	h.cur = nil
}

func (h *heldState) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retire()
}

// is reports whether a caller means this state; one that names none has none.
func (h *heldState) is(f *agent.File) bool {
	if f == nil {
		return true
	}
	own, err := agent.FileOf(h.path)
	return err == nil && *own == *f
}

// elsewhere reports whether a client authenticates with what its caller has at
// hand: a variable, or a file, which this process may not have.
func (h *heldState) elsewhere(ctx context.Context, a addr.Addr) bool {
	s, err := h.take(ctx)
	if err != nil {
		return false
	}
	defer h.give(s)
	r, err := s.Get(ctx, a, state.PartInfo)
	if err != nil {
		return false
	}
	sources := []state.Source{{File: r.Info.Client.AssertionFile, Env: r.Info.Client.AssertionEnv}}
	if x := r.Info.Exchange; x != nil {
		sources = append(sources, x.Subject, x.Actor)
	}
	return r.Info.Client.AssertionGitHub || slices.ContainsFunc(sources, func(s state.Source) bool { return s.File != "" || s.Env != "" })
}

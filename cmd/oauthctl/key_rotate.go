package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oauthctl/oauthctl/schema/secret"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/seal"
)

func (c *cli) keyRotateCommand() *cobra.Command {
	var vars varFlags
	var input inputFlags
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Replace the key by a new one, and seal the states again",
		Long: "Make a new identity, seal every state that this machine has seen and the old identity opens for the new one, and take the old one out: " +
			"a new data key, and every record sealed again. Each state is proven to open with the new identity before the old one loses it. " +
			"If it is cut off, the key in place opens the states all the same; run it again to go on. The old identity is kept under another name, for old copies of a state. " +
			"Recipients that the configuration declares are changed there first; the command says how.",
		Example: "oauthctl key rotate",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view, c.input = c.newView(false, false), &input
			r, err := c.rotation(cmd.Context())
			if err != nil {
				return err
			}
			for _, s := range r.steps(&vars) {
				if err := s.run(cmd.Context()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	vars.register(cmd.Flags())
	input.register(cmd.Flags())
	return cmd
}

// rotation replaces an identity. Between any two of its steps, and within each,
// the identity in place opens every state.
type rotation struct {
	c       *cli
	key     *identity // in place when the rotation began
	next    *identity // takes its place
	old     []string  // recipients
	new     string
	swapped bool
	states  []string
}

type rotationStep struct {
	name string
	run  func(context.Context) error
}

func (r *rotation) steps(vars *varFlags) []rotationStep {
	return []rotationStep{
		{"make", r.makeNext},
		{"check", func(ctx context.Context) error { return r.checkDeclared(ctx, vars) }},
		{"add", r.add},
		{"prove", r.prove},
		{"swap", r.swap},
		{"remove", r.remove},
		{"prove again", r.prove},
		{"end", r.end},
	}
}

func (r *rotation) nextFile() string { return r.key.src.path + ".next" }

// journal names the recipients of a rotation that was begun, old ones first.
func (r *rotation) journal() string { return r.key.src.path + ".rotation" }

// rotation begins a rotation, or goes on with one that was cut off.
func (c *cli) rotation(ctx context.Context) (*rotation, error) {
	key, err := c.ownKey(ctx)
	if err != nil {
		return nil, err
	}
	r := &rotation{c: c, key: key, old: key.recipients()}
	text, err := readRegular(r.journal(), maxIdentity)
	if errors.Is(err, fs.ErrNotExist) {
		return r, r.find(ctx)
	}
	names := strings.Fields(string(text))
	if err == nil && len(names) < 2 {
		err = errors.New("it names no keys")
	}
	if err != nil {
		return nil, advised("remove it to begin anew", "go on with the rotation of %s: %w", r.journal(), err)
	}
	r.new, names = names[len(names)-1], names[:len(names)-1]
	r.swapped = slices.Contains(r.old, r.new)
	if !r.swapped && !slices.Equal(r.old, names) {
		return nil, advised("if that rotation is of no interest any more, remove "+r.journal()+" and "+r.nextFile(),
			"a rotation of another key was begun and not finished: %s", strings.Join(names, ", "))
	}
	r.old = names
	return r, r.find(ctx)
}

// find lists the states that the old key, or the new one, opens.
func (r *rotation) find(ctx context.Context) error {
	places, err := r.c.knownStates()
	if err != nil {
		return err
	}
	for i, path := range places {
		names, err := r.c.sealedFor(ctx, path)
		switch {
		case errors.Is(err, state.ErrNoState):
		case err != nil && i == 0:
			return err
		case err != nil:
			r.c.view.Note("Left out, and still sealed for the old key if at all: %v", err)
		case slices.ContainsFunc(r.old, func(o string) bool { return slices.Contains(names, o) }):
			r.states = append(r.states, path)
		}
	}
	return nil
}

// makeNext makes the new identity beside the old one, kept in the same way.
func (r *rotation) makeNext(ctx context.Context) error {
	if r.swapped {
		return nil
	}
	if !exists(r.nextFile()) {
		if err := r.write(ctx); err != nil {
			return fmt.Errorf("make a new identity: %w", err)
		}
	}
	next, err := r.load(ctx)
	if err != nil {
		return err
	}
	r.next = next
	names := next.recipients()
	if len(names) != 1 || r.new != "" && names[0] != r.new {
		return advised("remove it to begin anew", "%s is not the new identity of this rotation", r.nextFile())
	}
	if r.new = names[0]; exists(r.journal()) {
		return nil
	}
	return writeNew(r.journal(), []byte(strings.Join(append(slices.Clone(r.old), r.new), "\n")+"\n"))
}

func (r *rotation) write(ctx context.Context) error {
	if r.key.keyring != "" {
		_, err := r.c.makeInKeyring(ctx, r.nextFile())
		return err
	}
	_, err := r.c.makeIdentity(r.nextFile(), r.key.pass) // "" if it has none
	return err
}

// load reads the new identity, with the passphrase of the old one.
func (r *rotation) load(ctx context.Context) (*identity, error) {
	src := identitySource{name: "the new identity", path: r.nextFile()}
	text, err := readPrivate(src.path)
	if err != nil || !r.key.protected || !seal.Protected(string(text)) {
		if err != nil {
			return nil, err
		}
		return r.c.load(ctx, src)
	}
	plain, err := seal.Unprotect(string(text), r.key.pass.Reveal())
	if err != nil {
		return nil, wrongPassphrase(src.path, err)
	}
	ids, err := seal.ParseIdentities(plain)
	return &identity{src: src, text: string(text), ids: ids, protected: true, plain: secret.Secret(plain), pass: r.key.pass}, err
}

// checkDeclared refuses to make a state that the configuration contradicts.
func (r *rotation) checkDeclared(ctx context.Context, vars *varFlags) error {
	if !hasConfig(r.c.configPath()) {
		return nil
	}
	cfg, err := r.c.loadConfig(ctx, vars, r.c.input)
	if err != nil {
		return err
	}
	if len(cfg.Settings.Recipients) == 0 {
		return nil
	}
	parsed, err := seal.ParseRecipients(cfg.Settings.Recipients)
	if err != nil {
		return err
	}
	var declared []string
	for _, p := range parsed {
		declared = append(declared, p.Name)
	}
	declaredToo := func(name string) bool { return slices.Contains(declared, name) }
	if slices.Contains(declared, r.new) && !slices.ContainsFunc(r.old, declaredToo) {
		return nil
	}
	return advised(fmt.Sprintf("put %q in the place of %s, and run oauthctl key rotate again", r.new, quoted(r.old)),
		"encryption.recipients in %s:%d says whom the state is sealed for, and has to name the new key first; nothing is sealed again yet",
		cfg.Settings.Range.Filename, cfg.Settings.Range.Start.Line)
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, " and ")
}

// hasConfig reports whether there is a configuration at path.
func hasConfig(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return exists(path) // a single file
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".hcl") || strings.HasSuffix(e.Name(), ".hcl.json")
	})
}

// add lets the new key open every state, besides the old one.
func (r *rotation) add(ctx context.Context) error {
	return r.rekey(ctx, func(have []string) []string {
		if slices.Contains(have, r.new) {
			return have
		}
		return append(have, r.new)
	})
}

// remove takes the old key out of every state: all is sealed again.
func (r *rotation) remove(ctx context.Context) error {
	return r.rekey(ctx, func(have []string) []string {
		return slices.DeleteFunc(have, func(n string) bool { return slices.Contains(r.old, n) })
	})
}

func (r *rotation) rekey(ctx context.Context, edit func([]string) []string) error {
	for _, path := range r.states {
		store, err := r.c.openStore(ctx, path, nil)
		if err != nil {
			return err
		}
		have, err := store.Recipients(ctx)
		if err == nil {
			err = store.Rekey(ctx, edit(have))
		}
		if err = errors.Join(err, store.Close()); err != nil {
			return err
		}
	}
	return nil
}

// prove reads every record of every state with the new key alone.
func (r *rotation) prove(ctx context.Context) error {
	was := r.c.key
	defer func() { r.c.key = was }()
	if r.next != nil {
		r.c.key = r.next
	}
	for _, path := range r.states {
		store, err := r.c.openStore(ctx, path, nil)
		if err != nil {
			return err
		}
		_, err = store.All(ctx, state.PartAll)
		if err = errors.Join(err, store.Close()); err != nil {
			return fmt.Errorf("read the state with the new key: %w", err)
		}
	}
	return nil
}

// swap puts the new key into the place of the old one, which gets another name.
func (r *rotation) swap(context.Context) error {
	if r.swapped {
		return nil
	}
	old, err := keepAside(r.key.src.path)
	if err == nil {
		err = os.Rename(r.nextFile(), r.key.src.path)
	}
	if err != nil {
		return fmt.Errorf("put the new identity in its place: %w", err)
	}
	r.next.src, r.c.key, r.swapped = r.key.src, r.next, true
	r.c.view.Note("The new identity is in %s; the old one is in %s, for old copies of a state. Remove it when there are none.", r.key.src.path, old)
	return nil
}

func (r *rotation) end(context.Context) error {
	if err := os.Remove(r.journal()); err != nil {
		return err
	}
	for _, path := range r.states {
		r.c.view.Note("Sealed again for the new key: %s", path)
	}
	r.c.view.Note("Make a new backup: oauthctl key backup FILE")
	r.c.notePublic(r.new)
	return nil
}

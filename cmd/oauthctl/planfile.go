package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/oauthctl/oauthctl/cmd/oauthctl/internal/outlet"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/engine/planfile"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// maxPlanFile bounds what is read of a file that says it is a plan: room for
// 100,000 connections.
const maxPlanFile = 512 << 20

// labels of the digests that saved plans have from the key of the state.
const (
	labelPlan     = "saved plan"
	labelInputs   = "inputs of a saved plan"
	labelVariable = "variable of a saved plan "
)

// save writes the plan to a file that apply takes.
func (s *session) save(ctx context.Context, p *plan.Plan, path string) error {
	in, err := s.cfg.Inputs()
	if err != nil {
		return err
	}
	var salt [32]byte
	if _, err := io.ReadFull(s.c.Rand, salt[:]); err != nil {
		return err
	}
	f := &planfile.File{
		Program: version, Sandbox: s.c.sandbox, Plan: p, Salt: hex.EncodeToString(salt[:]), Values: in.Values,
	}
	f.Files = fileDigests(f.Salt, in.Files)
	if f.Secrets, err = s.secretDigests(ctx, p, in.Secrets); err != nil {
		return err
	}
	if f.Inputs, err = s.engine.Inputs(ctx, s.cfg, p, s.inputDigest(ctx, f)); err != nil {
		return err
	}
	text, err := f.Encode(s.sign(ctx, p))
	if err != nil {
		return err
	}
	if err := replaceFile(path, text); err != nil { // a temporary file has mode 0600
		return advised("name another file with -out", "cannot save the plan in %s: %w", path, reasonOf(err))
	}
	s.c.view.Note("Saved the plan in %s. To carry it out: oauthctl apply %s", path, outlet.ShellQuote(path))
	return nil
}

// checkOut refuses, before anything is done, to replace a file that is no plan.
func checkOut(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return advised("name another file with -out", "cannot save the plan in %s: %w", path, reasonOf(err))
	case !info.Mode().IsRegular():
		return advised("name another file with -out", "cannot save the plan in %s: it is not a regular file", path)
	case info.Size() == 0:
		return nil
	}
	if looks, err := startsLikePlan(path); err != nil || !looks {
		return advised("name another file with -out, or remove that one", "the plan is not saved in %s: there is a file that is not a saved plan", path)
	}
	return nil
}

// startsLikePlan looks at the start of a file. One that is not there is none.
func startsLikePlan(path string) (bool, error) {
	start, err := startOf(path)
	return planfile.Looks(start), err
}

// startOf reads the first bytes of a regular file; nothing of any other.
func startOf(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // the person named it
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	start := make([]byte, 64)
	n, err := io.ReadFull(f, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return start[:n], err
}

// readPlan reads a saved plan that nobody has verified yet.
func (c *cli) readPlan(path string) (*planfile.Saved, error) {
	const again = "make a new one: oauthctl plan -out=FILE"
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, advised(again, "cannot read the saved plan %s: %w", path, reasonOf(err))
	case !info.Mode().IsRegular() || info.Size() > maxPlanFile:
		return nil, advised(again, "cannot read the saved plan %s: %w", path, planfile.ErrNotPlan)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the person named it
	if err != nil {
		return nil, advised(again, "cannot read the saved plan %s: %w", path, reasonOf(err))
	}
	saved, err := planfile.Decode(text)
	if err != nil {
		return nil, advised(again, "cannot use the saved plan %s: %w", path, err)
	}
	return saved, nil
}

func fileDigests(salt string, files map[string][]byte) map[string]string {
	out := make(map[string]string, len(files))
	for name, text := range files {
		out[name] = planfile.Digest(salt, name, string(text))
	}
	return out
}

// secretDigests are digests of secret variables under a key of the state.
// Without a state there is no key that keeps guesses away, and there are none.
func (s *session) secretDigests(ctx context.Context, p *plan.Plan, secrets map[string]secret.Secret) (map[string]string, error) {
	out := make(map[string]string, len(secrets))
	for name, value := range secrets {
		out[name] = ""
		if p.Lineage == "" {
			continue
		}
		d, err := s.store.Digest(ctx, labelVariable+name, value.Reveal())
		if err != nil {
			return nil, err
		}
		out[name] = d
	}
	return out, nil
}

// inputDigest digests under a key of the state, or under the salt of the file.
func (s *session) inputDigest(ctx context.Context, f *planfile.File) func(string) (string, error) {
	return func(text string) (string, error) {
		if f.Plan.Lineage == "" {
			return planfile.Digest(f.Salt, labelInputs, text), nil
		}
		return s.store.Digest(ctx, labelInputs, text)
	}
}

// sign authenticates a plan under a key of the state it was made from; nil if
// there was none.
func (s *session) sign(ctx context.Context, p *plan.Plan) planfile.Sign {
	if p.Lineage == "" {
		return nil
	}
	return func(text string) (string, error) { return s.store.Digest(ctx, labelPlan, text) }
}

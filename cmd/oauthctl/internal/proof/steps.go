package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oauthctl/oauthctl/providers"
)

// strict is a server whose refresh tokens work once, without any grace.
func strict() providers.Rotation {
	return providers.Rotation{Kind: "single_use", BlastRadius: "grant"}
}

// oneRefresh lets many processes ask for expired tokens at once.
func (p *proof) oneRefresh(ctx context.Context) error {
	for _, t := range []struct{ connections, each int }{{1, p.processes}, {20, p.processes / 4}} {
		if err := p.herd(ctx, t.connections, t.each); err != nil {
			return err
		}
	}
	return nil
}

func (p *proof) herd(ctx context.Context, connections, each int) error {
	w, err := newWorld(ctx, p.bin, strict(), time.Second, connections)
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	time.Sleep(1200 * time.Millisecond)
	if err := w.lives(time.Hour); err != nil {
		return err
	}
	results := make([]result, connections*each)
	errs := make([]error, len(results))
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = w.run(ctx, "token", "-lock-timeout=60s", name(i%connections)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	tokens, exits := map[string]bool{}, map[int]int{}
	for _, r := range results {
		exits[r.code]++
		tokens[r.stdout] = true
	}
	s, err := w.server.Stats()
	if err != nil {
		return err
	}
	p.say("one refresh: %d processes for %d expired tokens on a strict server: %d refreshes, %d reuses, %d different tokens, %d valid at the server, %d of %d exits 0",
		len(results), connections, s.Refreshes, s.Reuses, len(tokens), s.LiveAccess, exits[0], len(results))
	if s.Refreshes != connections || s.LiveAccess != connections || s.Reuses != 0 || len(tokens) != connections || exits[0] != len(results) {
		return fmt.Errorf("want %d refreshes, 0 reuses, %d tokens, all exits 0; exits: %v", connections, connections, exits)
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("c[%q]", fmt.Sprintf("c%03d", i)) }

// kill ends refreshing processes with SIGKILL at random moments. With the helper
// (docs/decisions/0005) nothing is lost even on a strict server; without it, as
// when the helper itself is killed, what is lost has to be reported.
func (p *proof) kill(ctx context.Context) error {
	grace := providers.Rotation{Kind: "single_use", Grace: time.Minute, BlastRadius: "grant"}
	modes := []struct {
		name     string
		rotation providers.Rotation
		env      []string
		mayLose  bool
	}{
		{"with 60 s of grace", grace, nil, false},
		{"with 60 s of grace, no helper", grace, withoutHelper, false},
		{"strict", strict(), nil, false},
		{"strict, no helper", strict(), withoutHelper, true},
	}
	for _, t := range modes {
		if err := p.killing(ctx, p.kills/len(modes), t.name, t.rotation, t.env, t.mayLose); err != nil {
			return err
		}
	}
	return nil
}

var withoutHelper = []string{"OAUTHCTL_HELPER=0"}

// killing counts what kills cost on one server. A connection is lost
// when the program cannot get a token without a person; it must then say that
// the outcome is unknown.
func (p *proof) killing(ctx context.Context, kills int, title string, rotation providers.Rotation, env []string, mayLose bool) error {
	w, err := newWorld(ctx, p.bin, rotation, time.Hour, 1)
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	w.env = env
	span, err := w.span(ctx)
	if err != nil {
		return err
	}
	var killed, unreadable, lost, reported int
	for range kills {
		cmd := w.command(ctx, "token", "-force-refresh", name(0))
		if err := cmd.Start(); err != nil {
			return err
		}
		time.Sleep(time.Duration(rand.Int64N(int64(span))))
		_ = cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
		r, err := w.run(ctx, "token", "-force-refresh", name(0))
		if err != nil {
			return err
		}
		switch r.code {
		case 0:
			continue
		case 5:
			unreadable++
		default:
			lost++
			if r.code == 3 && strings.Contains(r.stderr, "nknown") {
				reported++
			}
		}
		if err := w.reconsent(ctx); err != nil {
			return err
		}
	}
	p.say("kill -9, server %s: %d kills, %d of them while it ran: %d unreadable states, %d lost, of them %d reported as unknown outcome",
		title, kills, killed, unreadable, lost, reported)
	if unreadable > 0 || lost > reported || (lost > 0 && !mayLose) {
		return errors.New("want no unreadable state, and no loss that is not reported; with grace none at all")
	}
	return nil
}

// span is how long a refresh takes here.
func (w *world) span(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	for range 5 {
		if err := w.refresh(ctx); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / 5, nil
}

func (w *world) refresh(ctx context.Context) error {
	r, err := w.run(ctx, "token", "-force-refresh", name(0))
	if err == nil && r.code != 0 {
		err = errors.New(r.stderr)
	}
	return err
}

// helper compares how long a refresh takes with the helper and without, in turn.
func (p *proof) helper(ctx context.Context) error {
	w, err := newWorld(ctx, p.bin, strict(), time.Hour, 1)
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	var took [2][]time.Duration
	rounds := min(p.kills, 100)
	for range rounds {
		for i, env := range [][]string{nil, withoutHelper} {
			w.env = env
			start := time.Now()
			if err := w.refresh(ctx); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2].Microseconds()) / 1000
	}
	p.say("helper: a refresh from a server on this machine takes %.1f ms with it, %.1f ms without (medians of %d, in turn)",
		median(took[0]), median(took[1]), rounds)
	return nil
}

func (w *world) reconsent(ctx context.Context) error {
	cmd := w.command(ctx, "apply", "-auto-approve", "-input=true", "-replace=connection."+name(0))
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := w.consent(ctx); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return fmt.Errorf("%w\n%s", err, errOut.String())
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("consent again: %w\n%s", err, errOut.String())
	}
	return nil
}

// damage flips, cuts and appends bytes of a state: the program prints the right
// token or none.
func (p *proof) damage(ctx context.Context) error {
	w, err := newWorld(ctx, p.bin, strict(), time.Hour, 3)
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	path := filepath.Join(w.dir, "oauthctl.state")
	good, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	right, err := w.run(ctx, "token", name(1))
	if err != nil || right.code != 0 {
		return errors.Join(err, errors.New(right.stderr))
	}
	var same, refused, wrong, changed, panics int
	for i := range p.damages {
		bad := hurt(good, i)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			return err
		}
		r, err := w.run(ctx, "token", name(1))
		if err != nil {
			return err
		}
		switch {
		case strings.Contains(r.stderr, "goroutine "):
			panics++
		case r.code == 0 && r.stdout == right.stdout:
			same++
		case r.code != 0 && r.stdout == "":
			refused++
		default:
			wrong++
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, bad) {
			changed++
		}
	}
	p.say("damage: %d states with bits flipped, cut or appended: %d refused, %d harmless (the right token), %d wrong tokens, %d panics, %d files changed by reading",
		p.damages, refused, same, wrong, panics, changed)
	if wrong+panics+changed > 0 {
		return errors.New("want no wrong token, no panic, and damaged files left as they are")
	}
	return nil
}

func hurt(good []byte, i int) []byte {
	bad := bytes.Clone(good)
	switch i % 8 {
	case 6:
		return bad[:rand.IntN(len(bad))]
	case 7:
		return append(bad, bytes.Repeat([]byte{byte(i)}, 1+rand.IntN(64))...)
	}
	bad[rand.IntN(len(bad))] ^= 1 << rand.IntN(8)
	return bad
}

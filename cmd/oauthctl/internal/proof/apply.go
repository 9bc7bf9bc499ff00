package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

// applyKill ends applies of many connections with SIGKILL at random moments: soon
// after as many connections are done as the dice say. What
// the program has said to be done is in the state; the rest is done by the next
// apply, and nothing twice.
func (p *proof) applyKill(ctx context.Context) error {
	w, err := start(ctx, p.bin)
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	if err := w.configureWorkers(p.applied); err != nil {
		return err
	}
	// As a server on a network, so that an apply takes a while everywhere.
	w.server.Inject(sandbox.Fault{Role: sandbox.RoleToken, Kind: sandbox.FaultSlow, Delay: 10 * time.Millisecond, Count: -1})
	var all killed
	for range p.applies {
		if err := w.forget(); err != nil {
			return err
		}
		k, err := w.killedApply(ctx, p.applied, rand.IntN(p.applied))
		if err != nil {
			return err
		}
		all.add(k)
	}
	p.say("kill -9 of apply: %d kills during applies of %d connections, %d of them before its end: %d unreadable states; %d connections reported as done, "+
		"%d of them not in the state; the server gave tokens to %d, %d of them not recorded; %d in the state were asked for again",
		p.applies, p.applied, all.early, all.unreadable, all.reported, all.missing, all.given, all.given-all.recorded, all.again)
	if all.unreadable+all.missing+all.again > 0 || all.early == 0 || all.reported == 0 {
		return errors.New("want no unreadable state, and every completed change recorded")
	}
	return nil
}

// killed counts what kills of applies cost.
type killed struct {
	early, unreadable, again           int
	given, recorded, reported, missing int
}

func (k *killed) add(o killed) {
	k.early += o.early
	k.unreadable += o.unreadable
	k.again += o.again
	k.given += o.given
	k.recorded += o.recorded
	k.reported += o.reported
	k.missing += o.missing
}

// killedApply kills one apply of n connections soon after some of them are done,
// and lets another one finish the work.
func (w *world) killedApply(ctx context.Context, n, after int) (killed, error) {
	var k killed
	before, err := w.given()
	if err != nil {
		return k, err
	}
	done, whole, err := w.cutApply(ctx, after)
	if err != nil {
		return k, err
	}
	if !whole {
		k.early = 1
	}
	between, err := w.settled()
	if err != nil {
		return k, err
	}
	recorded, err := w.recorded(ctx)
	if errors.Is(err, errUnreadable) {
		k.unreadable = 1
		return k, nil
	}
	if err != nil {
		return k, err
	}
	for _, a := range done {
		if !recorded[a] {
			k.missing++
		}
	}
	k.given, k.recorded, k.reported = between-before, len(recorded), len(done)
	return k, w.finish(ctx, n, &k, between)
}

// finish applies what is missing. Every record that was there is good: it is not
// asked for again, and its token comes out.
func (w *world) finish(ctx context.Context, n int, k *killed, between int) error {
	r, err := w.run(ctx, "apply", "-auto-approve")
	if err != nil || r.code == 5 {
		k.unreadable++
		return err
	}
	if r.code != 0 {
		return fmt.Errorf("the next apply: %s", r.stderr)
	}
	after, err := w.given()
	if err != nil {
		return err
	}
	k.again = after - between - (n - k.recorded)
	r, err = w.run(ctx, "output", "-raw", "tokens")
	if err != nil || r.code != 0 {
		return errors.Join(err, errors.New(r.stderr))
	}
	if tokens := strings.Fields(r.stdout); len(tokens) != n {
		return fmt.Errorf("%d tokens of %d connections", len(tokens), n)
	}
	return nil
}

// given is how many tokens the server has handed out.
func (w *world) given() (int, error) {
	s, err := w.server.Stats()
	return s.Clients, err
}

// settled is given once the server has answered everything, what nobody reads
// any more too.
func (w *world) settled() (int, error) {
	for last := -1; ; {
		n, err := w.given()
		if err != nil || n == last {
			return n, err
		}
		last = n
		time.Sleep(200 * time.Millisecond)
	}
}

var errUnreadable = errors.New("the state cannot be read")

// recorded are the connections in the state, if there is one yet.
func (w *world) recorded(ctx context.Context) (map[string]bool, error) {
	if _, err := os.Stat(filepath.Join(w.dir, "oauthctl.state")); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	r, err := w.run(ctx, "state", "list")
	if err == nil && r.code == 0 {
		// The list needs no key; a plan opens every record.
		var plan result
		if plan, err = w.run(ctx, "plan"); err == nil && plan.code != 0 {
			r = plan
		}
	}
	switch {
	case err != nil:
		return nil, err
	case r.code == 5:
		return nil, errUnreadable
	case r.code != 0:
		return nil, errors.New(r.stderr)
	}
	out := map[string]bool{}
	for _, a := range strings.Fields(r.stdout) {
		out[a] = true
	}
	return out, nil
}

// cutApply kills an apply up to 2 ms after it has said that some connections are
// done. It gives all of which it has said so, and whether it had ended by then.
// What it said last may be cut off.
func (w *world) cutApply(ctx context.Context, after int) (done []string, whole bool, err error) {
	cmd := w.command(ctx, "apply", "-auto-approve", "-json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	if err := cmd.Start(); err != nil {
		return nil, false, err
	}
	kill := func() {
		time.AfterFunc(rand.N(2*time.Millisecond), func() { _ = cmd.Process.Kill() })
	}
	if after == 0 {
		kill()
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var ev struct{ Type, Addr string }
		if json.Unmarshal(lines.Bytes(), &ev) != nil || ev.Type != "change_complete" {
			continue
		}
		if done = append(done, ev.Addr); len(done) == after {
			kill()
		}
	}
	return done, cmd.Wait() == nil, lines.Err()
}

// forget removes the state.
func (w *world) forget() error {
	files, err := filepath.Glob(filepath.Join(w.dir, "oauthctl.state*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range append(files, filepath.Join(w.dir, "pins")) {
		errs = append(errs, os.RemoveAll(f))
	}
	return errors.Join(errs...)
}

// configureWorkers writes a configuration of n connections that need nobody.
func (w *world) configureWorkers(n int) error {
	w.env = []string{"SECRET=proof"}
	config := fmt.Sprintf(`
provider "local" {
  issuer = %q
}
connection "c" {
  for_each      = toset([for i in range(%d) : format("c%%03d", i)])
  provider      = "local"
  client_id     = "client-${each.key}"
  client_secret = env("SECRET")
  client_auth   = "client_secret_post"
  scopes        = ["read"]
  grant "client_credentials" {}
}
output "tokens" {
  value     = join("\n", [for c in connection.c : c.access_token])
  sensitive = true
}
`, w.base, n)
	return os.WriteFile(filepath.Join(w.dir, "main.hcl"), []byte(config), 0o600)
}

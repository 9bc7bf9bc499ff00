//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oauthctl/oauthctl/schema/addr"
	"github.com/oauthctl/oauthctl/state"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

const childEnv = "OAUTHCTL_SQLITE_TEST_CHILD"

// TestMain is also the main function of the processes that the tests start:
// they run this binary again, with what to do in the environment.
func TestMain(m *testing.M) {
	work := os.Getenv(childEnv)
	if work == "" {
		goleak.VerifyTestMain(m)
		return
	}
	name, path, _ := strings.Cut(work, " ")
	d, err := sqlite.Open(path, sqlite.Options{})
	if err == nil {
		err = children[name](d)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a process that does one of the works of children on a state.
func child(t *testing.T, work, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+work+" "+path)
	cmd.Stderr = os.Stderr
	return cmd
}

const rounds = 25

var children = map[string]func(*sqlite.DB) error{
	// count increments a number under the lock.
	"count": func(d *sqlite.DB) error {
		for range rounds {
			unlock, err := d.Lock(context.Background(), graph, state.Holder{PID: os.Getpid()})
			if err != nil {
				return err
			}
			if err := increment(d, graph); err != nil {
				return err
			}
			unlock()
		}
		return d.Close()
	},
	// compare increments it without the lock, by compare-and-swap alone.
	"compare": func(d *sqlite.DB) error {
		for range rounds {
			err := increment(d, graph)
			for errors.Is(err, state.ErrConflict) {
				err = increment(d, graph)
			}
			if err != nil {
				return err
			}
		}
		return d.Close()
	},
	// write changes two records together for ever and says what was acknowledged.
	"write": func(d *sqlite.DB) error {
		for n := uint64(2); ; n++ {
			b := numbers(n, graph, addr.Connection("mail"))
			if err := d.Write(context.Background(), b); err != nil {
				return err
			}
			fmt.Println(n)
		}
	},
	// hold takes the lock and keeps it.
	"hold": func(d *sqlite.DB) error {
		if _, err := d.Lock(context.Background(), graph, state.Holder{PID: os.Getpid(), Operation: "hold"}); err != nil {
			return err
		}
		fmt.Println("held")
		time.Sleep(time.Hour)
		return nil
	},
	// create makes the state, or finds that another process has.
	"create": func(d *sqlite.DB) error {
		b := first()
		b.Header.Bytes = []byte(strconv.Itoa(os.Getpid()))
		err := d.Write(context.Background(), b)
		switch {
		case err == nil:
			fmt.Println("made")
		case errors.Is(err, state.ErrConflict):
			fmt.Println("found")
		default:
			return err
		}
		return d.Close()
	},
	// full probes with no room for a probe.
	"full": func(d *sqlite.DB) error {
		signal.Ignore(syscall.SIGXFSZ)
		limit := &syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
			return err
		}
		if err := d.Probe(context.Background()); !errors.Is(err, state.ErrUnwritable) {
			return fmt.Errorf("probe: want ErrUnwritable: %w", err)
		}
		b := change(graph, 2)
		b.Changes[0].Row.Tokens = make([]byte, 1<<20)
		if err := d.Write(context.Background(), b); !errors.Is(err, state.ErrUnwritable) {
			return fmt.Errorf("write: want ErrUnwritable: %w", err)
		}
		if _, err := d.Get(context.Background(), graph, state.PartAll); err != nil {
			return fmt.Errorf("read after a write that failed: %w", err)
		}
		return d.Close()
	},
}

// increment adds one to the number in a record.
func increment(d *sqlite.DB, a addr.Addr) error {
	r, err := d.Get(context.Background(), a, state.PartAll)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(r.Info))
	r.Info, r.Generation = []byte(strconv.Itoa(n+1)), r.Generation+1
	return d.Write(context.Background(), state.Batch{Epoch: 1, Changes: []state.Change{{Row: r, Was: r.Generation - 1}}})
}

// numbers puts generation n of some records, with n in both parts.
func numbers(n uint64, addrs ...addr.Addr) state.Batch {
	b := state.Batch{Epoch: 1}
	text := []byte(strings.Repeat(strconv.FormatUint(n, 10)+" ", 500))
	for _, a := range addrs {
		b.Changes = append(b.Changes, state.Change{
			Row: state.Row{Summary: state.Summary{Addr: a, Generation: n}, Info: text, Tokens: text}, Was: n - 1,
		})
	}
	return b
}

func TestProcessesCountExactly(t *testing.T) {
	for _, work := range []string{"count", "compare"} {
		t.Run(work, func(t *testing.T) {
			const processes = 8
			path := newState(t)
			var all []*exec.Cmd
			for range processes {
				c := child(t, work, path)
				must(t, c.Start())
				all = append(all, c)
			}
			for _, c := range all {
				if err := c.Wait(); err != nil {
					t.Errorf("process: %v", err)
				}
			}
			d := open(t, path)
			defer d.Close() // only read
			r, err := d.Get(t.Context(), graph, state.PartAll)
			must(t, err)
			if got, want := string(r.Info), strconv.Itoa(processes*rounds); got != want || r.Generation != processes*rounds+1 {
				t.Errorf("%s at generation %d, want %s: increments were lost", got, r.Generation, want)
			}
		})
	}
}

func TestOnlyOneProcessMakesTheState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oauthctl.state")
	var (
		wg   sync.WaitGroup
		outs [8]string
		pids [8]int
	)
	for i := range outs {
		wg.Go(func() {
			c := child(t, "create", path)
			out, err := c.Output()
			if err != nil {
				t.Errorf("process: %v", err)
			}
			outs[i], pids[i] = strings.TrimSpace(string(out)), c.Process.Pid
		})
	}
	wg.Wait()
	winner := 0
	for i, out := range outs {
		if out == "made" {
			if winner != 0 {
				t.Error("two processes made the state")
			}
			winner = pids[i]
		}
	}
	d := open(t, path)
	defer d.Close() // only read
	h, err := d.Header(t.Context())
	must(t, err)
	if string(h.Bytes) != strconv.Itoa(winner) {
		t.Errorf("header of %s, but %d says that it made it", h.Bytes, winner)
	}
	if got := names(t, filepath.Dir(path)); got != "oauthctl.state oauthctl.state.lock" {
		t.Errorf("files at rest: %s", got)
	}
}

// TestAcknowledgedWritesSurviveKill kills a writer at random moments. What it
// had said to be written is there, both records of a batch agree, and the
// next process can go on.
func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	kills := 40
	if testing.Short() {
		kills = 5
	}
	acknowledged, inFlight := 0, 0
	for range kills {
		path := filepath.Join(t.TempDir(), "oauthctl.state")
		mail := addr.Connection("mail")
		d := open(t, path)
		must(t, d.Write(t.Context(), first()))
		must(t, d.Write(t.Context(), numbers(1, graph, mail)))
		must(t, d.Close())

		c := child(t, "write", path)
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		lines := bufio.NewScanner(out)
		last := uint64(1)
		read := func() bool {
			if !lines.Scan() {
				return false
			}
			last, err = strconv.ParseUint(lines.Text(), 10, 64)
			must(t, err)
			return true
		}
		read() // it is at work now
		time.Sleep(rand.N(15 * time.Millisecond))
		must(t, c.Process.Kill())
		for read() { // everything that was acknowledged
		}
		_ = c.Wait()
		acknowledged += int(last)
		if _, err := os.Lstat(path + "-journal"); err == nil {
			inFlight++
		}

		d = open(t, path)
		a, err := d.Get(t.Context(), graph, state.PartAll)
		must(t, err)
		b, err := d.Get(t.Context(), mail, state.PartAll)
		must(t, err)
		if a.Generation < last {
			t.Errorf("generation %d was acknowledged, %d is there", last, a.Generation)
		}
		if a.Generation != b.Generation || string(a.Info) != string(b.Tokens) {
			t.Errorf("half a batch: generations %d and %d", a.Generation, b.Generation)
		}
		must(t, d.Write(t.Context(), numbers(a.Generation+1, graph, mail)))
		must(t, d.Close())
		if got := names(t, filepath.Dir(path)); got != "oauthctl.state oauthctl.state.lock" {
			t.Errorf("files at rest: %s", got)
		}
	}
	t.Logf("%d kills, %d of them in the middle of a write; %d acknowledged writes, none lost", kills, inFlight, acknowledged)
}

func TestALockEndsWithItsHolder(t *testing.T) {
	path := newState(t)
	c := child(t, "hold", path)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("holder: %q, %v", line, err)
	}
	d := open(t, path)
	defer d.Close() // only locks
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = d.Lock(ctx, graph, state.Holder{PID: os.Getpid()})
	var busy *state.BusyError
	if !errors.As(err, &busy) || busy.Holder.PID != c.Process.Pid || busy.Holder.Operation != "hold" {
		t.Errorf("lock while it is held: %v", err)
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
	unlock, err := d.Lock(t.Context(), graph, state.Holder{PID: os.Getpid()})
	must(t, err)
	unlock()
}

func TestAChildProcessDoesNotInheritALock(t *testing.T) {
	d := open(t, newState(t))
	defer d.Close() // only locks
	unlock, err := d.Lock(t.Context(), graph, state.Holder{PID: os.Getpid()})
	must(t, err)
	sleeper := exec.CommandContext(t.Context(), "sleep", "60") // like a browser that was opened
	must(t, sleeper.Start())
	defer sleeper.Wait()         // killed
	defer sleeper.Process.Kill() // nothing else to do
	unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // one try
	unlock, err = d.Lock(ctx, graph, state.Holder{})
	must(t, err)
	unlock()
}

func TestNoRoomIsNoticedBeforeAnythingIsSpent(t *testing.T) {
	c := child(t, "full", newState(t))
	if err := c.Run(); err != nil {
		t.Errorf("process: %v", err)
	}
}

func TestAHalfDoneWriteIsTakenBackByAReader(t *testing.T) {
	// A journal that a killed writer left, with the change half in the file.
	path := newState(t)
	before, err := os.ReadFile(path)
	must(t, err)
	for range 100 {
		c := child(t, "write", path)
		must(t, os.WriteFile(path, before, 0o600))
		d := open(t, path)
		must(t, d.Write(t.Context(), change(addr.Connection("mail"), 1)))
		must(t, d.Close())
		must(t, c.Start())
		time.Sleep(rand.N(30 * time.Millisecond))
		must(t, c.Process.Kill())
		_ = c.Wait()
		if _, err := os.Lstat(path + "-journal"); err != nil {
			continue // killed between two writes
		}
		d = open(t, path)
		if _, err := d.Get(t.Context(), graph, state.PartAll); err != nil {
			t.Errorf("read over a journal that was left: %v", err)
		}
		must(t, d.Close())
		return
	}
	t.Error("no kill in 100 left a journal")
}

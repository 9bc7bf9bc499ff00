// Command bench measures oauthctl against peers on this machine, as ratios
// within one run: machines are noisy, ratios less so.
//
//	token   CPU of "oauthctl token" with a valid token : a Go hello-world, with 1 and 10,000 connections
//	agent   CPU of "oauthctl token" that asks an agent : one that opens the state itself
//	apply   wall of "oauthctl apply" of 1,000 client-credentials connections : a bare Go client, against
//	        the sandbox, one that signs nothing and so answers at once, and one that takes 10 ms
//	grow    CPU of "oauthctl apply" of 100, 1,000 and 10,000 connections : each other
//	flat    CPU of commands about one connection, of 1 and of 10,000 : each other
//	plan    wall of "oauthctl plan" of 10,000 unchanged connections : "terraform plan" of 10,000 terraform_data
//
// Peers are programs too, started anew for every run. What is promised as a ratio
// of processor time or as memory makes the run fail when it is missed.
//
// It does not know how the program works inside; it runs the binary.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

func main() {
	var b bench
	only := flag.String("only", "token,agent,apply,grow,flat,plan", "what to measure")
	bare := flag.String("bare", "", "be the bare client of the server at `URL`")
	serve := flag.Bool("serve", false, "be the server")
	delay := flag.Duration("delay", 0, "as the server, take so long for a token")
	opaque := flag.Bool("opaque", false, "as the server, sign no access tokens")
	flag.StringVar(&b.bin, "oauthctl", "./oauthctl", "the program to measure")
	flag.IntVar(&b.runs, "runs", 40, "runs of each short command")
	flag.IntVar(&b.large, "large", 10_000, "connections in the large state")
	flag.IntVar(&b.applied, "applied", 1_000, "connections to apply")
	flag.IntVar(&b.tfRuns, "terraform-runs", 1, "runs of terraform plan (a minute or more each)")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	switch {
	case *bare != "":
		err = bareClient(ctx, *bare, b.applied)
	case *serve:
		err = serveSandbox(ctx, *delay, *opaque)
	default:
		err = b.run(ctx, strings.Split(*only, ","))
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	bin                          string
	runs, large, applied, tfRuns int
	dir, self, issuer            string
	socket                       string // of the agent; "": there is none
}

func (b *bench) run(ctx context.Context, only []string) error {
	abs, err := filepath.Abs(b.bin)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "oauthctl-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.bin, err = b.install(abs, "oauthctl"); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the servers
	if b.issuer, err = b.serve(ctx, 0, true); err != nil {
		return err
	}
	steps := []struct {
		name string
		f    func(context.Context) error
	}{{"token", b.token}, {"agent", b.agent}, {"apply", b.apply}, {"grow", b.grow}, {"flat", b.flat}, {"plan", b.plan}}
	var failed []error
	for _, s := range steps {
		if !slices.Contains(only, s.name) {
			continue
		}
		if err := s.f(ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(failed...)
}

// serve starts a server in a process of its own: what a child of a large
// process uses at most is counted from the size of its parent.
func (b *bench) serve(ctx context.Context, delay time.Duration, opaque bool) (issuer string, err error) {
	cmd := exec.CommandContext(ctx, b.self, "-serve", "-delay", delay.String(), "-opaque="+strconv.FormatBool(opaque))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_, err = fmt.Fscanln(out, &issuer)
	return issuer, err
}

func serveSandbox(ctx context.Context, delay time.Duration, opaque bool) error {
	server, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader, Opaque: opaque})
	if err != nil {
		return err
	}
	defer server.Close()
	if delay > 0 {
		server.Inject(sandbox.Fault{Role: sandbox.RoleToken, Kind: sandbox.FaultSlow, Delay: delay, Count: -1})
	}
	issuer, err := server.Serve(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(issuer)
	<-ctx.Done()
	return nil
}

// project makes a directory with n client-credentials connections in one
// for_each block, or in n blocks.
func (b *bench) project(name, issuer string, n int, blocks bool) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	files := map[string]string{"main.hcl": fmt.Sprintf("provider \"local\" {\n  issuer = %q\n}\n", issuer)}
	const body = "  provider      = \"local\"\n  client_secret = env(\"BENCH_SECRET\")\n  client_auth   = \"client_secret_post\"\n  scopes        = [\"read\", \"write\"]\n  grant \"client_credentials\" {}\n"
	var s strings.Builder
	switch {
	case blocks:
		const perFile = 1000 // a file may have 1 MiB
		for i := range n {
			fmt.Fprintf(&s, "connection \"c%05d\" {\n%s  client_id     = \"client-%d\"\n}\n", i, body, i)
			if (i+1)%perFile == 0 || i == n-1 {
				files[fmt.Sprintf("c%05d.hcl", i)] = s.String()
				s.Reset()
			}
		}
	default:
		s.WriteString("connection \"c\" {\n  for_each      = toset([")
		for i := range n {
			fmt.Fprintf(&s, "%q,", fmt.Sprintf("c%05d", i))
		}
		fmt.Fprintf(&s, "])\n%s  client_id     = \"client-${each.key}\"\n}\n", body)
		files["c.hcl"] = s.String()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// install copies a program. The pages of a file that the linker has just
// written cost more to map than those of one that was copied or unpacked, as
// every installed program is.
func (b *bench) install(bin, name string) (string, error) {
	text, err := os.ReadFile(bin)
	if err != nil {
		return "", err
	}
	to := filepath.Join(b.dir, name)
	return to, os.WriteFile(to, text, 0o700)
}

// command is a process with an environment that holds nothing else.
func (b *bench) command(ctx context.Context, dir, bin string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "BENCH_SECRET=bench", "CI=true",
		"XDG_CONFIG_HOME=" + filepath.Join(b.dir, "config"), "XDG_STATE_HOME=" + filepath.Join(b.dir, "pins"),
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0", "OAUTHCTL_AGENT_SOCKET=" + b.socket,
	}
	return cmd
}

// usage is what one process cost.
type usage struct {
	wall, cpu time.Duration
	rss       int64 // KiB
}

func (b *bench) measure(ctx context.Context, dir, bin string, args ...string) (usage, error) {
	cmd := b.command(ctx, dir, bin, args...)
	var errOut strings.Builder
	cmd.Stderr = &errOut
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return usage{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(bin), strings.Join(args, " "), err, errOut.String())
	}
	ps := cmd.ProcessState
	return usage{wall, ps.UserTime() + ps.SystemTime(), maxRSS(ps)}, nil
}

func median(us []usage, f func(usage) time.Duration) time.Duration {
	ds := make([]time.Duration, len(us))
	for i, u := range us {
		ds[i] = f(u)
	}
	slices.Sort(ds)
	return ds[len(ds)/2]
}

func cpu(u usage) time.Duration  { return u.cpu }
func wall(u usage) time.Duration { return u.wall }

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }

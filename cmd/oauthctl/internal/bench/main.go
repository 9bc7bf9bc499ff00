// Command bench measures oauthctl against peers on this machine, as ratios
// within one run: machines are noisy, ratios less so.
//
//	token   CPU of "oauthctl token" with a valid token : a Go hello-world, with 1 and 10,000 connections
//	apply   wall of "oauthctl apply" of 1,000 client-credentials connections : a bare Go client
//	plan    wall of "oauthctl plan" of 10,000 unchanged connections : "terraform plan" of 10,000 terraform_data
//
// It does not know how the program works inside; it runs the binary.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers/sandbox"
)

func main() {
	var b bench
	only := flag.String("only", "token,apply,plan", "what to measure")
	flag.StringVar(&b.bin, "oauthctl", "./oauthctl", "the program to measure")
	flag.IntVar(&b.runs, "runs", 40, "runs of each short command")
	flag.IntVar(&b.large, "large", 10_000, "connections in the large state")
	flag.IntVar(&b.applied, "applied", 1_000, "connections to apply")
	flag.IntVar(&b.tfRuns, "terraform-runs", 1, "runs of terraform plan (a minute or more each)")
	flag.Parse()
	if err := b.run(context.Background(), strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	bin                          string
	runs, large, applied, tfRuns int
	dir, issuer                  string
}

func (b *bench) run(ctx context.Context, only []string) error {
	abs, err := filepath.Abs(b.bin)
	if err != nil {
		return err
	}
	b.bin = abs
	if b.dir, err = os.MkdirTemp("", "oauthctl-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	defer server.Close()
	if b.issuer, err = server.Serve(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	steps := []struct {
		name string
		f    func(context.Context) error
	}{{"token", b.token}, {"apply", b.apply}, {"plan", b.plan}}
	for _, s := range steps {
		if !slices.Contains(only, s.name) {
			continue
		}
		if err := s.f(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// project makes a directory with n client-credentials connections in one
// for_each block, or in n blocks.
func (b *bench) project(name string, n int, blocks bool) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	var s strings.Builder
	fmt.Fprintf(&s, "provider \"local\" {\n  issuer = %q\n}\n", b.issuer)
	const body = "  provider      = \"local\"\n  client_secret = env(\"BENCH_SECRET\")\n  client_auth   = \"client_secret_post\"\n  scopes        = [\"read\", \"write\"]\n  grant \"client_credentials\" {}\n"
	if blocks {
		for i := range n {
			fmt.Fprintf(&s, "connection \"c%05d\" {\n%s  client_id     = \"client-%d\"\n}\n", i, body, i)
		}
	} else {
		s.WriteString("connection \"c\" {\n  for_each      = toset([")
		for i := range n {
			fmt.Fprintf(&s, "%q,", fmt.Sprintf("c%05d", i))
		}
		fmt.Fprintf(&s, "])\n%s  client_id     = \"client-${each.key}\"\n}\n", body)
	}
	return dir, os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(s.String()), 0o600)
}

// usage is what one process cost.
type usage struct {
	wall, cpu time.Duration
	rss       int64 // KiB
}

func (b *bench) measure(ctx context.Context, dir, bin string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"HOME=" + b.dir, "PATH=" + os.Getenv("PATH"), "BENCH_SECRET=bench", "CI=true",
		"XDG_CONFIG_HOME=" + filepath.Join(b.dir, "config"), "XDG_STATE_HOME=" + filepath.Join(b.dir, "pins"),
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0",
	}
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

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }

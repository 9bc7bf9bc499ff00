// Command proof counts what oauthctl promises: one refresh however many
// processes ask, no state that a kill makes unreadable, no token from a damaged
// record, nothing lost to a disk or a network that fails. It prints a line for
// each, and fails when a promise is broken.
//
// Most of it runs the binary against the sandbox and judges by what the server
// saw. What has to be done inside a process (a clock, a disk, a network that do
// what they are told) are tests of the packages, which it runs at full scale.
//
// It does not know how the program works inside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	p := proof{out: os.Stdout}
	only := flag.String("only", p.names(), "what to prove")
	short := flag.Bool("short", false, "a sample of it all")
	flag.StringVar(&p.bin, "oauthctl", "./oauthctl", "the program")
	flag.IntVar(&p.processes, "processes", 200, "processes that ask for one token")
	flag.IntVar(&p.kills, "kills", 1000, "kills during refreshes, in all modes together")
	flag.IntVar(&p.damages, "damages", 400, "damaged state files")
	flag.IntVar(&p.applies, "applies", 30, "kills during applies")
	flag.IntVar(&p.applied, "applied", 300, "connections of such an apply")
	flag.Parse()
	if *short {
		p = p.shorter()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := p.run(ctx, strings.Split(*only, ","))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		os.Exit(1)
	}
}

type proof struct {
	bin                       string
	out                       io.Writer
	short                     bool
	processes, kills, damages int
	applies, applied          int
}

// shorter is what a test can wait for.
func (p proof) shorter() proof {
	p.short, p.processes, p.kills, p.damages, p.applies, p.applied = true, 16, 16, 24, 3, 100
	return p
}

// item is one promise.
type item struct {
	name string
	run  func(context.Context) error
}

func (p *proof) items() []item {
	test := func(pkg, name string) func(context.Context) error {
		return func(ctx context.Context) error { return p.test(ctx, pkg, name) }
	}
	return []item{
		{"one-refresh", p.oneRefresh},
		{"oidc-provider", test("cmd/oauthctl/internal/e2e", "TestManyProcessesOneRefresh")},
		{"kill", p.kill},
		{"helper", p.helper},
		{"storage", test("cmd/oauthctl", "TestEveryStorageCallFails")},
		{"damage", p.damage},
		{"records", test("state", "TestEveryByteOfAState")},
		{"strangers", test("engine/grant", "TestTenThousandStrangers")},
		{"conformance", test("engine/grant", "TestConformance")},
		{"network", test("engine/grant", "TestNetworkFaults")},
		{"soak", test("engine", "TestSoak")},
		{"apply-kill", p.applyKill},
	}
}

// names lists the items.
func (p *proof) names() string {
	var names []string
	for _, i := range p.items() {
		names = append(names, i.name)
	}
	return strings.Join(names, ",")
}

func (p *proof) run(ctx context.Context, only []string) error {
	var failed []error
	items := p.items()
	for _, name := range only {
		i := slices.IndexFunc(items, func(i item) bool { return i.name == name })
		if i < 0 {
			return fmt.Errorf("there is no proof %q; there are %s", name, p.names())
		}
		if err := items[i].run(ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// say prints the figures of an item.
func (p *proof) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

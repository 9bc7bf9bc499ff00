// Command proof counts what oauthctl promises: one refresh however many
// processes ask, no state that a kill makes unreadable, no token from a damaged
// record. It runs the binary against the sandbox and judges by what the server saw.
//
// It does not know how the program works inside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	var p proof
	only := flag.String("only", "one-refresh,kill,helper,damage", "what to prove")
	flag.StringVar(&p.bin, "oauthctl", "./oauthctl", "the program")
	flag.IntVar(&p.processes, "processes", 200, "processes that ask for one token")
	flag.IntVar(&p.kills, "kills", 200, "kills in each mode, and refreshes that are timed")
	flag.IntVar(&p.damages, "damages", 400, "damaged states")
	flag.Parse()
	if err := p.run(context.Background(), strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		os.Exit(1)
	}
}

type proof struct {
	bin                       string
	processes, kills, damages int
}

func (p *proof) run(ctx context.Context, only []string) error {
	steps := map[string]func(context.Context) error{"one-refresh": p.oneRefresh, "kill": p.kill, "helper": p.helper, "damage": p.damage}
	var failed []error
	for _, name := range only {
		step, ok := steps[name]
		if !ok {
			return fmt.Errorf("there is no proof %q", name)
		}
		if err := step(ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

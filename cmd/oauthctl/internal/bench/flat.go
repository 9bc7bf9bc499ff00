package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// flat tells whether commands about one connection cost the same however many
// there are.
func (b *bench) flat(ctx context.Context) error {
	const name = `c["c00000"]`
	dirs := map[int]string{}
	for _, n := range []int{1, b.large} {
		dir, err := b.project(fmt.Sprintf("flat-%d", n), b.issuer, n, false)
		if err != nil {
			return err
		}
		output := "output \"expires\" {\n  value = connection." + name + ".expires_at\n}\n"
		if err := os.WriteFile(filepath.Join(dir, "output.hcl"), []byte(output), 0o600); err != nil {
			return err
		}
		if _, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve"); err != nil {
			return err
		}
		dirs[n] = dir
	}
	var failed []error
	for _, args := range [][]string{{"token", name}, {"state", "show", name}, {"output", "-raw", "expires"}} {
		times := map[int]time.Duration{}
		used := map[int][]usage{}
		for range b.runs { // in turn, so that noise falls on both alike
			for n, dir := range dirs {
				u, err := b.measure(ctx, dir, b.bin, args...)
				if err != nil {
					return err
				}
				used[n] = append(used[n], u)
			}
		}
		for n, us := range used {
			times[n] = median(us, cpu)
		}
		r := float64(times[b.large]) / float64(times[1])
		what := strings.Join(args[:len(args)-1], " ")
		fmt.Printf("%s, CPU, medians of %d: 1 connection %v; %d connections %v = %.2f× (within 0.85–1.15)\n", what, b.runs, ms(times[1]), b.large, ms(times[b.large]), r)
		if r < 0.85 || r > 1.15 {
			failed = append(failed, fmt.Errorf("%s takes %.2f× as long with %d connections", what, r, b.large))
		}
	}
	return errors.Join(failed...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxPlanMiB is what a plan of 10,000 connections may take at most.
const maxPlanMiB = 300

// plan compares planning nothing with terraform planning nothing.
func (b *bench) plan(ctx context.Context) error {
	var failed []error
	var wallTime, cpuTime time.Duration // of the slower variant
	for _, variant := range []struct {
		name   string
		blocks bool
	}{{"one for_each block", false}, {"a block each", true}} {
		dir, err := b.project("plan-"+strings.ReplaceAll(variant.name, " ", "-"), b.issuer, b.large, variant.blocks)
		if err != nil {
			return err
		}
		applied, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve")
		if err != nil {
			return err
		}
		var plans []usage
		for range max(b.runs/2, 20) {
			u, err := b.measure(ctx, dir, b.bin, "plan", "-detailed-exitcode")
			if err != nil {
				return err
			}
			plans = append(plans, u)
		}
		var rss int64
		for _, u := range plans {
			rss = max(rss, u.rss)
		}
		fmt.Printf("plan of %d unchanged, %s: wall %v, CPU %v, at most %d MiB (limit %d), medians of %d; their apply took %v\n", b.large, variant.name,
			ms(median(plans, wall)), ms(median(plans, cpu)), rss/1024, maxPlanMiB, len(plans), ms(applied.wall))
		if rss/1024 > maxPlanMiB {
			failed = append(failed, fmt.Errorf("%s: %d MiB, more than %d", variant.name, rss/1024, maxPlanMiB))
		}
		wallTime, cpuTime = max(wallTime, median(plans, wall)), max(cpuTime, median(plans, cpu))
	}
	return errors.Join(append(failed, b.terraform(ctx, wallTime, cpuTime))...)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const rounds = 21 // the first warms up

// apply compares applying with a client that asks for the same tokens, with
// the same parallelism, and saves nothing.
func (b *bench) apply(ctx context.Context) error {
	for i, server := range []struct {
		what, target string
		delay        time.Duration
		opaque       bool
	}{
		{"the sandbox", " (at most 1.5×)", 0, false},
		{"one that signs nothing and answers at once", "", 0, true},
		{"one that takes 10 ms for a token", "", 10 * time.Millisecond, true},
	} {
		issuer, err := b.serve(ctx, server.delay, server.opaque)
		if err != nil {
			return err
		}
		var ours, bare []usage
		for round := range rounds {
			dir, err := b.project(fmt.Sprintf("apply%d-%d", i, round), issuer, b.applied, false)
			if err != nil {
				return err
			}
			c, err := b.measure(ctx, dir, b.self, "-bare", issuer, "-applied", fmt.Sprint(b.applied))
			if err != nil {
				return err
			}
			u, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve")
			if err != nil {
				return err
			}
			if round > 0 {
				bare, ours = append(bare, c), append(ours, u)
			}
		}
		o, c := median(ours, wall), median(bare, wall)
		fmt.Printf("apply of %d against %s, medians of %d: bare client %v (CPU %v), oauthctl %v (CPU %v) = %s× the wall time%s\n",
			b.applied, server.what, len(ours), ms(c), ms(median(bare, cpu)), ms(o), ms(median(ours, cpu)), ratio(o, c), server.target)
	}
	return nil
}

// maxPower is the promised power with which apply grows at most.
const maxPower = 1.1

// grow tells whether the work grows with the connections, or with their square.
func (b *bench) grow(ctx context.Context) error {
	sizes := []int{100, 1_000, 10_000}
	cpus := make([]time.Duration, len(sizes))
	for i, n := range sizes {
		var us []usage
		for round := range 3 {
			dir, err := b.project(fmt.Sprintf("grow%d-%d", n, round), b.issuer, n, false)
			if err != nil {
				return err
			}
			u, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve")
			if err != nil {
				return err
			}
			us = append(us, u)
		}
		cpus[i] = median(us, cpu)
		fmt.Printf("apply of %d: CPU %v, wall %v, %d MiB\n", n, ms(cpus[i]), ms(median(us, wall)), us[0].rss/1024)
	}
	power := func(i, j int) float64 {
		return math.Log(float64(cpus[j])/float64(cpus[i])) / math.Log(float64(sizes[j])/float64(sizes[i]))
	}
	fmt.Printf("CPU of apply grows with the power %.2f from %d to %d, %.2f to %d, and %.2f in all (1: linear; at most %.1f)\n",
		power(0, 1), sizes[0], sizes[1], power(1, 2), sizes[2], power(0, 2), maxPower)
	if p := power(0, 2); p > maxPower {
		return fmt.Errorf("apply grows with the power %.2f of the connections", p)
	}
	return nil
}

// bareClient makes the requests of an apply: discovery, then one token request
// a connection, ten at a time.
func bareClient(ctx context.Context, issuer string, n int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var meta struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := call(ctx, client, http.MethodGet, issuer+"/.well-known/openid-configuration", nil, &meta); err != nil {
		return err
	}
	jobs := make(chan int)
	errs := make(chan error, n)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for i := range jobs {
				var token struct {
					AccessToken string `json:"access_token"`
				}
				form := url.Values{
					"grant_type": {"client_credentials"}, "client_id": {fmt.Sprintf("client-c%05d", i)},
					"client_secret": {"bench"}, "scope": {"read write"},
				}
				if err := call(ctx, client, http.MethodPost, meta.TokenEndpoint, form, &token); err != nil {
					errs <- err
				} else if token.AccessToken == "" {
					errs <- fmt.Errorf("no token for %d", i)
				}
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func call(ctx context.Context, client *http.Client, method, u string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, u, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, u, resp.Status, body)
	}
	return json.Unmarshal(body, into)
}

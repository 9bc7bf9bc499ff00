package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const hello = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"

// token compares the CPU time of printing a valid token with a hello-world.
func (b *bench) token(ctx context.Context) error {
	src := filepath.Join(b.dir, "hello.go")
	if err := os.WriteFile(src, []byte(hello), 0o600); err != nil {
		return err
	}
	helloBin := filepath.Join(b.dir, "hello")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", helloBin, src)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	small, err := b.project("one", 1, false)
	if err != nil {
		return err
	}
	large, err := b.project("large", b.large, false)
	if err != nil {
		return err
	}
	for _, dir := range []string{small, large} {
		if _, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve"); err != nil {
			return err
		}
	}
	const name = `c["c00000"]`
	var hellos, ones, larges []usage
	for range b.runs { // one after the other, so that noise falls on all alike
		for _, m := range []struct {
			to   *[]usage
			dir  string
			bin  string
			args []string
		}{
			{&hellos, b.dir, helloBin, nil},
			{&ones, small, b.bin, []string{"token", name}},
			{&larges, large, b.bin, []string{"token", name}},
		} {
			u, err := b.measure(ctx, m.dir, m.bin, m.args...)
			if err != nil {
				return err
			}
			*m.to = append(*m.to, u)
		}
	}
	h, one, many := median(hellos, cpu), median(ones, cpu), median(larges, cpu)
	fmt.Printf("token, CPU, medians of %d: hello-world %v; 1 connection %v = %s× (at most 3.5×); %d connections %v = %s×, %s of 1 (within 0.85–1.15)\n",
		b.runs, h, one, ratio(one, h), b.large, many, ratio(many, h), ratio(many, one))
	return nil
}

// apply compares applying with a client that asks for the same tokens, with
// the same parallelism, and saves nothing.
func (b *bench) apply(ctx context.Context) error {
	var ours, bare []usage
	for i := range 21 {
		dir, err := b.project(fmt.Sprintf("apply%d", i), b.applied, false)
		if err != nil {
			return err
		}
		d, err := b.bareClient(ctx)
		if err != nil {
			return err
		}
		u, err := b.measure(ctx, dir, b.bin, "apply", "-auto-approve")
		if err != nil {
			return err
		}
		if i > 0 { // the first round warms up
			bare, ours = append(bare, usage{wall: d}), append(ours, u)
		}
	}
	o, c := median(ours, wall), median(bare, wall)
	fmt.Printf("apply of %d, wall, medians of %d: bare client %v; oauthctl apply %v = %s× (at most 1.5×)\n",
		b.applied, len(ours), c.Round(time.Millisecond), o.Round(time.Millisecond), ratio(o, c))
	return nil
}

// bareClient makes the requests of an apply: discovery, then one token request
// a connection, ten at a time. It runs as a process's worth of Go, without the
// start of one.
func (b *bench) bareClient(ctx context.Context) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	start := time.Now()
	var meta struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := call(ctx, client, http.MethodGet, b.issuer+"/.well-known/openid-configuration", nil, &meta); err != nil {
		return 0, err
	}
	jobs := make(chan int)
	errs := make(chan error, b.applied)
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
	for i := range b.applied {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
		return time.Since(start), nil
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

// plan compares planning nothing with terraform planning nothing.
func (b *bench) plan(ctx context.Context) error {
	for _, variant := range []struct {
		name   string
		blocks bool
	}{{"one for_each block", false}, {"a block each", true}} {
		dir, err := b.project("plan-"+strings.ReplaceAll(variant.name, " ", "-"), b.large, variant.blocks)
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
		fmt.Printf("plan of %d unchanged, %s: wall %v, CPU %v, at most %d MiB (limit 300), medians of %d; their apply took %v\n", b.large, variant.name,
			median(plans, wall).Round(time.Millisecond), median(plans, cpu).Round(time.Millisecond), rss/1024, len(plans), applied.wall.Round(time.Millisecond))
		if err := b.terraform(ctx, variant.blocks, median(plans, wall), median(plans, cpu)); err != nil {
			return err
		}
	}
	return nil
}

// terraform plans as many terraform_data resources, a block each (with one
// for_each block it does not finish in reasonable time).
func (b *bench) terraform(ctx context.Context, blocks bool, ourWall, ourCPU time.Duration) error {
	if !blocks {
		return nil
	}
	bin, err := exec.LookPath("terraform")
	if err != nil {
		fmt.Println("plan: LEFT OUT the comparison: no terraform on the PATH")
		return nil
	}
	dir, err := b.terraformProject(ctx, bin)
	if err != nil {
		return err
	}
	var plans []usage
	for range b.tfRuns {
		u, err := b.measure(ctx, dir, bin, "plan", "-detailed-exitcode")
		if err != nil {
			return err
		}
		plans = append(plans, u)
	}
	w, c := median(plans, wall), median(plans, cpu)
	fmt.Printf("terraform plan of %d unchanged terraform_data: wall %v, CPU %v (%d runs); oauthctl takes 1/%s of the wall and 1/%s of the CPU (at most 1/20)\n", b.large,
		w.Round(time.Millisecond), c.Round(time.Millisecond), len(plans), ratio(w, ourWall), ratio(c, ourCPU))
	return nil
}

// terraformProject writes the configuration and, from the state of one applied
// resource, the state of all of them.
func (b *bench) terraformProject(ctx context.Context, bin string) (string, error) {
	dir := filepath.Join(b.dir, "terraform")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	block := func(i int) string {
		return fmt.Sprintf("resource \"terraform_data\" \"c%05d\" {\n  input = { client_id = \"client\", scopes = [\"read\", \"write\"], token_url = \"https://idp.example/token\" }\n}\n", i)
	}
	main := filepath.Join(dir, "main.tf")
	if err := os.WriteFile(main, []byte(block(0)), 0o600); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"init"}, {"apply", "-auto-approve"}} {
		if _, err := b.measure(ctx, dir, bin, args...); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "terraform.tfstate")
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var state map[string]any
	if err := json.Unmarshal(data, &state); err != nil {
		return "", err
	}
	one, err := json.Marshal(state["resources"].([]any)[0])
	if err != nil {
		return "", err
	}
	var config strings.Builder
	all := make([]json.RawMessage, b.large)
	for i := range b.large {
		config.WriteString(block(i))
		all[i] = json.RawMessage(strings.ReplaceAll(string(one), `"c00000"`, fmt.Sprintf(`"c%05d"`, i)))
	}
	state["resources"] = all
	if data, err = json.Marshal(state); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	return dir, os.WriteFile(main, []byte(config.String()), 0o600)
}

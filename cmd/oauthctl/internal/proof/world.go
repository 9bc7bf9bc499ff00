package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/providers/sandbox"
	"github.com/oauthctl/oauthctl/schema"
)

// world is a server, a person and a project directory.
type world struct {
	bin, dir, base string
	server         *sandbox.Server
	preset         providers.Preset
	cancel         context.CancelFunc
	visited        int
	env            []string // further variables for the program
}

// start starts a server, and makes a directory.
func start(ctx context.Context, bin string) (*world, error) {
	abs, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	w := &world{bin: abs}
	if w.dir, err = os.MkdirTemp("", "oauthctl-proof"); err != nil {
		return nil, err
	}
	ctx, w.cancel = context.WithCancel(ctx)
	if w.server, err = sandbox.New(sandbox.Options{Now: time.Now, Rand: rand.Reader, Opaque: true}); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if w.base, err = w.server.Serve(ctx, "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// newWorld starts a server whose refresh tokens rotate as rotation says, and
// applies n connections to it, whose first access tokens live for first.
func newWorld(ctx context.Context, bin string, rotation providers.Rotation, first time.Duration, n int) (*world, error) {
	w, err := start(ctx, bin)
	if err != nil {
		return nil, err
	}
	const host = "https://strict.example"
	w.preset = providers.Preset{
		Name: "strict", Title: "Strict", Discovery: "none",
		AuthorizationEndpoint: host + "/authorize", TokenEndpoint: host + "/token", RevocationEndpoint: host + "/revoke",
		Grants: []string{"authorization_code", "refresh_token"}, ClientAuth: []string{"none"}, PKCE: "required",
		ScopeSeparator: " ", Rotation: rotation, Revocation: "rfc7009",
	}
	if err := w.lives(first); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.configure(n); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.apply(ctx, n); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// lives sets how long access tokens live from now on.
func (w *world) lives(d time.Duration) error {
	w.preset.Lifetimes = schema.Lifetimes{Access: d, Refresh: 24 * time.Hour}
	p := w.preset
	return w.server.Mount(&p)
}

// here is where this machine finds an imitated URL.
func (w *world) here(u string) string { return w.base + "/~/" + strings.TrimPrefix(u, "https://") }

func (w *world) configure(n int) error {
	r := w.preset.Rotation
	config := fmt.Sprintf(`
provider "strict" {
  discovery              = "none"
  authorization_endpoint = %q
  token_endpoint         = %q
  revocation_endpoint    = %q
  client_auth            = ["none"]
  grants                 = ["authorization_code", "refresh_token"]
  rotation {
    kind  = %q
    grace = %q
  }
}
connection "c" {
  for_each      = toset([for i in range(%d) : format("c%%03d", i)])
  provider      = "strict"
  client_id     = "client-${each.key}"
  scopes        = ["read"]
  redirect_uris = ["http://127.0.0.1/callback"]
  token_lifetimes {
    refresh_before = "0s"
  }
}
`, w.here(w.preset.AuthorizationEndpoint), w.here(w.preset.TokenEndpoint), w.here(w.preset.RevocationEndpoint),
		r.Kind, schema.FormatDuration(r.Grace), n)
	browser := "#!/bin/sh\nprintf '%s\\n' \"$1\" >> '" + filepath.Join(w.dir, "visited") + "'\n"
	return errors.Join(
		os.WriteFile(filepath.Join(w.dir, "main.hcl"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(w.dir, "browser"), []byte(browser), 0o700),
	)
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.bin, args...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{
		"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"), "BROWSER=" + filepath.Join(w.dir, "browser"),
		"XDG_CONFIG_HOME=" + filepath.Join(w.dir, "config"), "XDG_STATE_HOME=" + filepath.Join(w.dir, "pins"),
	}, w.env...)
	return cmd
}

// result is what a process left.
type result struct {
	stdout, stderr string
	code           int
}

func (w *world) run(ctx context.Context, args ...string) (result, error) {
	cmd := w.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return result{}, err
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}, nil
}

// apply runs an apply that asks for n consents, and consents.
func (w *world) apply(ctx context.Context, n int) error {
	cmd := w.command(ctx, "apply", "-auto-approve", "-input=true")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	if err := cmd.Start(); err != nil {
		return err
	}
	for range n {
		if err := w.consent(ctx); err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return fmt.Errorf("%w\n%s", err, errOut.String())
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("apply: %w\n%s", err, errOut.String())
	}
	return nil
}

// consent waits for the next page that the program opens, consents to it, and
// goes where the server redirects to.
func (w *world) consent(ctx context.Context) error {
	var page string
	for range 1000 {
		data, _ := os.ReadFile(filepath.Join(w.dir, "visited"))
		if lines := strings.Split(string(data), "\n"); len(lines) > w.visited+1 {
			page = lines[w.visited]
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if page == "" {
		return errors.New("no browser was opened")
	}
	w.visited++
	redirect, err := w.server.Consent(ctx, strings.Replace(page, w.here("https://strict.example/"), "https://strict.example/", 1))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, redirect, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}

func (w *world) close() error {
	w.cancel()
	var err error
	if w.server != nil {
		err = w.server.Close()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

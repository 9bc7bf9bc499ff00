package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// interactiveConfig is a connection with a declared redirect URI, or with "" without.
func interactiveConfig(issuer, redirect string) string {
	declared := ""
	if redirect != "" {
		declared = fmt.Sprintf("redirect_uris = [%q]", redirect)
	}
	return fmt.Sprintf(`
provider "op" {
  issuer = %q
}

connection "alice" {
  provider      = "op"
  client_id     = "cli"
  scopes        = ["openid", "email", "offline_access", "files:read"]
  %s
  account       = "alice@example.com"
  grant "authorization_code" {
    prompt = "consent"
  }
}
`, issuer, declared)
}

// applyAs runs an apply and lets a person consent to the page it opens.
func applyAs(t *testing.T, u *user, name string, args ...string) result {
	t.Helper()
	wait := u.start(append([]string{"apply", "-auto-approve", "-input=true"}, args...)...)
	newPerson(t, name).consent(u.visited(0))
	return wait()
}

// The main job against a server that is not ours: plan, consent, token,
// refresh with one-time refresh tokens, revocation.
func TestAuthorizationCode(t *testing.T) {
	for _, redirect := range []string{"http://127.0.0.1/callback", "http://localhost/callback", ""} {
		t.Run(cmp.Or(redirect, "none declared"), func(t *testing.T) {
			op := startProvider(t)
			u := newUser(t, interactiveConfig(op.issuer, redirect))

			plan := u.run("plan", "-detailed-exitcode")
			plan.want(t, 2)
			contains(t, plan.stdout, "connection.alice", "Plan: 1 to authorize", "1 needs a person")
			if n := len(op.stats().Requests); n != 0 {
				t.Errorf("plan made %d requests, want none", n)
			}

			applied := applyAs(t, u, "alice")
			applied.want(t, 0)
			contains(t, applied.stdout+applied.stderr, "1 authorized")

			token := strings.TrimSpace(u.ok("token", "alice").stdout)
			if code := op.userinfo(token); code != 200 {
				t.Errorf("the server answers %d to the token that was printed", code)
			}
			if again := strings.TrimSpace(u.ok("token", "alice").stdout); again != token {
				t.Error("a valid token was replaced")
			}
			for range 3 { // each refresh spends the refresh token that the one before it got
				next := strings.TrimSpace(u.ok("token", "-force-refresh", "alice").stdout)
				if next == token || op.userinfo(next) != 200 {
					t.Error("-force-refresh did not give a new, valid token")
				}
				token = next
			}
			u.run("plan", "-detailed-exitcode").want(t, 0)

			u.ok("destroy", "-auto-approve")
			if code := op.userinfo(token); code != 401 {
				t.Errorf("after destroy the server answers %d to the token, want 401", code)
			}
			s := op.stats()
			if s.Token["authorization_code"] != 1 || s.Token["refresh_token"] != 3 || len(s.Errors) != 0 {
				t.Errorf("the server saw %+v", s)
			}
		})
	}
}

// The browser belonged to somebody else: nothing is saved.
func TestWrongAccount(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	r := applyAs(t, u, "mallory")
	r.want(t, 1)
	contains(t, r.stdout+r.stderr, "mallory@example.com", "alice@example.com")
	u.run("token", "alice").want(t, 1)
}

// Scopes added to the configuration ask for a new consent, and only then.
func TestScopesAdded(t *testing.T) {
	op := startProvider(t)
	config := interactiveConfig(op.issuer, "http://127.0.0.1/callback")
	u := newUser(t, config)
	applyAs(t, u, "alice").want(t, 0)
	u.write("main.hcl", strings.ReplaceAll(config, `"files:read"`, `"files:read", "files:write"`))
	plan := u.run("plan", "-detailed-exitcode")
	plan.want(t, 2)
	contains(t, plan.stdout, "files:write", "1 needs a person")
}

func TestClientCredentials(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, fmt.Sprintf(`
provider "op" {
  issuer = %q
}
connection "worker" {
  provider      = "op"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  client_auth   = "client_secret_post"
  scopes        = "files:read"
  grant "client_credentials" {}
}
output "expires" {
  value = connection.worker.expires_at
}
`, op.issuer))
	u.env = append(u.env, "WORKER_SECRET=e2e-canary-worker-secret", "CI=true")
	u.ok("apply", "-auto-approve")
	contains(t, u.ok("output", "expires").stdout, "T")
	first := u.ok("token", "worker").stdout
	if second := u.ok("token", "-force-refresh", "worker").stdout; first == second {
		t.Error("-force-refresh printed the same token")
	}
	s := op.stats()
	if s.Token["client_credentials"] != 2 || len(s.Errors) != 0 {
		t.Errorf("the server saw %+v", s)
	}
}

// A code is entered on another device, because the connection declares it, or
// because whoever applies asks for it: then only discovery says that the server
// has the flow, and the next plan has nothing to change.
func TestDeviceCode(t *testing.T) {
	for name, how := range map[string]struct{ block, flag string }{
		"declared":  {`grant "device_code" {}`, "-consent=auto"},
		"asked for": {"", "-consent=device"},
	} {
		t.Run(name, func(t *testing.T) {
			op := startProvider(t)
			u := newUser(t, fmt.Sprintf(`
provider "op" {
  issuer = %q
}
connection "tv" {
  provider  = "op"
  client_id = "cli"
  scopes    = ["openid", "email", "offline_access"]
  account   = "alice@example.com"
  %s
}
`, op.issuer, how.block))
			log := filepath.Join(u.home, "screen")
			wait := u.startLogged(log, "apply", "-auto-approve", "-input=true", how.flag)
			code := waitFor(t, log, `\b[A-Z]{4}-[A-Z]{4}\b`)
			p := newPerson(t, "alice")
			p.walk(op.issuer+"/device", map[string]string{"user_code": code, "login": "alice", "password": "any"})
			wait().want(t, 0)
			if got := op.userinfo(strings.TrimSpace(u.ok("token", "tv").stdout)); got != 200 {
				t.Errorf("the server answers %d", got)
			}
			u.ok("plan", "-detailed-exitcode")
		})
	}
}

// manyConfig is interactiveConfig for n connections of alice, c["0"] and on.
func manyConfig(issuer string, n int) string {
	config := interactiveConfig(issuer, "http://127.0.0.1/callback")
	return strings.Replace(config, `connection "alice" {`, fmt.Sprintf("connection \"c\" {\n  for_each = toset([for i in range(%d) : tostring(i)])", n), 1)
}

// Many processes want expired tokens from a server whose refresh tokens work
// once and whose families die of reuse: one refresh, and one token, each.
func TestManyProcessesOneRefresh(t *testing.T) {
	herds := []struct{ connections, each int }{{1, 50}, {4, 10}}
	if os.Getenv("OAUTHCTL_PROOF") == "full" {
		herds = []struct{ connections, each int }{{1, 200}, {20, 50}}
	}
	for _, herd := range herds {
		t.Run(fmt.Sprintf("%d of each of %d", herd.each, herd.connections), func(t *testing.T) { oneRefreshEach(t, herd.connections, herd.each) })
	}
}

func oneRefreshEach(t *testing.T, connections, each int) {
	op := startProvider(t)
	op.accessTTL(1)
	u := newUser(t, manyConfig(op.issuer, connections))
	wait := u.start("apply", "-auto-approve", "-input=true")
	for i := range connections {
		newPerson(t, "alice").consent(u.visited(i))
	}
	wait().want(t, 0)
	time.Sleep(1200 * time.Millisecond)
	op.accessTTL(3600)

	results := make([]result, connections*each)
	var wg sync.WaitGroup
	for i := range results {
		wait := u.start("token", "-lock-timeout=60s", fmt.Sprintf("c[\"%d\"]", i%connections))
		wg.Go(func() { results[i] = wait() })
	}
	wg.Wait()
	tokens, exits, valid := map[string]bool{}, 0, 0
	for i, r := range results {
		if r.code != 0 || r.stdout != results[i%connections].stdout {
			t.Errorf("exit %d, stdout equal: %v\n%s", r.code, r.stdout == results[i%connections].stdout, r.stderr)
			continue
		}
		exits++
		tokens[strings.TrimSpace(r.stdout)] = true
	}
	for token := range tokens {
		if op.userinfo(token) == 200 {
			valid++
		}
	}
	s := op.stats()
	t.Logf("proof: one refresh, at the npm oidc-provider: %d processes for %d expired tokens: %d refreshes, %d errors, %d families revoked, %d different tokens, %d of them valid at the server, %d of %d exits 0",
		len(results), connections, s.Token["refresh_token"], len(s.Errors), s.Revoked, len(tokens), valid, exits, len(results))
	if s.Token["refresh_token"] != connections || len(s.Errors) != 0 || s.Revoked != 0 || len(tokens) != connections || valid != connections {
		t.Errorf("the server saw %+v, want a refresh for each connection", s)
	}
}

// The server has forgotten the grant: token names the consent that is missing
// and exits 3; the next plan asks for it.
func TestRefreshRejected(t *testing.T) {
	op := startProvider(t)
	u := newUser(t, interactiveConfig(op.issuer, "http://127.0.0.1/callback"))
	applyAs(t, u, "alice").want(t, 0)
	op.get("/__forget")
	r := u.run("token", "-force-refresh", "alice")
	r.want(t, 3)
	contains(t, r.stderr, "connection.alice", "oauthctl apply")
	if r.stdout != "" {
		t.Errorf("stdout: %q", r.stdout)
	}
	plan := u.run("plan", "-detailed-exitcode")
	plan.want(t, 2)
	contains(t, plan.stdout, "1 needs a person")
}

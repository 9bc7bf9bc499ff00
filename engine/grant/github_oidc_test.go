package grant_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/providers"
)

// jobs is the service that gives ID tokens to the jobs of GitHub Actions.
type jobs struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // method, query and Authorization of each request
	reply func(w http.ResponseWriter, n int)
}

func newJobs(t *testing.T, reply func(w http.ResponseWriter, n int)) *jobs {
	t.Helper()
	j := &jobs{reply: reply}
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.mu.Lock()
		j.asked = append(j.asked, r.Method+" "+r.URL.RawQuery+" "+r.Header.Get("Authorization"))
		n := len(j.asked)
		j.mu.Unlock()
		j.reply(w, n)
	}))
	t.Cleanup(j.Close)
	return j
}

// env is the environment of a job.
func (j *jobs) env(w *world) grant.Env {
	env := w.env()
	vars := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": j.URL + "/idtoken?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-bearer"}
	env.LookupEnv = func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	return env
}

// Each token request has an ID token of its own, asked for with the audience
// that the server wants.
func TestGitHubTokens(t *testing.T) {
	for name, tc := range map[string]struct {
		rules           providers.AssertionRules
		block, audience string
	}{
		"issuer": {audience: "{url}"},
		"preset": {rules: providers.AssertionRules{TokenAudience: "api://AzureADTokenExchange"}, audience: "api://AzureADTokenExchange"},
		"own":    {rules: providers.AssertionRules{TokenAudience: "x"}, block: `audience = "urn:mine"`, audience: "urn:mine"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := newJobs(t, func(rw http.ResponseWriter, n int) {
				_, _ = fmt.Fprintf(rw, `{"count":1,"value":%q}`, token(t, map[string]any{"iss": "https://token.actions.githubusercontent.com", "n": n}))
			})
			p := w.preset()
			p.Assertion = tc.rules
			c := mustAssert(t, p, nil, `grant "client_credentials" {}`, "github_actions = true\n"+tc.block)
			g, err := c.Authorize(context.Background(), j.env(w))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := grant.Refresh(context.Background(), j.env(w), record(c, g), nil); err != nil {
				t.Fatal(err)
			}
			aud := strings.NewReplacer(":", "%3A", "/", "%2F").Replace(strings.ReplaceAll(tc.audience, "{url}", w.srv.URL))
			ask := "GET api-version=2.0&audience=" + aud + " Bearer canary-bearer"
			if diff := cmp.Diff([]string{ask, ask}, j.asked); diff != "" {
				t.Errorf("asked (-want +have):\n%s", diff)
			}
			sent := map[string]bool{}
			for _, call := range w.srv.Calls("/token") {
				sent[call.Form.Get("client_assertion")] = true
			}
			if len(sent) != 2 || sent[""] {
				t.Errorf("%d different tokens in 2 requests", len(sent))
			}
		})
	}
}

// A service that gives none, or leads elsewhere, costs nothing: no token request
// is sent, and what the job was given is not repeated.
func TestGitHubGivesNoToken(t *testing.T) {
	elsewhere := newJobs(t, func(http.ResponseWriter, int) {})
	for name, tc := range map[string]struct {
		reply func(w http.ResponseWriter, n int)
		kind  grant.Kind
		words string
	}{
		"redirect": {func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusFound)
		}, grant.Protocol, "redirect"},
		"denied":   {func(w http.ResponseWriter, _ int) { http.Error(w, "canary", http.StatusForbidden) }, grant.Config, "id-token: write"},
		"down":     {func(w http.ResponseWriter, _ int) { http.Error(w, "canary", http.StatusBadGateway) }, grant.Temporary, "502"},
		"no JSON":  {func(w http.ResponseWriter, _ int) { _, _ = w.Write([]byte("canary")) }, grant.Protocol, "no value"},
		"no value": {func(w http.ResponseWriter, _ int) { _, _ = w.Write([]byte(`{"value":""}`)) }, grant.Protocol, "no value"},
		"no JWT":   {func(w http.ResponseWriter, _ int) { _, _ = w.Write([]byte(`{"value":"canary"}`)) }, grant.Config, "no JWT"},
		"flood":    {func(w http.ResponseWriter, _ int) { _, _ = w.Write(make([]byte, 2<<20)) }, grant.Temporary, "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := newJobs(t, tc.reply)
			c := mustAssert(t, w.preset(), nil, `grant "client_credentials" {}`, "github_actions = true")
			_, err := c.Authorize(context.Background(), j.env(w))
			if e := wantError(t, err, tc.kind, tc.words); strings.Contains(e.Error()+e.Remedy, "canary") {
				t.Errorf("repeats a secret: %v", e)
			}
			if n := len(w.srv.Calls("/token")); n != 0 || len(j.asked) != 1 || len(elsewhere.asked) != 0 {
				t.Errorf("%d token requests, asked %d times, elsewhere %d", n, len(j.asked), len(elsewhere.asked))
			}
		})
	}
}

// Outside of a job, and with an address that would carry the token in clear,
// nothing is asked.
func TestGitHubIsNotHere(t *testing.T) {
	w := newWorld(t)
	for url, words := range map[string]string{"": "permissions: { id-token: write }", "http://runner.example/": "https", "https://u:p@runner.example/": "https", "://": "https"} {
		env := w.env()
		env.LookupEnv = func(name string) (string, bool) {
			if name == "ACTIONS_ID_TOKEN_REQUEST_URL" {
				return url, url != ""
			}
			return "canary-bearer", true
		}
		c := mustAssert(t, w.preset(), nil, `grant "client_credentials" {}`, "github_actions = true")
		_, err := c.Authorize(context.Background(), env)
		if e := wantError(t, err, grant.Config, words); strings.Contains(e.Error(), "canary") {
			t.Errorf("repeats the token: %v", e)
		}
	}
	if n := len(w.srv.Calls("/token")); n != 0 {
		t.Errorf("%d requests", n)
	}
}

package sink_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/sink"
)

// imitation is a server that notes what it is asked, and answers as told.
type imitation struct {
	*httptest.Server
	mu     sync.Mutex
	log    []string // METHOD PATH?QUERY
	answer http.HandlerFunc
}

func imitate(t *testing.T, answer http.HandlerFunc) *imitation {
	t.Helper()
	i := &imitation{answer: answer}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *imitation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.log = append(i.log, r.Method+" "+r.URL.RequestURI())
	i.answer(w, r)
}

// asked is what was asked since the last time.
func (i *imitation) asked() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer func() { i.log = nil }()
	return i.log
}

// web is an Env with the clients that everything goes through.
func web(t *testing.T) sink.Env {
	t.Helper()
	common := grant.NewHTTPClient(grant.HTTPOptions{})
	t.Cleanup(common.CloseIdleConnections)
	return sink.Env{
		HTTP:      common,
		Client:    func(own *tls.Config) *http.Client { return grant.NewHTTPClient(grant.HTTPOptions{TLS: own}) },
		Now:       func() time.Time { return time.Unix(1_800_000_000, 0) },
		LookupEnv: func(string) (string, bool) { return "", false },
	}
}

// settings of each kind that speaks HTTP, for a server at url.
func httpKinds(url string) map[string]string {
	return map[string]string{
		"github_actions": "repository = \"octo/app\"\n token = env(\"T\")\n url = \"" + url + "\"",
		"gitlab":         "project = \"octo/app\"\n token = env(\"T\")\n url = \"" + url + "\"",
		"gitea":          "repository = \"octo/app\"\n token = env(\"T\")\n url = \"" + url + "\"",
		"vault":          "path = \"ci/app\"\n token = env(\"T\")\n url = \"" + url + "\"",
		"kubernetes":     "namespace = \"ci\"\n name = \"app\"\n kubeconfig = \"k.yaml\"",
	}
}

func plainKubeconfig(url string) []byte {
	return []byte("current-context: a\ncontexts: [{name: a, context: {cluster: b, user: c}}]\nclusters: [{name: b, cluster: {server: \"" + url + "\"}}]\nusers: [{name: c, user: {token: env-t}}]\n")
}

func targetOf(t *testing.T, kind, settings string) sink.Target {
	t.Helper()
	return target(t, "sink \""+kind+"\" \"x\" {\n"+settings+"\n secrets = {}\n}")
}

// Whatever a server answers: nothing is taken for success that is none, nothing of
// the secrets is shown, nothing goes to another server, and no terminal is written to.
func TestHostileAnswers(t *testing.T) {
	other := imitate(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s reached another server with %v", r.Method, r.URL, r.Header)
	})
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   sink.Kind
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>Sign in</html>")
		}, sink.Protocol},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, sink.Protocol},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", 2<<20))
		}, sink.Protocol},
		"escape sequences": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message":"\u001b[2J\n%s","errors":["\u001b[2J\n%[1]s"]}`, strings.Repeat("x", 5000))
		}, sink.Config},
		"the secrets again": {func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message":%q,"errors":[%[1]q]}`, string(body)+r.Header.Get("Authorization")+r.Header.Get("PRIVATE-TOKEN")+r.Header.Get("X-Vault-Token"))
		}, sink.Config},
		"nothing that is JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "Bad Gateway")
		}, sink.Temporary},
		"slow down": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}, sink.Temporary},
	} {
		srv := imitate(t, c.answer)
		for kind, settings := range httpKinds(srv.URL) {
			env := web(t)
			env.ReadFile = func(string) ([]byte, error) { return plainKubeconfig(srv.URL), nil }
			to := targetOf(t, kind, settings)
			for verb, err := range map[string]error{
				"publish": to.Publish(t.Context(), env, values("A_TOKEN", "canary-value-1")),
				"remove":  to.Remove(t.Context(), env, []string{"A_TOKEN"}),
			} {
				var e *sink.Error
				if !errors.As(err, &e) || e.Kind != c.kind || e.Remedy == "" {
					t.Errorf("%s, %s of %s: %#v", name, verb, kind, e)
					continue
				}
				all := err.Error() + " " + e.Remedy
				if strings.Contains(all, "canary") || strings.Contains(all, "env-t") || strings.Contains(all, "Y2FuYXJ5") || strings.ContainsAny(all, "\x1b\n") || len(all) > 900 {
					t.Errorf("%s, %s of %s shows %q", name, verb, kind, all)
				}
				if name == "slow down" && e.RetryAfter != 30*time.Second {
					t.Errorf("%s of %s waits %s", verb, kind, e.RetryAfter)
				}
			}
		}
	}
}

// A server that never answers ends with the deadline, and later may be better.
func TestSlowServers(t *testing.T) {
	end := make(chan struct{})
	srv := imitate(t, nil)
	srv.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end })
	t.Cleanup(func() { close(end) })
	for kind, settings := range httpKinds(srv.URL) {
		env := web(t)
		env.ReadFile = func(string) ([]byte, error) { return plainKubeconfig(srv.URL), nil }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := targetOf(t, kind, settings).Publish(ctx, env, values("A_TOKEN", "canary-value-1"))
		cancel()
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Temporary || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %#v", kind, e)
		}
	}
}

// A token of the place that is not there is found before anything is sent.
func TestPlacesNeedTheirTokens(t *testing.T) {
	srv := imitate(t, func(http.ResponseWriter, *http.Request) {})
	for kind, settings := range httpKinds(srv.URL) {
		if kind == "kubernetes" {
			continue // see TestKubeconfigsThatCannotBeUsed
		}
		for token, want := range map[string]string{`""`: "there is no token", `"canary\n"`: "white space in the token"} {
			to := targetOf(t, kind, strings.Replace(settings, `env("T")`, `replace(env("T"), "env-t", `+token+`)`, 1))
			var e *sink.Error
			if err := to.Publish(t.Context(), web(t), values("A_TOKEN", "canary-value-1")); !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(e.Detail, want) {
				t.Errorf("%s: %#v", kind, e)
			}
		}
	}
	if d := cmp.Diff([]string(nil), srv.asked()); d != "" {
		t.Error(d)
	}
}

// refused checks what is wrong with blocks of one kind: the error, by settings.
func refused(t *testing.T, kind string, blocks map[string]string) {
	t.Helper()
	for settings, want := range blocks {
		_, diags := decode(t, "sink \""+kind+"\" \"x\" {\n"+settings+"\n}")
		all := ""
		for _, d := range diags {
			all += d.Summary + ": " + d.Detail + "\n"
		}
		if !strings.Contains(all, want) || strings.Contains(all, "canary") {
			t.Errorf("%s\nwant %q, have %s", settings, want, all)
		}
	}
}

package sink_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
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
	"golang.org/x/crypto/nacl/box"

	"github.com/oauthctl/oauthctl/engine/sink"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// gitHub is a server with the key pair of one store of secrets.
type gitHub struct {
	*httptest.Server
	public, private *[32]byte

	mu      sync.Mutex
	secrets map[string]string // opened, by path
	extra   map[string]string // what else was in the bodies
	log     []string
	answer  func(w http.ResponseWriter, r *http.Request) bool // instead
}

func newGitHubServer(t *testing.T) *gitHub {
	t.Helper()
	g := &gitHub{secrets: map[string]string{}, extra: map[string]string{}}
	var err error
	if g.public, g.private, err = box.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.log = append(g.log, r.Method+" "+r.URL.EscapedPath())
	if r.Header.Get("Authorization") != "Bearer env-t" || r.Header.Get("Accept") != "application/vnd.github+json" {
		http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
		return
	}
	if g.answer != nil && g.answer(w, r) {
		return
	}
	path := r.URL.EscapedPath()
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/public-key"):
		fmt.Fprintf(w, `{"key_id":"568","key":%q}`, base64.StdEncoding.EncodeToString(g.public[:]))
	case r.Method == http.MethodPut:
		g.put(w, r, path)
	case r.Method == http.MethodDelete && g.secrets[path] != "":
		delete(g.secrets, path)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	}
}

func (g *gitHub) put(w http.ResponseWriter, r *http.Request, path string) {
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	_ = json.Unmarshal(body, &in)
	sealed, _ := base64.StdEncoding.DecodeString(fmt.Sprint(in["encrypted_value"]))
	open, ok := box.OpenAnonymous(nil, sealed, g.public, g.private)
	if !ok || in["key_id"] != "568" {
		http.Error(w, `{"message":"the value cannot be opened"}`, http.StatusUnprocessableEntity)
		return
	}
	delete(in, "encrypted_value")
	rest, _ := json.Marshal(in)
	code := http.StatusCreated
	if g.secrets[path] != "" {
		code = http.StatusNoContent
	}
	g.secrets[path], g.extra[path] = string(open), string(rest)
	w.WriteHeader(code)
}

func (g *gitHub) env() sink.Env {
	return sink.Env{HTTP: g.Client(), Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
}

func (g *gitHub) target(t *testing.T, settings string) sink.Target {
	t.Helper()
	return target(t, "sink \"github_actions\" \"x\" {\n url = \""+g.URL+"/\"\n token = env(\"T\")\n secrets = {}\n"+settings+"\n}")
}

// What arrives is what was sent, and only the owner of the key can read it.
func TestGitHubSecretsAreSealedForTheKeyOfThePlace(t *testing.T) {
	for settings, want := range map[string]struct{ path, extra, place string }{
		`repository = "octo/app"`: {"/repos/octo/app/actions/secrets", `{"key_id":"568"}`, "the Actions secrets of octo/app at "},
		"repository = \"octo/app\"\nenvironment = \"prod/eu 1\"": {"/repos/octo/app/environments/prod%2Feu%201/secrets", `{"key_id":"568"}`,
			"the Actions secrets of the environment prod/eu 1 of octo/app at "},
		`organization = "octo"`: {"/orgs/octo/actions/secrets", `{"key_id":"568","visibility":"private"}`, "the Actions secrets of the organization octo at "},
		"organization = \"octo\"\nvisibility = \"selected\"\nselected_repository_ids = [7, \"8\"]": {"/orgs/octo/actions/secrets",
			`{"key_id":"568","selected_repository_ids":[7,8],"visibility":"selected"}`, "the Actions secrets of the organization octo at "},
	} {
		g := newGitHubServer(t)
		to := g.target(t, settings)
		if !strings.HasPrefix(to.Place(), want.place) || len(to.Hosts(sink.Env{})) != 1 {
			t.Errorf("place %q, hosts %v", to.Place(), to.Hosts(sink.Env{}))
		}
		for _, token := range []string{"first " + awkward, "second"} { // 201, then 204
			if err := to.Publish(t.Context(), g.env(), values("GRAPH_TOKEN", token, "OTHER", "o")); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[string]string{want.path + "/GRAPH_TOKEN": token, want.path + "/OTHER": "o"}, g.secrets); d != "" {
				t.Error(d)
			}
		}
		if d := cmp.Diff(want.extra, g.extra[want.path+"/GRAPH_TOKEN"]); d != "" {
			t.Error(d)
		}
		if err := to.Remove(t.Context(), g.env(), []string{"GRAPH_TOKEN", "GONE_ALREADY"}); err != nil || len(g.secrets) != 1 {
			t.Errorf("remove: %v, %v", err, g.secrets)
		}
	}
}

// Every failure says what to do, and whether later is better.
func TestGitHubFailuresAreExplained(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		header map[string]string
		kind   sink.Kind
		retry  time.Duration
		remedy string
	}{
		{"no right", 403, nil, sink.Config, 0, "may not write secrets of octo/app"},
		{"a limit, and when it ends", 403, map[string]string{"Retry-After": "90"}, sink.Temporary, 90 * time.Second, "try again in 1m30s"},
		{"no requests left", 403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000600"}, sink.Temporary, 10 * time.Minute, "try again in 10m"},
		{"too many requests", 429, nil, sink.Temporary, 0, "try again later"},
		{"an absurd wait", 429, map[string]string{"Retry-After": "99999999999"}, sink.Temporary, 0, "try again"},
		{"not there, or not visible", 404, nil, sink.Config, 0, "GitHub answers so to both"},
		{"a token that ended", 401, nil, sink.Config, 0, "not valid any more"},
		{"out of order", 502, nil, sink.Temporary, 0, "try again later"},
		{"refused", 422, nil, sink.Config, 0, "see what GitHub says"},
		{"something else", 301, nil, sink.Protocol, 0, "check the argument url"},
	} {
		g := newGitHubServer(t)
		g.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/A") {
				return false
			}
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(c.code)
			fmt.Fprintf(w, `{"message":"said \u001b[31m %s"}`, strings.Repeat("x", 1000))
			return true
		}
		err := g.target(t, `repository = "octo/app"`).Publish(t.Context(), g.env(), values("A", "canary-a", "B", "canary-b", "C", "canary-c"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != c.kind || e.Status != c.code || !strings.Contains(e.Remedy, c.remedy) ||
			c.retry != 0 && e.RetryAfter != c.retry || e.RetryAfter > 24*time.Hour {
			t.Errorf("%s: %#v", c.name, e)
			continue
		}
		if d := cmp.Diff([]string{"A", "B"}, e.Written); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if all := err.Error() + e.Remedy; strings.Contains(all, "canary") || strings.Contains(all, "env-t") || strings.Contains(all, "\x1b") || len(all) > 700 ||
			!strings.Contains(all, "write the secret B of octo/app at "+g.URL) {
			t.Errorf("%s: %q", c.name, all)
		}
	}
}

func TestGitHubAnswersThatCannotBeUsed(t *testing.T) {
	for name, body := range map[string]string{"no JSON": "<html>", "no key": `{}`, "a short key": `{"key_id":"1","key":"AAAA"}`} {
		g := newGitHubServer(t)
		g.answer = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, body); return true }
		err := g.target(t, `repository = "octo/app"`).Publish(t.Context(), g.env(), values("A", "canary"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Protocol || len(e.Written) != 0 || len(g.log) != 1 {
			t.Errorf("%s: %#v, %v", name, e, g.log)
		}
	}
	g := newGitHubServer(t)
	to := g.target(t, `repository = "octo/app"`)
	g.Close()
	var e *sink.Error
	if err := to.Publish(t.Context(), g.env(), values("A", "canary")); !errors.As(err, &e) || e.Kind != sink.Temporary {
		t.Errorf("no server: %#v", e)
	}
}

// What is too large is found before anything is sent.
func TestGitHubTakesNoLargeValues(t *testing.T) {
	s, diags := decode(t, "sink \"github_actions\" \"x\" {\n repository = \"a/b\"\n token = env(\"T\")\n state = \"STATE\"\n}")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	value := func(n int) []sink.Value {
		return []sink.Value{{Name: "STATE", Secret: secret.Secret(strings.Repeat("x", n))}}
	}
	if err := s.Fits(value(48 << 10)); err != nil {
		t.Error(err)
	}
	var e *sink.Error
	if err := s.Fits(value(48<<10 + 1)); !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(e.Error(), "49,153 bytes, and the place takes at most 49,152") || !strings.Contains(e.Remedy, "fewer connections") {
		t.Errorf("%v", err)
	}
	f, _ := decode(t, "sink \"file\" \"x\" {\n path = \"a\"\n state = \"STATE\"\n}")
	if err := f.Fits(value(1 << 20)); err != nil {
		t.Error(err)
	}
}

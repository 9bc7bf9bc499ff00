package sink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/sink"
)

// gitLab imitates the variables of GitLab: they are told apart by key and scope.
type gitLab struct {
	*imitation
	old  bool                      // before 17.4: nothing is hidden
	vars map[string]map[string]any // by path and scope
}

func newGitLabServer(t *testing.T) *gitLab {
	g := &gitLab{vars: map[string]map[string]any{}}
	g.imitation = imitate(t, g.serve)
	return g
}

func (g *gitLab) serve(w http.ResponseWriter, r *http.Request) {
	path, scope := r.URL.EscapedPath(), r.URL.Query().Get("filter[environment_scope]")
	var in map[string]any
	if r.Method != http.MethodDelete {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, `{"error":"no JSON"}`, http.StatusBadRequest)
			return
		}
	}
	key := path + " " + scope
	switch {
	case r.Header.Get("PRIVATE-TOKEN") != "env-t":
		http.Error(w, `{"message":"401 Unauthorized"}`, http.StatusUnauthorized)
		return
	case r.Method == http.MethodPost:
		scope, _ = in["environment_scope"].(string)
		if scope == "" {
			scope = "*"
		}
		in["hidden"] = in["masked_and_hidden"] == true && !g.old
		key = path + "/" + fmt.Sprint(in["key"]) + " " + scope
		if g.vars[key] != nil {
			http.Error(w, `{"message":{"key":["(A) has already been taken"]}}`, http.StatusBadRequest)
			return
		}
		g.vars[key] = in
		w.WriteHeader(http.StatusCreated)
	case g.vars[key] == nil:
		http.Error(w, `{"message":"404 Variable Not Found"}`, http.StatusNotFound)
		return
	case r.Method == http.MethodPut:
		for name, v := range in {
			g.vars[key][name] = v
		}
	case r.Method == http.MethodDelete:
		delete(g.vars, key)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_ = json.NewEncoder(w).Encode(g.vars[key])
}

func (g *gitLab) target(t *testing.T, settings string) sink.Target {
	t.Helper()
	return targetOf(t, "gitlab", "url = \""+g.URL+"/\"\n token = env(\"T\")\n"+settings)
}

// A variable is updated, and made if it is not there; only that of its own scope.
func TestGitLabVariablesAreMadeOrUpdated(t *testing.T) {
	for settings, want := range map[string]struct{ path, scope, place, extra string }{
		`project = "team/ci/app"`: {"/api/v4/projects/team%2Fci%2Fapp/variables", "*", "the variables of the project team/ci/app at ",
			`"hidden":false,"masked":true,"protected":false,"raw":true,"variable_type":"env_var"`},
		"project = \"42\"\n masked = false\n raw = false": {"/api/v4/projects/42/variables", "*", "the variables of the project 42 at ",
			`"hidden":false,"masked":false,"protected":false,"raw":false,"variable_type":"env_var"`},
		"group = \"team\"\n environment_scope = \"prod/*\"\n protected = true\n variable_type = \"file\"": {"/api/v4/groups/team/variables", "prod/*", "the variables of the group team for prod/* at ",
			`"environment_scope":"prod/*","hidden":false,"masked":true,"protected":true,"raw":true,"variable_type":"file"`},
		"group = \"team/ci\"\n hidden = true": {"/api/v4/groups/team%2Fci/variables", "*", "the variables of the group team/ci at ",
			`"hidden":true,"masked":true,"masked_and_hidden":true,"protected":false,"raw":true,"variable_type":"env_var"`},
	} {
		g := newGitLabServer(t)
		g.vars[want.path+"/A other"] = map[string]any{"value": "of another scope"}
		to := g.target(t, settings)
		if !strings.HasPrefix(to.Place(), want.place) || len(to.Hosts(sink.Env{})) != 1 {
			t.Errorf("place %q, hosts %v", to.Place(), to.Hosts(sink.Env{}))
		}
		filter := "/A?filter%5Benvironment_scope%5D=" + map[string]string{"*": "%2A", "prod/*": "prod%2F%2A"}[want.scope]
		for token, asked := range map[string][]string{"first-value$1": {"PUT " + want.path + filter, "POST " + want.path}} {
			if err := to.Publish(t.Context(), web(t), values("A", token)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(asked, g.asked()); d != "" {
				t.Error(d)
			}
		}
		if err := to.Publish(t.Context(), web(t), values("A", "second-value")); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"PUT " + want.path + filter}, g.asked()); d != "" {
			t.Error(d)
		}
		now := g.vars[want.path+"/A "+want.scope]
		if now["value"] != "second-value" || now["key"] != "A" {
			t.Errorf("written: %v", now)
		}
		delete(now, "value")
		delete(now, "key")
		if text, _ := json.Marshal(now); string(text) != "{"+want.extra+"}" {
			t.Errorf("%s\nwant %s\nhave %s", settings, want.extra, text)
		}
		if err := to.Remove(t.Context(), web(t), []string{"A", "GONE_ALREADY"}); err != nil || len(g.vars) != 1 {
			t.Errorf("remove: %v, %v", err, g.vars)
		}
	}
}

// What GitLab would not mask is refused before anything is sent, and never shown.
func TestGitLabValuesThatCannotBeMasked(t *testing.T) {
	for value, want := range map[string]string{
		"canary!":              "shorter than 8 characters",
		"canary one":           "white space",
		"canary\ntwo lines":    "several lines",
		"canary-$dollar-value": "take raw = false out",
	} {
		g := newGitLabServer(t)
		err := g.target(t, "project = \"a/b\"\n raw = false").Publish(t.Context(), web(t), values("A", "fine-value", "B", value))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "variable B") || len(e.Written) > 0 || len(g.asked()) > 0 {
			t.Errorf("%q: %#v", value, e)
		}
		if strings.Contains(fmt.Sprint(err, e.Remedy), "canary") {
			t.Errorf("shown: %v", err)
		}
	}
	g := newGitLabServer(t)
	if err := g.target(t, "project = \"a/b\"\n masked = false").Publish(t.Context(), web(t), values("A", "a b")); err != nil {
		t.Error(err)
	}
}

// What was asked to be hidden and is not is said.
func TestGitLabHidesOrSaysSo(t *testing.T) {
	for old, want := range map[bool]string{true: "older than 17.4", false: "only a new one can be hidden"} {
		g := newGitLabServer(t)
		if g.old = old; !old {
			g.vars["/api/v4/projects/a%2Fb/variables/A *"] = map[string]any{"hidden": false}
		}
		err := g.target(t, "project = \"a/b\"\n hidden = true").Publish(t.Context(), web(t), values("A", "canary-value"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(e.Remedy, want) || len(e.Written) != 1 {
			t.Errorf("%#v", e)
		}
	}
}

func TestGitLabFailuresAreExplained(t *testing.T) {
	for _, c := range []struct {
		code   int
		body   string
		detail string
		remedy string
	}{
		{400, `{"message":{"value":["is invalid"],"key":["is too long","is odd"]}}`, "key is too long, is odd, value is invalid", "see what GitLab says"},
		{401, `{"error":"invalid_token","error_description":"Token was revoked."}`, "invalid_token: Token was revoked.", "token_type"},
		{403, `{"message":"403 Forbidden"}`, "403 Forbidden", "the role Maintainer"},
		{409, `{"message":"There are multiple variables with provided parameters."}`, "There are multiple", "see what GitLab says"},
	} {
		srv := imitate(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.code)
			fmt.Fprint(w, c.body)
		})
		err := targetOf(t, "gitlab", httpKinds(srv.URL)["gitlab"]).Publish(t.Context(), web(t), values("A", "canary-value", "B", "canary-other"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || e.Status != c.code || !strings.Contains(e.Detail, c.detail) || !strings.Contains(e.Remedy, c.remedy) {
			t.Errorf("%d: %#v", c.code, e)
		} else if d := cmp.Diff([]string{"A"}, e.Written); d != "" {
			t.Error(d)
		}
	}
	// A project that is not there: neither can be updated nor made.
	srv := imitate(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"404 Project Not Found"}`, http.StatusNotFound)
	})
	err := targetOf(t, "gitlab", httpKinds(srv.URL)["gitlab"]).Publish(t.Context(), web(t), values("A", "canary-value"))
	var e *sink.Error
	if !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(e.Remedy, "the project octo/app exists") {
		t.Errorf("%#v", e)
	}
}

func TestGitLabTokensOfEveryType(t *testing.T) {
	for kind, header := range map[string]string{"private": "Private-Token: env-t", "oauth": "Authorization: Bearer env-t", "job": "Job-Token: env-t"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, want, _ := strings.Cut(header, ": "); r.Header.Get(name) != want || len(r.Header) != 6 {
				t.Errorf("%s: %v", kind, r.Header)
			}
			fmt.Fprint(w, "{}")
		}))
		to := targetOf(t, "gitlab", httpKinds(srv.URL + "/api/v4")["gitlab"]+"\n token_type = \""+kind+"\"")
		if err := to.Publish(t.Context(), web(t), values("A", "some-value")); err != nil {
			t.Error(err)
		}
		srv.Close()
	}
}

func TestGitLabRefuses(t *testing.T) {
	const rest = "\n token = env(\"T\")\n secrets = {}"
	refused(t, "gitlab", map[string]string{
		rest: `Set either "project" or "group"`,
		"project = \"a/b\"\n group = \"c\"" + rest:                                                        `Set either "project" or "group"`,
		"project = \"app\"" + rest:                                                                        `such as "group/project", or its number, not "app"`,
		"project = \"a/../b\"" + rest:                                                                     `not "a/../b"`,
		"group = \"/a\"" + rest:                                                                           `not "/a"`,
		"project = \"a/b\"\n masked = false\n hidden = true" + rest:                                       `Only masked variables can be hidden`,
		"project = \"a/b\"\n environment_scope = \"\"" + rest:                                             `"*" for all`,
		"project = \"a/b\"\n url = \"http://gitlab.example\"" + rest:                                      `must be an https address`,
		"project = \"a/b\"\n token = env(\"T\")\n secrets = { \"A-B\" = \"x\" }":                          `"A-B" cannot be the name of a variable`,
		"project = \"a/b\"\n token = env(\"T\")\n secrets = { " + strings.Repeat("A", 256) + " = \"x\" }": `at most 255`,
		"project = \"a/b\"\n token = \"glpat-canary\"\n secrets = {}":                                     `The argument "token" is a secret`,
		"project = \"a/b\"\n token_type = \"privat\"" + rest:                                              `Did you mean "private"?`,
	})
}

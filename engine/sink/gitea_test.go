package sink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/sink"
)

// giteaServer imitates the secrets of Gitea: 201 for a new one, 204 after that,
// 400 for a name that it does not take.
func giteaServer(t *testing.T, secrets map[string]string) *imitation {
	return imitate(t, func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		name := strings.ToUpper(path[strings.LastIndex(path, "/")+1:])
		path = path[:strings.LastIndex(path, "/")+1] + name
		_, there := secrets[path]
		switch {
		case r.Header.Get("Authorization") != "token env-t":
			http.Error(w, `{"message":"token is required"}`, http.StatusUnauthorized)
		case r.Method == http.MethodPut:
			var in map[string]string
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in) != 1 || in["data"] == "" || r.Header.Get("Content-Type") != "application/json" {
				http.Error(w, `{"message":"[Data]: Required"}`, http.StatusUnprocessableEntity)
				return
			}
			if name == "TAKEN_BY_GITEA" {
				http.Error(w, `{"message":"invalid secret name","url":"https://gitea.example/api/swagger"}`, http.StatusBadRequest)
				return
			}
			secrets[path] = in["data"]
			w.WriteHeader(map[bool]int{false: http.StatusCreated, true: http.StatusNoContent}[there])
		case r.Method == http.MethodDelete && there:
			delete(secrets, path)
			w.WriteHeader(http.StatusNoContent)
		default:
			http.Error(w, `{"message":"The target couldn't be found."}`, http.StatusNotFound)
		}
	})
}

func TestGiteaSecrets(t *testing.T) {
	for settings, want := range map[string]struct{ path, place string }{
		`repository = "octo/app"`: {"/api/v1/repos/octo/app/actions/secrets/", "the Actions secrets of octo/app at "},
		`organization = "octo"`:   {"/api/v1/orgs/octo/actions/secrets/", "the Actions secrets of the organization octo at "},
	} {
		secrets := map[string]string{}
		srv := giteaServer(t, secrets)
		for _, suffix := range []string{"", "/", "/api/v1"} { // what people paste
			to := targetOf(t, "gitea", "url = \""+srv.URL+suffix+"\"\n token = env(\"T\")\n"+settings)
			if !strings.HasPrefix(to.Place(), want.place) || len(to.Hosts(sink.Env{})) != 1 {
				t.Errorf("place %q, hosts %v", to.Place(), to.Hosts(sink.Env{}))
			}
			for _, token := range []string{"first " + awkward, "second"} { // 201, then 204
				if err := to.Publish(t.Context(), web(t), values("A", token, "B", "b")); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(map[string]string{want.path + "A": token, want.path + "B": "b"}, secrets); d != "" {
					t.Error(d)
				}
			}
			srv.asked()
			if err := to.Remove(t.Context(), web(t), []string{"A", "B", "GONE_ALREADY"}); err != nil || len(secrets) != 0 {
				t.Errorf("remove: %v, %v", err, secrets)
			}
			if d := cmp.Diff([]string{"DELETE " + want.path + "A", "DELETE " + want.path + "B", "DELETE " + want.path + "GONE_ALREADY"}, srv.asked()); d != "" {
				t.Error(d)
			}
		}
	}
}

func TestGiteaFailuresAreExplained(t *testing.T) {
	srv := giteaServer(t, map[string]string{})
	to := targetOf(t, "gitea", httpKinds(srv.URL)["gitea"])
	err := to.Publish(t.Context(), web(t), values("A", "canary-a", "TAKEN_BY_GITEA", "canary-b", "Z", "canary-z"))
	var e *sink.Error
	if !errors.As(err, &e) || e.Kind != sink.Config || e.Status != 400 || e.Detail != "invalid secret name" || cmp.Diff([]string{"A", "TAKEN_BY_GITEA"}, e.Written) != "" {
		t.Errorf("%#v", e)
	}
	for code, want := range map[int]string{401: "not valid any more", 403: "write:repository", 404: "Gitea 1.21 or later", 422: "see what Gitea says"} {
		srv := imitate(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, `{"message":"no"}`)
		})
		err := targetOf(t, "gitea", httpKinds(srv.URL)["gitea"]).Publish(t.Context(), web(t), values("A", "canary-a"))
		if !errors.As(err, &e) || e.Kind != sink.Config || e.Status != code || e.Detail != "no" || !strings.Contains(e.Remedy, want) {
			t.Errorf("%d: %#v", code, e)
		}
	}
}

func TestGiteaRefuses(t *testing.T) {
	const rest = "\n url = \"https://gitea.example\"\n token = env(\"T\")\n secrets = {}"
	refused(t, "gitea", map[string]string{
		rest:                            `Set either "repository" or "organization"`,
		"repository = \"a\"" + rest:     `must be written as "owner/name", not "a"`,
		"organization = \"a/b\"" + rest: `must be the name of an organization, not "a/b"`,
		"repository = \"a/b\"\n token = env(\"T\")\n secrets = {}":                                                     `The argument "url" is required`,
		"repository = \"a/b\"\n url = \"https://u:p@gitea.example\"\n token = env(\"T\")\n secrets = {}":               `must be an https address`,
		"repository = \"a/b\"\n url = \"https://g.example\"\n token = env(\"T\")\n secrets = { gitea_x = \"1\" }":      `names that start with GITEA_ are Gitea's own`,
		"repository = \"a/b\"\n url = \"https://g.example\"\n token = env(\"T\")\n secrets = { GITHUB_x = \"1\" }":     `names that start with GITHUB_ are Gitea's own`,
		"repository = \"a/b\"\n url = \"https://g.example\"\n token = env(\"T\")\n secrets = { a = \"1\", A = \"2\" }": `are one secret`,
	})
}

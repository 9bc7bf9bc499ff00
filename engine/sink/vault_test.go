package sink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/sink"
)

// vaultServer imitates the engine KV at the mount team/kv, with one secret at ci/a b.
type vaultServer struct {
	*imitation
	v1      bool
	noPatch bool // the policy has no "patch"
	deleted bool
	data    map[string]any // nil: there is none
	version int
	between func() // somebody else writes after each read
}

func newVaultServer(t *testing.T) *vaultServer {
	v := &vaultServer{}
	v.imitation = imitate(t, v.serve)
	return v
}

func (v *vaultServer) fail(w http.ResponseWriter, code int, text ...string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": text})
}

func (v *vaultServer) serve(w http.ResponseWriter, r *http.Request) {
	path := "/v1/team/kv/data/ci/a%20b"
	if v.v1 {
		path = "/v1/team/kv/ci/a%20b"
	}
	switch {
	case r.Header.Get("X-Vault-Token") != "env-t" || r.Header.Get("X-Vault-Request") != "true":
		v.fail(w, http.StatusForbidden, "permission denied")
	case strings.HasPrefix(r.URL.Path, "/v1/sys/internal/ui/mounts/team/kv/"):
		fmt.Fprintf(w, `{"data":{"type":"kv","path":"team/kv/","options":{"version":%q}}}`, map[bool]string{true: "1", false: "2"}[v.v1])
	case r.URL.EscapedPath() != path:
		v.fail(w, http.StatusNotFound)
	case r.Method == http.MethodGet:
		v.get(w)
		if v.between != nil {
			v.between()
		}
	case r.Method == http.MethodDelete:
		v.data, v.deleted = nil, true
		w.WriteHeader(http.StatusNoContent)
	case v.v1:
		v.data = map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&v.data)
		w.WriteHeader(http.StatusNoContent)
	default:
		v.write(w, r)
	}
}

func (v *vaultServer) get(w http.ResponseWriter) {
	switch meta := map[string]any{"version": v.version}; {
	case v.data == nil && (v.v1 || v.version == 0):
		v.fail(w, http.StatusNotFound)
	case v.v1:
		_ = json.NewEncoder(w).Encode(map[string]any{"data": v.data})
	case v.data == nil:
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": nil, "metadata": meta}})
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": v.data, "metadata": meta}})
	}
}

func (v *vaultServer) write(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Options map[string]int `json:"options"`
		Data    map[string]any `json:"data"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	cas, ok := in.Options["cas"]
	patch := r.Method == http.MethodPatch
	switch {
	case patch && v.noPatch:
		v.fail(w, http.StatusForbidden, "permission denied")
		return
	case !ok:
		v.fail(w, http.StatusBadRequest, "check-and-set parameter required for this call")
		return
	case cas != v.version:
		v.fail(w, http.StatusBadRequest, "check-and-set parameter did not match the current version")
		return
	case patch && r.Header.Get("Content-Type") != "application/merge-patch+json":
		v.fail(w, http.StatusUnsupportedMediaType, "odd type")
		return
	case patch:
		for name, value := range in.Data {
			if v.data[name] = value; value == nil {
				delete(v.data, name)
			}
		}
	default:
		v.data = in.Data
	}
	v.version++
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"version": v.version}})
}

func (v *vaultServer) target(t *testing.T, settings string) sink.Target {
	t.Helper()
	return targetOf(t, "vault", "url = \""+v.URL+"\"\n token = env(\"T\")\n mount = \"team/kv/\"\n path = \"ci/a b\"\n"+settings)
}

func methods(asked []string) string {
	var out []string
	for _, line := range asked {
		method, _, _ := strings.Cut(line, " ")
		out = append(out, method)
	}
	return strings.Join(out, " ")
}

// What others keep in a secret stays, also what is no string; with the right to
// patch, and without.
func TestVaultMergesWithCheckAndSet(t *testing.T) {
	for noPatch, want := range map[bool][3]string{
		false: {"GET PATCH", "GET PATCH", "GET DELETE"},
		true:  {"GET PATCH POST", "GET PATCH POST", "GET DELETE"},
	} {
		v := newVaultServer(t)
		v.noPatch, v.version, v.data = noPatch, 7, map[string]any{"theirs": map[string]any{"n": 1.5}, "A": "old"}
		to := v.target(t, "")
		if to.Place() != "the secret team/kv/ci/a b at "+strings.TrimPrefix(v.URL, "http://") {
			t.Errorf("place %q", to.Place())
		}
		if err := to.Publish(t.Context(), web(t), values("A", awkward, "B", "b")); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]any{"theirs": map[string]any{"n": 1.5}, "A": awkward, "B": "b"}, v.data); d != "" || v.version != 8 {
			t.Error(d, v.version)
		}
		first := methods(v.asked())
		if err := to.Remove(t.Context(), web(t), []string{"A", "B", "GONE_ALREADY"}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]any{"theirs": map[string]any{"n": 1.5}}, v.data); d != "" {
			t.Error(d)
		}
		second := methods(v.asked())
		if err := to.Remove(t.Context(), web(t), []string{"theirs"}); err != nil || v.data != nil {
			t.Error(err, v.data)
		}
		if d := cmp.Diff(want, [3]string{first, second, methods(v.asked())}); d != "" {
			t.Error(d)
		}
		if err := to.Remove(t.Context(), web(t), []string{"A"}); err != nil { // the secret is gone
			t.Error(err)
		}
	}
}

// A new secret, one that was deleted, one that is replaced: each with the version
// that the server wants to hear.
func TestVaultWritesWhole(t *testing.T) {
	for name, c := range map[string]struct {
		version  int
		data     map[string]any
		settings string
		asked    string
	}{
		"new":      {0, nil, "", "GET GET POST"},
		"deleted":  {3, nil, "", "GET POST"},
		"replaced": {3, map[string]any{"theirs": "x"}, `mode = "replace"`, "GET POST"},
		"empty":    {3, map[string]any{}, "", "GET PATCH"},
	} {
		v := newVaultServer(t)
		v.version, v.data = c.version, c.data
		if err := v.target(t, c.settings).Publish(t.Context(), web(t), values("A", "a-value")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(map[string]any{"A": "a-value"}, v.data); d != "" || v.version != c.version+1 || methods(v.asked()) != c.asked {
			t.Errorf("%s: %s version %d", name, d, v.version)
		}
	}
}

// Somebody else writes between reading and writing: nothing of it is lost. If they
// never stop, later may be better, and nothing was written.
func TestVaultConflicts(t *testing.T) {
	v := newVaultServer(t)
	v.version, v.data = 1, map[string]any{"n": 0.0}
	times := 1
	v.between = func() {
		if times--; times >= 0 {
			v.data["n"], v.version = float64(v.version), v.version+1
		}
	}
	if err := v.target(t, "").Publish(t.Context(), web(t), values("A", "a-value")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]any{"n": 1.0, "A": "a-value"}, v.data); d != "" || methods(v.asked()) != "GET PATCH GET PATCH" {
		t.Error(d)
	}
	times = 100
	err := v.target(t, "").Publish(t.Context(), web(t), values("A", "canary"))
	var e *sink.Error
	if !errors.As(err, &e) || e.Kind != sink.Temporary || len(e.Written) > 0 || methods(v.asked()) != "GET PATCH GET PATCH" {
		t.Errorf("%#v", e)
	}
}

func TestVaultVersion1(t *testing.T) {
	v := newVaultServer(t)
	v.v1 = true
	to := v.target(t, "kv_version = 1")
	for _, token := range []string{"first", "second"} {
		if err := to.Publish(t.Context(), web(t), values("A", token)); err != nil {
			t.Fatal(err)
		}
		v.data["theirs"] = 1.0
	}
	if d := cmp.Diff(map[string]any{"A": "second", "theirs": 1.0}, v.data); d != "" {
		t.Error(d)
	}
	if err := to.Remove(t.Context(), web(t), []string{"A"}); err != nil || len(v.data) != 1 {
		t.Error(err, v.data)
	}
	if slices.ContainsFunc(v.asked(), func(line string) bool { return strings.Contains(line, "/data/") }) {
		t.Error("version 1 has no /data/")
	}
}

// An engine of the other version is found before it is written to.
func TestVaultVersionsThatDoNotFit(t *testing.T) {
	for _, v1 := range []bool{true, false} {
		v := newVaultServer(t)
		v.v1 = v1
		settings, want := "", "set kv_version = 1"
		if !v1 {
			settings, want = "kv_version = 1", "set kv_version = 2"
		}
		err := v.target(t, settings).Publish(t.Context(), web(t), values("A", "canary"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || e.Remedy != want || len(e.Written) > 0 || methods(v.asked()) != "GET GET" {
			t.Errorf("%#v", e)
		}
	}
}

func TestVaultFailuresAreExplained(t *testing.T) {
	for _, c := range []struct {
		code   int
		said   string
		kind   sink.Kind
		remedy string
	}{
		{400, `1 error occurred:\n\t* odd`, sink.Config, "see what Vault says"},
		{403, "permission denied", sink.Config, "its policy needs read, create and update, and delete to remove, on team/kv/data/ci/a%20b"},
		{503, "Vault is sealed", sink.Temporary, "sealed or in maintenance"},
		{500, "internal error", sink.Temporary, "try again later"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			v := newVaultServer(t)
			v.answer = func(w http.ResponseWriter, r *http.Request) {
				if r.Method != method && r.Method == http.MethodGet {
					v.serve(w, r)
					return
				}
				v.fail(w, c.code, c.said)
			}
			err := v.target(t, "namespace = \"team/\"").Publish(t.Context(), web(t), values("A", "canary"))
			var e *sink.Error
			if !errors.As(err, &e) || e.Kind != c.kind || e.Status != c.code || !strings.Contains(e.Remedy, c.remedy) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%d: %#v", c.code, e)
			} else if wrote := len(e.Written) == 1; wrote != (method == http.MethodPost) {
				t.Errorf("%d: written %v", c.code, e.Written)
			}
		}
	}
	v := newVaultServer(t) // a mount that is not there, and a token that may not look at mounts
	v.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/sys/") {
			v.fail(w, http.StatusForbidden, "preflight capability check returned 403")
			return
		}
		v.fail(w, http.StatusNotFound, `no handler for route "team/kv/data/ci/a b"`)
	}
	var e *sink.Error
	if err := v.target(t, "").Publish(t.Context(), web(t), values("A", "canary")); !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(e.Remedy, "check that there is a mount") {
		t.Errorf("%#v", e)
	}
}

func TestVaultNamespace(t *testing.T) {
	v := newVaultServer(t)
	v.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Namespace") != "team/ci" {
			t.Errorf("%v", r.Header)
		}
		v.serve(w, r)
	}
	to := v.target(t, "namespace = \"/team/ci/\"")
	if err := to.Publish(t.Context(), web(t), values("A", "a-value")); err != nil || !strings.Contains(to.Place(), " in the namespace team/ci at ") {
		t.Error(err, to.Place())
	}
}

func TestVaultRefuses(t *testing.T) {
	const rest = "\n url = \"https://vault.example\"\n token = env(\"T\")\n secrets = {}"
	refused(t, "vault", map[string]string{
		rest: `The argument "path" is required`,
		"path = \"a\"\n token = env(\"T\")\n secrets = {}": `The argument "url" is required`,
		"path = \"a/../b\"" + rest:                         `not "a/../b"`,
		"path = \"/\"" + rest:                              `The argument "path" is a path below the mount`,
		"path = \"data/a\"" + rest:                         `without "data/"`,
		"path = \"a\"\n mount = \"\"" + rest:               `The argument "mount" is a path`,
		"path = \"a\"\n kv_version = 3" + rest:             `must be 1 or 2`,
		"path = \"a\"\n namespace = \"a\\nb\"" + rest:      `The argument "namespace" is a path`,
		"path = \"a\"\n mode = \"patch\"" + rest:           `"mode" must be "merge" or "replace"`,
		"path = \"a\"\n url = \"https://vault.example\"\n token = env(\"T\")\n secrets = { \"\" = \"x\" }": `a name is empty`,
	})
}

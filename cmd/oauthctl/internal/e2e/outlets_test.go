package e2e

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The real programs that take tokens, against servers on this machine that want them.

// outletUser has one connection, whose token may go to a host.
func outletUser(t *testing.T, host string) *user {
	t.Helper()
	u := newUser(t, `
provider "acme" { issuer = "https://login.acme.example" }
connection "work" {
  provider      = "acme"
  client_id     = "work"
  client_secret = env("SECRET")
  hosts         = ["`+host+`"]
  grant "client_credentials" {}
}
`)
	u.ok("apply", "-sandbox", "-auto-approve")
	return u
}

// program runs another program as the user.
func (u *user) program(stdin, name string, args ...string) result {
	u.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = u.dir, u.env, strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		u.t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// asked notes what a server was sent, and admits one credential.
type asked struct {
	mu   sync.Mutex
	seen []string
	want string
}

func (a *asked) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Get("Authorization")
		if _, password, ok := r.BasicAuth(); ok {
			got = "Basic " + password
		}
		a.mu.Lock()
		a.seen = append(a.seen, got)
		want := a.want
		a.mu.Unlock()
		if got != want || want == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *asked) admit(credential string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.want, a.seen = credential, nil
}

func (a *asked) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

// git clones and pushes with the token as its password, and never sends it to
// another host.
func TestGitClonesAndPushes(t *testing.T) {
	git, err := exec.LookPath("git")
	need(t, "git", err == nil)
	root := t.TempDir()
	var gate, other asked
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=work"}}
	srv := httptest.NewServer(gate.guard(backend))
	defer srv.Close()
	stranger := httptest.NewServer(other.guard(backend))
	defer stranger.Close()
	host := strings.TrimPrefix(srv.URL, "http://")

	u := outletUser(t, host)
	u.env = append(u.env, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example")
	u.program("", git, "init", "-q", "--bare", "-b", "main", filepath.Join(root, "team.git")).want(t, 0)
	u.program("", git, "-C", filepath.Join(root, "team.git"), "config", "http.receivepack", "true").want(t, 0)
	gate.admit("Basic " + strings.TrimSpace(u.ok("token", "-sandbox", "work").stdout))

	// Without the helper there is no way in.
	if r := u.program("", git, "clone", "-q", srv.URL+"/team.git", "closed"); r.code == 0 {
		t.Fatal("the server lets everybody in")
	}
	helper := "!'" + binary + "' -sandbox '-chdir=" + u.dir + "' git-credential"
	u.program("", git, "config", "--global", "credential.helper", helper).want(t, 0)
	u.program("", git, "clone", "-q", srv.URL+"/team.git", "work").want(t, 0)
	u.write("work/file", "text\n")
	u.program("", git, "-C", "work", "add", "file").want(t, 0)
	u.program("", git, "-C", "work", "commit", "-qm", "file").want(t, 0)
	u.program("", git, "-C", "work", "push", "-q", "origin", "HEAD:main").want(t, 0)
	u.program("", git, "clone", "-q", srv.URL+"/team.git", "again").want(t, 0)
	if text, err := os.ReadFile(filepath.Join(u.dir, "again", "file")); err != nil || string(text) != "text\n" {
		t.Errorf("%q %v", text, err)
	}

	// Another port is another host: the helper is asked, and says nothing.
	if r := u.program("", git, "clone", "-q", stranger.URL+"/team.git", "stranger"); r.code == 0 {
		t.Error("the stranger lets us in")
	}
	for _, got := range other.list() {
		if got != "" {
			t.Errorf("the stranger was sent %q", got)
		}
	}

	// A token that is refused: git says so, and the helper survives it.
	gate.admit("Basic another")
	if r := u.program("", git, "-C", "work", "fetch"); r.code == 0 || strings.Contains(r.stderr, "Error:") {
		t.Errorf("%+v", r)
	}
}

// curl reads its configuration from the token command; and under exec, a program
// has the token, and its exit code is what is seen.
func TestCurlTakesTheToken(t *testing.T) {
	curl, err := exec.LookPath("curl")
	need(t, "curl", err == nil)
	var gate asked
	srv := httptest.NewServer(gate.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("welcome")) })))
	defer srv.Close()
	u := outletUser(t, strings.TrimPrefix(srv.URL, "http://"))
	gate.admit("Bearer " + strings.TrimSpace(u.ok("token", "-sandbox", "work").stdout))
	configured := u.program(u.ok("token", "-sandbox", "-format=curl", "work").stdout, curl, "-sS", "-K", "-", srv.URL)
	under := u.run("exec", "-sandbox", "work", "--", "sh", "-c", `printf 'header = "Authorization: Bearer %s"' "$WORK_TOKEN" | `+curl+` -sS -K - `+srv.URL)
	for _, r := range []result{configured, under} {
		if r.want(t, 0); r.stdout != "welcome" {
			t.Errorf("%+v", r)
		}
	}
	u.run("exec", "-sandbox", "work", "--", curl, "-sSf", srv.URL).want(t, 22)
}

// kubectl signs in with a credential plugin at an API server that wants the token, in
// each version of the protocol that it knows: v1 since 1.22.
func TestKubectlSignsIn(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	need(t, "kubectl", err == nil)
	var gate asked
	srv := httptest.NewTLSServer(gate.guard(http.HandlerFunc(apiServer)))
	defer srv.Close()
	u := outletUser(t, strings.TrimPrefix(srv.URL, "https://"))
	u.env = append(u.env, "KUBECONFIG="+filepath.Join(u.dir, "kubeconfig"))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	u.write("ca.pem", string(ca))
	gate.admit("Bearer " + strings.TrimSpace(u.ok("token", "-sandbox", "work").stdout))
	versions := []string{"v1beta1"}
	if minor(t, u.program("", kubectl, "version", "--client", "-o", "json").stdout) >= 22 {
		versions = append(versions, "v1")
	}
	for _, version := range versions {
		config := map[string]any{
			"apiVersion": "v1", "kind": "Config", "current-context": "c",
			"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": srv.URL, "certificate-authority": "ca.pem"}}},
			"contexts": []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "c", "user": "u"}}},
			"users": []any{map[string]any{"name": "u", "user": map[string]any{"exec": map[string]any{
				"apiVersion": "client.authentication.k8s.io/" + version, "command": binary, "interactiveMode": "Never",
				"args": []string{"-chdir=" + u.dir, "token", "-sandbox", "-format=exec-credential", "work"},
			}}}},
		}
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		u.write("kubeconfig", string(text))
		r := u.program("", kubectl, "get", "--raw", "/api/v1/namespaces/work")
		r.want(t, 0)
		contains(t, r.stdout, `"name":"work"`)
	}
	gate.admit("Bearer another")
	if r := u.program("", kubectl, "get", "--raw", "/api/v1/namespaces/work"); r.code == 0 {
		t.Errorf("%+v", r)
	}
}

// minor is the second part of the version of kubectl.
func minor(t *testing.T, text string) int {
	t.Helper()
	var v struct {
		ClientVersion struct {
			Minor string `json:"minor"`
		} `json:"clientVersion"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	n, err := strconv.Atoi(strings.TrimRight(v.ClientVersion.Minor, "+"))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return n
}

// A client of version 1 of the protocol, as kubectl has been since 1.22: it says which
// server it is about, takes nothing that it does not know, and signs in with the token.
func TestExecCredentialV1SignsIn(t *testing.T) {
	var gate asked
	srv := httptest.NewServer(gate.guard(http.HandlerFunc(apiServer)))
	defer srv.Close()
	u := outletUser(t, strings.TrimPrefix(srv.URL, "http://"))
	gate.admit("Bearer " + strings.TrimSpace(u.ok("token", "-sandbox", "work").stdout))
	info, err := json.Marshal(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
		"spec": map[string]any{"interactive": false, "cluster": map[string]any{"server": srv.URL}},
	})
	if err != nil {
		t.Fatal(err)
	}
	u.env = append(u.env, "KUBERNETES_EXEC_INFO="+string(info))
	var answer struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Spec       struct{} `json:"spec"`
		Status     struct {
			Expires time.Time `json:"expirationTimestamp"`
			Token   string    `json:"token"`
			Cert    string    `json:"clientCertificateData"`
			Key     string    `json:"clientKeyData"`
		} `json:"status"`
	}
	strict := json.NewDecoder(strings.NewReader(u.ok("token", "-sandbox", "-format=exec-credential", "work").stdout))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.APIVersion != "client.authentication.k8s.io/v1" || answer.Kind != "ExecCredential" || !answer.Status.Expires.After(time.Now()) {
		t.Errorf("version %q, kind %q, until %v", answer.APIVersion, answer.Kind, answer.Status.Expires)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/api/v1/namespaces/work", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+answer.Status.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
}

// apiServer answers about namespaces.
func apiServer(w http.ResponseWriter, r *http.Request) {
	name, _ := url.PathUnescape(filepath.Base(r.URL.Path))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]string{"name": name}})
}

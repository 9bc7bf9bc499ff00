package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const placesConfig = `
provider "echo" {
  token_endpoint = "%[1]s/token"
  grants         = ["client_credentials"]
}
connection "worker" {
  provider      = "echo"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  grant "client_credentials" {}
}
locals { token = env("PLACE_TOKEN") }
sink "gitlab" "x" {
  url     = "%[2]s"
  project = "octo/app"
  token   = local.token
  secrets = { TOKEN = connection.worker.access_token }
}
sink "gitea" "x" {
  url        = "%[2]s"
  repository = "octo/app"
  token      = local.token
  secrets    = { TOKEN = connection.worker.access_token }
}
sink "vault" "x" {
  url     = "%[2]s"
  path    = "ci/app"
  token   = local.token
  secrets = { TOKEN = connection.worker.access_token }
}
sink "kubernetes" "x" {
  namespace  = "ci"
  name       = "app"
  kubeconfig = "%[3]s"
  secrets    = { TOKEN = connection.worker.access_token }
}
`

// placesThatEcho is all places in one server. While it echoes, it refuses
// everything, and repeats what it was sent.
type placesThatEcho struct {
	mu     sync.Mutex
	echo   bool
	asked  []string
	stored map[string]string // bodies by path
}

func (p *placesThatEcho) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case p.echo:
		sent := string(body)
		for _, values := range r.Header {
			sent = strings.Join(values, " ") + " " + sent
		}
		w.WriteHeader(http.StatusForbidden)
		text := fmt.Sprintf("%q", sent)
		_, _ = fmt.Fprintf(w, `{"message":%s,"error":%[1]s,"errors":[%[1]s,%q]}`, text, base64.StdEncoding.EncodeToString(body))
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "{}")
	default:
		p.stored[r.URL.Path] = string(body)
		_, _ = io.WriteString(w, `{"data":{"version":1}}`)
	}
}

// Every place that is spoken to over HTTP, through the program itself: values
// arrive, over TLS with an authority of the kubeconfig too; and what a place
// repeats of them in its errors is not repeated to anybody, nor written to a log.
func TestPlacesThatEchoLeakNothing(t *testing.T) {
	u := newLeakUser(t)
	u.real = true
	u.env["OAUTHCTL_LOG"] = "debug"
	p := &placesThatEcho{stored: map[string]string{}}
	plain, secure := httptest.NewServer(p), httptest.NewUnstartedServer(p)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	account := canary()
	u.secret("token of a service account", account)
	kubeconfig := filepath.Join(t.TempDir(), "config") // elsewhere: it has to have the token in it
	text := fmt.Sprintf("current-context: a\ncontexts: [{name: a, context: {cluster: b, user: c}}]\nclusters: [{name: b, cluster: {server: %q, certificate-authority-data: %q}}]\nusers: [{name: c, user: {token: %q}}]\n",
		secure.URL, base64.StdEncoding.EncodeToString(ca), account)
	config := fmt.Sprintf(placesConfig, newEcho(t, u.secret).URL, plain.URL, filepath.ToSlash(kubeconfig))
	for name, text := range map[string]string{kubeconfig: text, filepath.Join(u.dir, "main.hcl"): config} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u.run(leakRun{name: "apply", args: "-auto-approve"})
	for _, path := range []string{"/api/v4/projects/octo/app/variables/TOKEN", "/api/v1/repos/octo/app/actions/secrets/TOKEN", "/v1/secret/data/ci/app", "/api/v1/namespaces/ci/secrets/app"} {
		if p.stored[path] == "" {
			t.Errorf("nothing arrived at %s: %v", path, p.asked)
		}
	}
	u.learn()
	p.echo, p.asked = true, nil
	const all = "-auto-approve -replace=sink.gitlab.x -replace=sink.gitea.x -replace=sink.vault.x -replace=sink.kubernetes.x"
	u.run(leakRun{name: "apply", args: all})
	u.run(leakRun{name: "apply", args: all + " -json"})
	u.run(leakRun{name: "apply", args: all + " -json-into=events.json"})
	u.run(leakRun{name: "destroy", args: "-auto-approve"})
	u.run(leakRun{name: "show", args: "-json"})
	if len(p.asked) < 16 {
		t.Errorf("only %d requests were refused: the test is blind", len(p.asked))
	}
	u.files()
}

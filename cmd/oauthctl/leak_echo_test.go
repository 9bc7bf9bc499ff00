package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const echoConfig = `
provider "echo" {
  token_endpoint      = "%[1]s/token"
  device_endpoint     = "%[1]s/device"
  revocation_endpoint = "%[1]s/revoke"
  grants              = ["device_code", "client_credentials"]
}
connection "person" {
  provider      = "echo"
  client_id     = "person"
  client_secret = env("WORKER_SECRET")
  client_auth   = "client_secret_post"
  scopes        = ["mail"]
  grant "device_code" {}
}
connection "worker" {
  provider      = "echo"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  client_auth   = "client_secret_basic"
  grant "client_credentials" {}
}
sink "file" "state" {
  path  = "state.env"
  state = "OAUTHCTL_STATE"
}
`

// An echo is an authorization server that repeats what it was sent in its
// errors, as some do.
type echo struct {
	*httptest.Server
	how    func(w http.ResponseWriter, sent string) // nil: answers well
	mu     sync.Mutex
	tokens int
	secret func(what, s string)
}

func newEcho(t *testing.T, secret func(what, s string)) *echo {
	e := &echo{secret: secret}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	header := r.Header.Get("Authorization")
	plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(header, "Basic "))
	if e.how != nil {
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		_ = r.ParseForm()
		sent := fmt.Sprintf("%s %s %s", body, header, plain)
		for _, values := range r.PostForm {
			sent += " " + strings.Join(values, " ")
		}
		e.how(w, sent)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens++
	if r.URL.Path == "/device" {
		code := canary()
		e.secret("device code", code)
		echoJSON(w, http.StatusOK, map[string]any{"device_code": code, "user_code": "ABCD-EFGH", "verification_uri": e.URL + "/visit", "interval": 1})
		return
	}
	access, refresh := canary(), canary()
	e.secret("access token", access)
	e.secret("refresh token", refresh)
	echoJSON(w, http.StatusOK, map[string]any{"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600})
}

// echoes are the ways in which a server repeats what it was sent.
var echoes = map[string]func(w http.ResponseWriter, sent string){
	"in the description": func(w http.ResponseWriter, sent string) {
		echoJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "you sent: " + sent})
	},
	"in the code": func(w http.ResponseWriter, sent string) {
		echoJSON(w, http.StatusUnauthorized, map[string]any{"error": sent})
	},
	"in the URI": func(w http.ResponseWriter, sent string) {
		echoJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_uri": "https://e.example/?" + sent})
	},
	"in a page": func(w http.ResponseWriter, sent string) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "<html><pre>"+sent+"</pre></html>")
	},
	"in text": func(w http.ResponseWriter, sent string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, sent)
	},
	"in headers": func(w http.ResponseWriter, sent string) {
		w.Header().Set("Www-Authenticate", `Bearer error="invalid_token", error_description="`+sent+`"`)
		w.Header().Set("Location", "https://e.example/?"+sent)
		w.Header().Set("Content-Type", sent)
		w.WriteHeader(http.StatusFound)
	},
	"in an answer without a token": func(w http.ResponseWriter, sent string) {
		echoJSON(w, http.StatusOK, map[string]any{"token_type": sent, "scope": sent})
	},
	"in the type of the token": func(w http.ResponseWriter, sent string) {
		echoJSON(w, http.StatusOK, map[string]any{"access_token": "x", "token_type": sent, "expires_in": sent})
	},
	"as names": func(w http.ResponseWriter, sent string) {
		name, _ := json.Marshal(sent)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, "{%s: 1, %s: 2}", name, name)
	},
	"in pieces of JSON": func(w http.ResponseWriter, sent string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"error": "`+sent)
	},
}

func echoJSON(w http.ResponseWriter, status int, doc map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc)
}

// What a server repeats of a request in its errors is not repeated to anybody.
func TestErrorsThatEchoLeakNothing(t *testing.T) {
	for name, how := range echoes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newLeakUser(t)
			u.real = true
			srv := newEcho(t, u.secret)
			if err := os.WriteFile(filepath.Join(u.dir, "main.hcl"), fmt.Appendf(nil, echoConfig, srv.URL), 0o600); err != nil {
				t.Fatal(err)
			}
			pair := "worker:" + u.env["WORKER_SECRET"]
			u.secret("credentials of the client", base64.StdEncoding.EncodeToString([]byte(pair)))
			u.secret("credentials of the client", hex.EncodeToString([]byte(pair)))
			u.run(leakRun{name: "apply", args: "-auto-approve -input=true"})
			u.learn()
			srv.how = how
			for _, run := range []leakRun{
				{name: "token", args: "-force-refresh person"}, {name: "token", args: "-force-refresh worker"},
				{name: "refresh", args: "person worker"}, {name: "refresh", args: "-json person worker"},
				{name: "apply", args: "-auto-approve -input=true -replace=worker -replace=person"},
				{name: "apply", args: "-auto-approve -json -input=true -replace=worker -replace=person"},
				{name: "destroy", args: "-auto-approve -target=person"}, {name: "destroy", args: "-auto-approve -json"},
				{name: "show"}, {name: "show", args: "-json"}, {name: "status", args: "-json"},
			} {
				u.run(run)
			}
			if srv.tokens < 3 {
				t.Errorf("only %d good answers: the test is blind", srv.tokens)
			}
			u.files()
		})
	}
}

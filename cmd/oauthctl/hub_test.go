package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/nacl/box"
)

// hubToken is what the imitation of GitHub wants to see.
const hubToken = "hub-canary-token"

// serveHub imitates what sinks and jobs ask of GitHub: secrets of Actions, which it
// opens and writes into a directory, and ID tokens of a job; and of GitLab: variables
// of a project, in the same directory. A file "fail" in the
// directory has the status that the next writing of a secret is answered with.
func serveHub(dir string) (*httptest.Server, error) {
	public, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/idtoken" {
			part := base64.RawURLEncoding.EncodeToString
			text := part([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + part(fmt.Appendf(nil, `{"iss":%q,"aud":%q,"sub":"repo:octo/app:environment:tokens","jti":%q,"iat":%d,"exp":%d}`,
				"http://"+r.Host, r.FormValue("audience"), rand.Text(), time.Now().Unix(), time.Now().Add(24*time.Hour).Unix())) + ".c2ln"
			_ = json.NewEncoder(w).Encode(map[string]string{"value": text})
			return
		}
		name, in := path.Base(r.URL.Path), struct {
			Value string `json:"encrypted_value"`
			ID    string `json:"key_id"`
		}{}
		switch at := path.Dir(r.URL.Path); {
		case at == "/api/v4/projects/octo/app/variables" && r.Method == http.MethodPut && r.Header.Get("PRIVATE-TOKEN") == hubToken:
			var v struct {
				Value string `json:"value"`
			}
			_ = json.NewDecoder(r.Body).Decode(&v)
			_ = os.WriteFile(filepath.Join(dir, name), []byte(v.Value), 0o600)
			_ = json.NewEncoder(w).Encode(map[string]any{"key": name, "masked": true})
		case r.Header.Get("Authorization") != "Bearer "+hubToken:
			w.WriteHeader(http.StatusUnauthorized)
		case at != "/repos/octo/app/environments/tokens/secrets":
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet && name == "public-key":
			_ = json.NewEncoder(w).Encode(map[string]string{"key_id": "7", "key": base64.StdEncoding.EncodeToString(public[:])})
		case r.Method == http.MethodDelete:
			_ = os.Remove(filepath.Join(dir, name))
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPut && hubFails(dir, w):
		case r.Method == http.MethodPut:
			_ = json.NewDecoder(r.Body).Decode(&in)
			sealed, _ := base64.StdEncoding.DecodeString(in.Value)
			text, ok := box.OpenAnonymous(nil, sealed, public, private)
			if !ok || in.ID != "7" || len(text) > 48<<10 {
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			if log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				fmt.Fprintln(log, name)
				_ = log.Close()
			}
			_ = os.WriteFile(filepath.Join(dir, name), text, 0o600)
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})), nil
}

// hubFails answers with a status that a test has asked for: "503", or "-503" to
// be answered so from the second time on.
func hubFails(dir string, w http.ResponseWriter) bool {
	file := filepath.Join(dir, "fail")
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	if later, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "-"); ok {
		_ = os.WriteFile(file, []byte(later), 0o600)
		return false
	}
	var status int
	_, _ = fmt.Sscan(string(text), &status)
	w.WriteHeader(status)
	return true
}

// cmdHub is "hub NAME": GitHub's API for the page, in the variable NAME; what is
// published is in the directory hub.
func cmdHub(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs("hub")
	ts.Check(os.MkdirAll(dir, 0o700))
	srv, err := serveHub(dir)
	ts.Check(err)
	ts.Defer(srv.Close)
	ts.Setenv(args[0], srv.URL)
	ts.Setenv("HUB_TOKEN", hubToken)
}

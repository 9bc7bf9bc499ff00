package sink_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/sink"
)

// apiServer imitates the Secrets of the namespace ci behind an authority of its
// own, with server-side apply: it knows who owns which key.
type apiServer struct {
	*imitation
	secrets map[string]*kubeSecret
	last    map[string]any // the body that came last
}

type kubeSecret struct {
	data  map[string]string
	owner map[string]string // of each key
	meta  map[string]any
	kind  any
}

func newAPIServer(t *testing.T) *apiServer {
	a := &apiServer{imitation: &imitation{}, secrets: map[string]*kubeSecret{}}
	a.answer = a.serve
	a.Server = httptest.NewUnstartedServer(a.imitation)
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are meant to
	a.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

func (a *apiServer) status(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"code":%d}`, message, code)
}

func (a *apiServer) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	name, ok := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/ci/secrets/")
	s, query := a.secrets[name], r.URL.Query()
	a.last = nil
	if r.Method != http.MethodGet {
		_ = json.NewDecoder(r.Body).Decode(&a.last)
	}
	switch signed := len(r.TLS.PeerCertificates) > 0 || r.Header.Get("Authorization") == "Bearer "+k8sToken; {
	case !signed:
		a.status(w, http.StatusUnauthorized, "Unauthorized")
	case !ok:
		a.status(w, http.StatusNotFound, `namespaces "x" not found`)
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/apply-patch+yaml":
		a.apply(w, name, query)
	case s == nil:
		a.status(w, http.StatusNotFound, `secrets "`+name+`" not found`)
	case r.Method == http.MethodGet:
		a.show(w, name)
	case r.Method == http.MethodDelete:
		if p, _ := a.last["preconditions"].(map[string]any); p["uid"] != "uid-1" || p["resourceVersion"] != "7" {
			a.status(w, http.StatusConflict, "precondition failed")
			return
		}
		delete(a.secrets, name)
		fmt.Fprint(w, `{"kind":"Status","status":"Success"}`)
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/merge-patch+json":
		meta, _ := a.last["metadata"].(map[string]any)
		data, _ := a.last["data"].(map[string]any)
		for key, v := range data {
			if v != nil || meta["resourceVersion"] != "7" {
				a.status(w, http.StatusConflict, "changed")
				return
			}
			delete(s.data, key)
			delete(s.owner, key)
		}
		a.show(w, name)
	default:
		a.status(w, http.StatusUnsupportedMediaType, "the body of the request was in an unknown format")
	}
}

func (a *apiServer) apply(w http.ResponseWriter, name string, query url.Values) {
	s := a.secrets[name]
	if s == nil {
		s = &kubeSecret{data: map[string]string{}, owner: map[string]string{}}
	}
	manager := query.Get("fieldManager")
	data, _ := a.last["data"].(map[string]any)
	for key := range data {
		if owner := s.owner[key]; owner != "" && owner != manager && query.Get("force") != "true" {
			a.status(w, http.StatusConflict, `Apply failed with 1 conflict: conflict with "`+owner+`": .data.`+key)
			return
		}
	}
	for key, owner := range maps.Clone(s.owner) {
		if _, still := data[key]; owner == manager && !still {
			delete(s.data, key)
			delete(s.owner, key)
		}
	}
	for key, v := range data {
		text, err := base64.StdEncoding.DecodeString(fmt.Sprint(v))
		if err != nil {
			a.status(w, http.StatusBadRequest, "illegal base64 data")
			return
		}
		s.data[key], s.owner[key] = string(text), manager
	}
	s.meta, _ = a.last["metadata"].(map[string]any)
	s.kind, a.secrets[name] = a.last["type"], s
	a.show(w, name)
}

func (a *apiServer) show(w http.ResponseWriter, name string) {
	s := a.secrets[name]
	data := map[string]string{}
	for key, v := range s.data {
		data[key] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	var managers []any
	for _, m := range slices.Compact(slices.Sorted(maps.Values(s.owner))) {
		managers = append(managers, map[string]any{"manager": m, "operation": "Apply"})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": "Secret", "type": s.kind, "data": data,
		"metadata": map[string]any{"name": name, "namespace": "ci", "uid": "uid-1", "resourceVersion": "7", "managedFields": managers}})
}

func (a *apiServer) ca() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw}))
}

// k8sToken has the form of a service account's.
const k8sToken = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvYXV0aGN0bCJ9.c2ln"

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// kubeconfigOf is what kubectl would write, for a server and a user.
func kubeconfigOf(server, ca, user string) string {
	return `apiVersion: v1
kind: Config
preferences: {}
current-context: prod
clusters:
- cluster:
    certificate-authority-data: ` + b64(ca) + `
    server: ` + server + `
  name: prod-cluster
- name: elsewhere
  cluster: {server: "https://elsewhere.invalid:6443"}
contexts:
- context:
    cluster: prod-cluster
    namespace: ignored
    user: bot
  name: prod
- {name: other, context: {cluster: elsewhere, user: bot}}
users:
- name: bot
  user:
    ` + user + "\n"
}

// files is an Env that has these files and variables.
func files(t *testing.T, env map[string]string, files map[string]string) sink.Env {
	t.Helper()
	out := web(t)
	out.LookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	out.ReadFile = func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
	return out
}

func TestKubernetesAppliesASecret(t *testing.T) {
	a := newAPIServer(t)
	env := files(t, nil, map[string]string{"k/config": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)})
	block := func(more string) sink.Target {
		return targetOf(t, "kubernetes", "namespace = \"ci\"\n name = \"app.tokens\"\n kubeconfig = \"k/config\"\n"+more)
	}
	to := block("context = \"prod\"\n type = \"example.com/token\"\n labels = { team = \"blue\" }\n annotations = { \"example.com/by\" = \"oauthctl\" }")
	if place := to.Place(); place != "the Secret ci/app.tokens in the context prod of k/config" || !slices.Equal(to.Hosts(env), []string{a.Listener.Addr().String()}) || to.Hosts(sink.Env{}) != nil {
		t.Errorf("place %q, hosts %v", place, to.Hosts(env))
	}
	if err := to.Publish(t.Context(), env, values("A", awkward, "tls.key", "b")); err != nil {
		t.Fatal(err)
	}
	s := a.secrets["app.tokens"]
	if d := cmp.Diff(map[string]string{"A": awkward, "tls.key": "b"}, s.data); d != "" || s.kind != "example.com/token" {
		t.Error(d, s.kind)
	}
	want := map[string]any{"name": "app.tokens", "namespace": "ci", "labels": map[string]any{"team": "blue"}, "annotations": map[string]any{"example.com/by": "oauthctl"}}
	if d := cmp.Diff(want, s.meta); d != "" || a.last["kind"] != "Secret" || a.last["apiVersion"] != "v1" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"PATCH /api/v1/namespaces/ci/secrets/app.tokens?fieldManager=oauthctl&force=false"}, a.asked()); d != "" {
		t.Error(d)
	}
	// What others own stays, and what is not published any more goes.
	s.data["theirs"], s.owner["theirs"] = "x", "helm"
	if err := errors.Join(to.Publish(t.Context(), env, values("A", "second")), to.Remove(t.Context(), env, []string{"tls.key"})); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"A": "second", "theirs": "x"}, s.data); d != "" || methods(a.asked()) != "PATCH GET" {
		t.Error(d)
	}
	var e *sink.Error
	if err := block("").Publish(t.Context(), env, values("theirs", "canary")); !errors.As(err, &e) || e.Kind != sink.Config || e.Status != 409 || !strings.Contains(e.Remedy, "force = true") || s.data["theirs"] != "x" {
		t.Errorf("%#v", e)
	}
	if err := block("force = true\n field_manager = \"other-one\"").Publish(t.Context(), env, nil); err != nil || len(a.secrets) != 1 {
		t.Error("nothing to publish is no request")
	}
	if err := block("force = true\n field_manager = \"ours\"").Publish(t.Context(), env, values("theirs", "taken")); err != nil || s.data["theirs"] != "taken" || s.owner["theirs"] != "ours" {
		t.Error(err, s.data)
	}
}

// To remove is to take away the keys, and the Secret too if there is nothing else
// in it and nobody else has anything to do with it.
func TestKubernetesRemoves(t *testing.T) {
	for name, c := range map[string]struct {
		owner map[string]string
		left  map[string]string // nil: the Secret is gone
		asked string
	}{
		"only ours":         {map[string]string{"A": "oauthctl", "B": "oauthctl"}, nil, "GET DELETE"},
		"others' as well":   {map[string]string{"A": "oauthctl", "theirs": "helm"}, map[string]string{"theirs": "x"}, "GET PATCH"},
		"taken over":        {map[string]string{"A": "helm", "B": "oauthctl"}, map[string]string{}, "GET PATCH"},
		"nothing that ours": {map[string]string{"theirs": "helm"}, map[string]string{"theirs": "x"}, "GET"},
		"not there":         {nil, nil, "GET"},
	} {
		a := newAPIServer(t)
		if c.owner != nil {
			s := &kubeSecret{data: map[string]string{}, owner: c.owner}
			for key := range c.owner {
				s.data[key] = "x"
			}
			a.secrets["app"] = s
		}
		env := files(t, nil, map[string]string{"k.yaml": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)})
		if err := targetOf(t, "kubernetes", httpKinds("")["kubernetes"]).Remove(t.Context(), env, []string{"A", "B", "GONE_ALREADY"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var left map[string]string
		if s := a.secrets["app"]; s != nil {
			left = s.data
		}
		if d := cmp.Diff(c.left, left); d != "" || methods(a.asked()) != c.asked {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// clientPair is a certificate of a user and its key.
func clientPair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// Every way to be somebody: tokens and certificates, inside and in files, from the
// places where kubectl looks, and in a pod.
func TestKubernetesCredentials(t *testing.T) {
	a := newAPIServer(t)
	cert, key := clientPair(t)
	const name = "namespace = \"ci\"\n name = \"app\"\n"
	u, _ := url.Parse(a.URL)
	for what, c := range map[string]struct {
		settings string
		env      map[string]string
		files    map[string]string
	}{
		"a token file beside it": {name + `kubeconfig = "dir/k"`, nil, map[string]string{"dir/k": kubeconfigOf(a.URL, a.ca(), "tokenFile: t"), "dir/t": k8sToken + "\n"}},
		"a fresh file wins":      {name + `kubeconfig = "k"`, nil, map[string]string{"k": kubeconfigOf(a.URL, a.ca(), "{token: old, tokenFile: /t}"), "/t": k8sToken}},
		"a certificate":          {name + `kubeconfig = "k"`, nil, map[string]string{"k": kubeconfigOf(a.URL, a.ca(), "{client-certificate-data: "+b64(cert)+", client-key-data: "+b64(key)+"}")}},
		"certificate files":      {name + `kubeconfig = "/d/k"`, nil, map[string]string{"/d/k": kubeconfigOf(a.URL, a.ca(), "{client-certificate: c.pem, client-key: /k.pem}"), "/d/c.pem": cert, "/k.pem": key}},
		"JSON":                   {name + `kubeconfig = "k"`, nil, map[string]string{"k": `{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"b","user":"c"}}],"clusters":[{"name":"b","cluster":{"server":"` + a.URL + `","certificate-authority":"ca"}}],"users":[{"name":"c","user":{"token":"` + k8sToken + `"}}]}`, "ca": a.ca()}},
		"KUBECONFIG":             {name, map[string]string{"KUBECONFIG": "/etc/k", "HOME": "/home/a"}, map[string]string{"/etc/k": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)}},
		"the home directory":     {name, map[string]string{"HOME": "/home/a"}, map[string]string{"/home/a/.kube/config": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)}},
		"that of Windows":        {name, map[string]string{"USERPROFILE": "/users/a"}, map[string]string{"/users/a/.kube/config": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)}},
		"a pod": {name + "in_cluster = true", map[string]string{"KUBERNETES_SERVICE_HOST": u.Hostname(), "KUBERNETES_SERVICE_PORT": u.Port(), "KUBECONFIG": "/etc/k"},
			map[string]string{"/var/run/secrets/kubernetes.io/serviceaccount/token": k8sToken + "\n", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt": a.ca()}},
		"another name of the server": {name + `kubeconfig = "k"`, nil, map[string]string{"k": strings.Replace(kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken), "    server:", "    tls-server-name: example.com\n    server:", 1)}},
	} {
		to, env := targetOf(t, "kubernetes", c.settings), files(t, c.env, c.files)
		if hosts := to.Hosts(env); !slices.Equal(hosts, []string{u.Host}) {
			t.Errorf("%s: hosts %v", what, hosts)
		}
		if err := to.Publish(t.Context(), env, values("A", what)); err != nil || a.secrets["app"].data["A"] != what {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A server that the kubeconfig does not vouch for gets nothing, not even the token.
func TestKubernetesServersOfOtherAuthorities(t *testing.T) {
	a := newAPIServer(t)
	config := kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)
	other, _ := clientPair(t)
	for what, text := range map[string]string{
		"the system's authorities": strings.Replace(config, "certificate-authority-data: "+b64(a.ca()), "extensions: []", 1),
		"another authority":        kubeconfigOf(a.URL, other, "token: "+k8sToken),
		"another name":             strings.Replace(config, "    server:", "    tls-server-name: other.example\n    server:", 1),
	} {
		var e *sink.Error
		err := targetOf(t, "kubernetes", httpKinds("")["kubernetes"]).Publish(t.Context(), files(t, nil, map[string]string{"k.yaml": text}), values("A", "canary"))
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "certificate") || len(a.asked()) > 0 {
			t.Errorf("%s: %#v", what, e)
		}
	}
}

func TestKubernetesFailuresAreExplained(t *testing.T) {
	for code, want := range map[int]string{401: "renew those of the kubeconfig", 403: "the verbs get, create, patch and delete on secrets in the namespace ci", 404: "kubectl create namespace ci",
		409: "force = true", 415: "older than Kubernetes 1.22", 422: "remove it first"} {
		a := newAPIServer(t)
		a.answer = func(w http.ResponseWriter, _ *http.Request) { a.status(w, code, "said so") }
		env := files(t, nil, map[string]string{"k.yaml": kubeconfigOf(a.URL, a.ca(), "token: "+k8sToken)})
		var e *sink.Error
		err := targetOf(t, "kubernetes", httpKinds("")["kubernetes"]).Publish(t.Context(), env, values("A", "canary"))
		if !errors.As(err, &e) || e.Kind != sink.Config || e.Detail != "said so" || !strings.Contains(e.Remedy, want) || !strings.Contains(e.Doing, "write the Secret ci/app at "+a.URL) || len(e.Written) != 1 {
			t.Errorf("%d: %#v", code, e)
		}
	}
}

func TestKubernetesRefuses(t *testing.T) {
	const rest = "\n secrets = {}"
	refused(t, "kubernetes", map[string]string{
		"name = \"a\"" + rest:                                                              `The argument "namespace" is required`,
		"namespace = \"a\"" + rest:                                                         `The argument "name" is required`,
		"namespace = \"a.b\"\n name = \"a\"" + rest:                                        `not "a.b"`,
		"namespace = \"a\"\n name = \"a/../b\"" + rest:                                     `not "a/../b"`,
		"namespace = \"a\"\n name = \"A\"" + rest:                                          `small letters`,
		"namespace = \"a\"\n name = \"a\"\n in_cluster = true\n context = \"x\"" + rest:    `neither "kubeconfig" nor "context" counts`,
		"namespace = \"a\"\n name = \"a\"\n type = \"\"" + rest:                            `such as "Opaque"`,
		"namespace = \"a\"\n name = \"a\"\n field_manager = \"a b\"" + rest:                `128 printable characters`,
		"namespace = \"a\"\n name = \"a\"\n labels = { a = sensitive(env(\"A\")) }" + rest: `nothing in them may be sensitive`,
		"namespace = \"a\"\n name = \"a\"\n secrets = { \"a b\" = \"x\" }":                 `"a b" cannot be a key of a Secret`,
		"namespace = \"a\"\n name = \"a\"\n secrets = { \"..a\" = \"x\" }":                 `"..a" cannot be a key of a Secret`,
	})
}

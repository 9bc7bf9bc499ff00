package sink_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine/sink"
)

// What a kubeconfig cannot be used for is said before anything is sent, and with
// nothing of what is in it.
func TestKubeconfigsThatCannotBeUsed(t *testing.T) {
	good := kubeconfigOf("https://api.example:6443", "", "token: canary")
	good = strings.Replace(good, "    certificate-authority-data: \n", "", 1)
	with := func(user string) string { return strings.Replace(good, "token: canary", user, 1) }
	cluster := func(line string) string {
		return strings.Replace(good, "    server:", "    "+line+"\n    server:", 1)
	}
	cert, _ := clientPair(t)
	_, key := clientPair(t)
	for what, c := range map[string]struct{ text, settings, want string }{
		"not YAML":             {"token: 'canary\n", "", "it is not a kubeconfig"},
		"a list":               {"- canary\n", "", "it is not a kubeconfig: see line 1"},
		"an odd member":        {"users:\n  canary: 1\n", "", "it is not a kubeconfig: see line"},
		"empty":                {"", "", "it has no current context"},
		"deep":                 {strings.Repeat("[", 100_000), "", "nested more deeply"},
		"deep in lines":        {strings.Repeat("- ", 10_000) + "canary", "", "nested more deeply"},
		"large":                {"#" + strings.Repeat("x", 300<<10), "", "larger than 256 KiB"},
		"no such context":      {good, `context = "prodd"`, `it has no context "prodd", only: prod, other`},
		"a cluster of nowhere": {strings.Replace(good, "cluster: prod-cluster", "cluster: gone", 1), "", "names a cluster or a user that it does not have"},
		"a user of nowhere":    {strings.ReplaceAll(good, "user: bot", "user: gone"), "", "names a cluster or a user that it does not have"},
		"plain http":           {strings.Replace(good, "https://api", "http://api", 1), "", "is not an https address"},
		"no server":            {strings.Replace(good, "https://api.example:6443", "''", 1), "", "is not an https address"},
		"no verification":      {cluster("insecure-skip-tls-verify: true"), "", "insecure-skip-tls-verify"},
		"a proxy":              {cluster("proxy-url: http://canary:canary@proxy"), "", "set HTTPS_PROXY"},
		"an odd authority":     {cluster("certificate-authority-data: canary!"), "", "certificate-authority-data is not base64"},
		"no authority":         {cluster("certificate-authority-data: Y2FuYXJ5"), "", "there is no certificate"},
		"a missing authority":  {cluster("certificate-authority: gone.pem"), "", "read the certificate-authority gone.pem: file does not exist"},
		"a program":            {with("exec: {command: canary, apiVersion: client.authentication.k8s.io/v1}"), "", "must not be able to run one"},
		"a provider":           {with("auth-provider: {name: gcp}"), "", "must not be able to run one"},
		"somebody else":        {with("{token: canary, as: admin}"), "", "acts as another one"},
		"nobody":               {with("{username: a, password: canary}"), "", "neither a token nor a client certificate"},
		"a missing token file": {with("tokenFile: gone"), "", "read the tokenFile gone: file does not exist"},
		"an empty token file":  {with("tokenFile: empty"), "", "there is no JWT in the tokenFile empty"},
		"any other file":       {with("tokenFile: id_rsa"), "", "there is no JWT in the tokenFile id_rsa"},
		"half a pair":          {with("client-certificate-data: " + b64(cert)), "", "do not fit together"},
		"another's key":        {with("{client-certificate-data: " + b64(cert) + ", client-key-data: " + b64(key) + "}"), "", "do not fit together"},
		"several files":        {good, "-", "several files"},
	} {
		settings := "namespace = \"ci\"\n name = \"app\"\n" + c.settings
		vars := map[string]string{}
		if c.settings == "-" {
			settings, vars["KUBECONFIG"] = "namespace = \"ci\"\n name = \"app\"", "/a:/b"
		} else {
			settings += "\n kubeconfig = \"k.yaml\""
		}
		env := files(t, vars, map[string]string{"k.yaml": c.text, "empty": " \n", "id_rsa": "canary"})
		env.Client = nil // there is no request
		err := targetOf(t, "kubernetes", settings).Publish(t.Context(), env, values("A", "canary"))
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(err.Error(), c.want) || len(e.Written) > 0 {
			t.Errorf("%s: %v", what, err)
		} else if all := err.Error() + e.Remedy; strings.Contains(all, "canary") || strings.Contains(all, "k.yaml: open") || len(all) > 600 {
			t.Errorf("%s shows %q", what, all)
		}
	}
	for what, c := range map[string]struct {
		settings string
		vars     map[string]string
		want     string
	}{
		"no file":       {`kubeconfig = "gone"`, nil, "read the kubeconfig gone: file does not exist"},
		"no home":       {"", nil, "there is no KUBECONFIG, and no home directory"},
		"relative":      {"", map[string]string{"KUBECONFIG": "k.yaml"}, "write it as an absolute one"},
		"no pod":        {"in_cluster = true", nil, "this is not a pod"},
		"half of a pod": {"in_cluster = true", map[string]string{"KUBERNETES_SERVICE_HOST": "::1", "KUBERNETES_SERVICE_PORT": "443"}, "file does not exist"},
	} {
		err := targetOf(t, "kubernetes", "namespace = \"ci\"\n name = \"app\"\n"+c.settings).Remove(t.Context(), files(t, c.vars, nil), []string{"A"})
		var e *sink.Error
		if !errors.As(err, &e) || e.Kind != sink.Config || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever is in a kubeconfig, the program goes on.
func FuzzKubeconfig(f *testing.F) {
	for _, seed := range []string{kubeconfigOf("https://api.example", "x", "token: t"), string(plainKubeconfig("https://api.example")), "a: &a [*a]", "a: *b", "? [", "{", "- - -\n  -", "users: [{user: {exec: {}}}]", "%YAML 1.2\n---\n...", "\x00", "<<: {a: b}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sink.ParseKubeconfig(text, func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	})
}

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A server that we did not write authenticates the clients of grants that
// present a token, recognises its own tokens, and verifies assertions. A renewal
// goes down the chain, from the state alone.
func TestGrantsThatPresentAToken(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	public, private := signer(t, key, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SIGNER_JWKS", string(set))
	op := startProvider(t)
	u := newUser(t, fmt.Sprintf(`
provider "op" { issuer = %q }
connection "gateway" {
  provider      = "op"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  client_auth   = "client_secret_post"
  grant "client_credentials" {}
}
connection "orders" {
  provider      = "op"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  client_auth   = "client_secret_post"
  scopes        = ["files:read"]
  grant "token_exchange" {
    subject_token = connection.gateway.access_token
    audience      = ["a", "b"]
  }
}
connection "robot" {
  provider  = "op"
  client_id = "signer"
  scopes    = ["files:read"]
  client_assertion { private_key = env("SIGNER_KEY") }
  grant "jwt_bearer" {
    private_key = env("SIGNER_KEY")
    subject     = "robot"
  }
}
`, op.issuer))
	u.env = append(u.env, "SIGNER_KEY="+private, "WORKER_SECRET=e2e-canary-worker-secret", "CI=true")
	u.ok("apply", "-auto-approve")
	u.run("plan", "-detailed-exitcode").want(t, 0)
	u.env = u.env[:len(u.env)-3] // renewals have what the state has
	for _, name := range []string{"orders", "robot"} {
		first := u.ok("token", name).stdout
		if second := u.ok("token", "-force-refresh", name).stdout; first == second {
			t.Errorf("%s: -force-refresh printed the same token", name)
		}
	}
	gateway := strings.TrimSpace(u.ok("token", "-force-refresh", "gateway").stdout)
	u.ok("token", "-force-refresh", "orders")
	s := op.stats()
	if n := len(s.Presented); n != 3 || s.Presented[n-1] != gateway {
		t.Errorf("%d tokens were presented, or not the newest last", n)
	}
	for grant, want := range map[string]int{"client_credentials": 2, "urn:ietf:params:oauth:grant-type:token-exchange": 3, "urn:ietf:params:oauth:grant-type:jwt-bearer": 2} {
		if s.Token[grant] != want {
			t.Errorf("%s: %d tokens, want %d", grant, s.Token[grant], want)
		}
	}
	if len(s.Errors) != 0 {
		t.Errorf("the server refused: %v", s.Errors)
	}
	noKeyOnDisk(t, u, private)
}

// A job of GitHub Actions, by a service as its runner offers it: every token
// request has an ID token of its own, and nothing of it is left on the disk.
func TestJobOfGitHubActions(t *testing.T) {
	var mu sync.Mutex
	var asked, sent []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /idtoken", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Header.Get("Authorization")+" "+r.URL.Query().Get("audience"))
		claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iss":"https://token.actions.githubusercontent.com","n":%d}`, len(asked)))
		_, _ = fmt.Fprintf(w, `{"count":1,"value":"e30.%s.c2ln"}`, claims)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, r.PostFormValue("client_assertion"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"at-%d","token_type":"Bearer","expires_in":3600}`, len(sent))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	u := newUser(t, fmt.Sprintf(`
provider "trusting" {
  token_endpoint = "%s/token"
  client_auth    = ["federated"]
}
connection "deploy" {
  provider  = "trusting"
  client_id = "deploy"
  client_assertion {
    github_actions = true
    audience       = "https://trusting.example"
  }
  grant "client_credentials" {}
}
`, srv.URL))
	r := u.run("apply", "-auto-approve")
	r.want(t, 1)
	contains(t, r.stdout+r.stderr, "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token")
	u.env = append(u.env, "CI=true", "ACTIONS_ID_TOKEN_REQUEST_URL="+srv.URL+"/idtoken?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=e2e-canary-bearer")
	u.ok("apply", "-auto-approve")
	u.ok("token", "deploy")
	u.ok("token", "-force-refresh", "deploy")
	const ask = "Bearer e2e-canary-bearer https://trusting.example"
	if len(asked) != 2 || asked[0] != ask || asked[1] != ask {
		t.Errorf("asked %q", asked)
	}
	if len(sent) != 2 || sent[0] == sent[1] || sent[0] == "" {
		t.Errorf("%d assertions, each of its own: %v", len(sent), len(sent) == 2 && sent[0] != sent[1])
	}
	noKeyOnDisk(t, u, "\ne2e-canary-bearer\n", "\n"+sent[0]+"\n")
}

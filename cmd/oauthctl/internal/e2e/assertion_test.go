package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// signer is a key pair: the server gets the public half.
func signer(t *testing.T, key crypto.Signer, err error) (public jose.JSONWebKey, private string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key.Public(), Use: "sig"}, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A server that we did not write verifies what clients sign with each kind of
// key: client credentials, a code with its refreshes, a revocation.
func TestAssertion(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	rsaPublic, rsaPrivate := signer(t, rsaKey, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ecPublic, ecPrivate := signer(t, ecKey, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	edPublic, edPrivate := signer(t, edKey, err)
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	_, strangePrivate := signer(t, strange, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{rsaPublic, ecPublic, edPublic}})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SIGNER_JWKS", string(set))
	op := startProvider(t)

	for name, tc := range map[string]struct{ private, block string }{
		"PS256": {rsaPrivate, ""}, "RS256": {rsaPrivate, `algorithm = "RS256"`},
		"ES256": {ecPrivate, ""}, "EdDSA": {edPrivate, ""},
		"audience": {ecPrivate, fmt.Sprintf("audience = %q", op.issuer)},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, signerConfig(op.issuer, "worker", tc.block, `grant "client_credentials" {}`))
			u.env = append(u.env, "SIGNER_KEY="+tc.private, "CI=true")
			before := op.stats().Token["client_credentials"]
			u.ok("apply", "-auto-approve")
			first := u.ok("token", "worker").stdout
			if second := u.ok("token", "-force-refresh", "worker").stdout; first == second {
				t.Error("-force-refresh printed the same token")
			}
			if n := op.stats().Token["client_credentials"] - before; n != 2 {
				t.Errorf("the server granted %d tokens, want 2", n)
			}
		})
	}

	t.Run("code and refresh", func(t *testing.T) {
		u := newUser(t, signerConfig(op.issuer, "alice", "", `
  scopes        = ["openid", "email", "offline_access"]
  redirect_uris = ["http://127.0.0.1/callback"]
  account       = "alice@example.com"
  grant "authorization_code" { prompt = "consent" }`))
		u.env = append(u.env, "SIGNER_KEY="+rsaPrivate)
		applyAs(t, u, "alice").want(t, 0)
		u.env = u.env[:len(u.env)-1] // a refresh signs with what the state has
		token := ""
		for range 2 {
			next := strings.TrimSpace(u.ok("token", "-force-refresh", "alice").stdout)
			if next == token || op.userinfo(next) != 200 {
				t.Error("-force-refresh did not give a new, valid token")
			}
			token = next
		}
		u.env = append(u.env, "SIGNER_KEY="+ecPrivate)
		plan := u.run("plan", "-detailed-exitcode")
		plan.want(t, 2)
		contains(t, plan.stdout, "1 to refresh", "No person is needed", "client_assertion.private_key")
		u.ok("apply", "-auto-approve")
		u.run("plan", "-detailed-exitcode").want(t, 0)
		token = strings.TrimSpace(u.ok("token", "alice").stdout)
		u.ok("destroy", "-auto-approve")
		if code := op.userinfo(token); code != 401 {
			t.Errorf("after destroy the server answers %d to the token, want 401", code)
		}
		noKeyOnDisk(t, u, rsaPrivate, ecPrivate)
	})
	if s := op.stats(); len(s.Errors) != 0 {
		t.Errorf("the server refused: %v", s.Errors)
	}

	t.Run("a key that the server does not know", func(t *testing.T) {
		u := newUser(t, signerConfig(op.issuer, "worker", "", `grant "client_credentials" {}`))
		u.env = append(u.env, "SIGNER_KEY="+strangePrivate, "CI=true")
		r := u.run("apply", "-auto-approve")
		r.want(t, 1)
		contains(t, r.stdout+r.stderr, "invalid_client", "client_assertion", "registration")
	})
}

func signerConfig(issuer, name, block, body string) string {
	return fmt.Sprintf(`
provider "op" {
  issuer = %q
}
connection %q {
  provider  = "op"
  client_id = "signer"
  client_assertion {
    private_key = env("SIGNER_KEY")
    %s
  }
  %s
}
`, issuer, name, block, body)
}

// noKeyOnDisk looks for the keys in every file that is left.
func noKeyOnDisk(t *testing.T, u *user, keys ...string) {
	t.Helper()
	for _, dir := range []string{u.home, u.dir} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			for _, key := range keys {
				if strings.Contains(string(text), strings.Split(key, "\n")[1]) {
					t.Errorf("%s holds a private key", path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

const signedAcme = `
provider "acme" {
  authorization_endpoint = "SERVER/authorize"
  token_endpoint         = "SERVER/token"
  revocation_endpoint    = "SERVER/revoke"
  client_auth            = ["private_key_jwt", "federated"]
  rotation { kind = "single_use" }
}
connection "graph" {
  provider  = "acme"
  client_id = "app"
  client_assertion { SOURCE }
}
`

// signed is a configuration whose client authenticates with a key.
func (k *kit) signed(source, key string) *schema.Config {
	k.t.Helper()
	dir := k.t.TempDir()
	text := strings.NewReplacer("SERVER", k.server.URL, "SOURCE", source).Replace(signedAcme)
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	cfg, diags := schema.Load(k.ctx, schema.Source{Dir: dir, LookupEnv: func(string) (string, bool) { return key, true }})
	if diags.HasErrors() {
		k.t.Fatal(diags)
	}
	return cfg
}

// newKey is a P-256 key in PEM.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A rotated key needs nobody: a refresh proves that the server knows it, and
// one that it does not know is not kept.
func TestRotatedKeyIsProvenByARefresh(t *testing.T) {
	const source = `private_key = env("KEY")`
	k := newKit(t)
	old, next := newKey(t), newKey(t)
	if r := result(t, k.apply(k.signed(source, old), plan.Options{}), "graph"); r.State != engine.Done {
		t.Fatal(r.Err)
	}
	rec := k.record(graph)
	if rec.Tokens.ClientKey.Reveal() != old || rec.Info.Client.Auth != "private_key_jwt" {
		t.Fatal("the key is not in the state")
	}
	if p := k.plan(k.signed(source, old+"\n# the same key, written otherwise\n"), plan.Options{}); !p.Empty() {
		t.Errorf("the same key is no change: %+v", p.Changes)
	}
	cfg := k.signed(source, next)
	c := k.plan(cfg, plan.Options{}).Changes[0]
	if c.Action != plan.Refresh || c.NeedsUser || c.Replaces {
		t.Errorf("%s, needs a person: %v", c.Action, c.NeedsUser)
	}
	k.server.setFault(func(w http.ResponseWriter, _ *http.Request, _ url.Values) bool {
		oauthError(w, http.StatusUnauthorized, "invalid_client")
		return true
	})
	if r := result(t, k.apply(cfg, plan.Options{}), "graph"); r.State != engine.Failed {
		t.Fatal(r.State)
	}
	if rec := k.record(graph); rec.Tokens.ClientKey.Reveal() != old || rec.Info.Intent != nil {
		t.Error("a key that the server does not know was kept")
	}
	k.server.setFault(nil)
	if r := result(t, k.apply(cfg, plan.Options{}), "graph"); r.State != engine.Done {
		t.Fatal(r.Err)
	}
	if rec := k.record(graph); rec.Tokens.ClientKey.Reveal() != next {
		t.Error("the new key was not kept")
	}
	// A refresh long after, without the configuration, signs with the new one.
	k.token(graph, engine.TokenOptions{ForceRefresh: true})
	if rec := k.record(graph); rec.Tokens.ClientKey.Reveal() != next {
		t.Error("a refresh loses the key")
	}
}

// A token of the platform that cannot be read leaves the refresh token unsent,
// and the connection as it was.
func TestUnreadableTokenSpendsNothing(t *testing.T) {
	k := newKit(t)
	k.options.ReadFile = func(string) ([]byte, error) { return []byte("aa.e30.aa"), nil }
	k.engine = engine.New(k.options)
	if r := result(t, k.apply(k.signed(`token_file = "/run/token"`, ""), plan.Options{}), "graph"); r.State != engine.Done {
		t.Fatal(r.Err)
	}
	before := k.record(graph)
	k.server.journal.take()
	k.options.ReadFile = func(name string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	k.engine = engine.New(k.options)
	_, err := k.engine.Token(k.ctx, graph, engine.TokenOptions{ForceRefresh: true})
	if err == nil || !strings.Contains(err.Error(), "/run/token") {
		t.Fatalf("%v", err)
	}
	if did := k.server.journal.take(); count(did, "token") > 0 {
		t.Errorf("did %v", did)
	}
	after := k.record(graph)
	if after.Status != state.StatusOK || after.Info.Intent != nil || !after.Tokens.RefreshToken.Equal(before.Tokens.RefreshToken) {
		t.Errorf("status %s, intent %v", after.Status, after.Info.Intent)
	}
}

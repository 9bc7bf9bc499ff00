package grant_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oauthctl/oauthctl/engine/grant"
	"github.com/oauthctl/oauthctl/engine/grant/granttest"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema/secret"
)

// The thumbprints are of the certificate's DER (RFC 7515 §4.1.7, §4.1.8),
// wherever the certificate stands.
func TestCertificates(t *testing.T) {
	w := newWorld(t)
	now := w.clock.Now()
	text, der := certOf(t, "rsa", now.Add(-time.Hour), now.Add(90*24*time.Hour))
	foreign, _ := certOf(t, "other", now.Add(-time.Hour), now.Add(time.Hour))
	s256, s1 := sha256.Sum256(der), sha1.Sum(der)
	b64 := base64.RawURLEncoding.EncodeToString
	key := keyPEM(t, "rsa")
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(testKeys()["rsa"].(*rsa.PrivateKey)))
	for name, tc := range map[string]struct {
		key, cert, block string
		header           map[string]any
	}{
		"its own argument":     {key, text, `certificate = env("CERT")`, map[string]any{"x5t#S256": b64(s256[:])}},
		"among others":         {key, foreign + text, `certificate = env("CERT")`, map[string]any{"x5t#S256": b64(s256[:])}},
		"beside the key":       {key + text, "", ``, map[string]any{"x5t#S256": b64(s256[:])}},
		"before the key":       {foreign + text + pkcs1, "", ``, map[string]any{"x5t#S256": b64(s256[:])}},
		"SHA-1 too":            {key + text, "", `sha1_thumbprint = true`, map[string]any{"x5t#S256": b64(s256[:]), "x5t": b64(s1[:])}},
		"line breaks as \\n":   {strings.ReplaceAll(key+text, "\n", `\n`), "", ``, map[string]any{"x5t#S256": b64(s256[:])}},
		"none, and none asked": {key, "", ``, map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustAssert(t, w.preset(), map[string]string{"KEY": tc.key, "CERT": tc.cert}, `grant "client_credentials" {}`, "private_key = env(\"KEY\")\n"+tc.block)
			before := len(w.srv.Calls("/token"))
			if _, err := c.Authorize(context.Background(), w.env()); err != nil {
				t.Fatal(err)
			}
			tc.header["alg"], tc.header["typ"] = "PS256", "JWT"
			if diff := cmp.Diff(tc.header, open(t, w.srv.Calls("/token")[before].Form, testKeys()["rsa"].Public()).Header); diff != "" {
				t.Errorf("header (-want +have):\n%s", diff)
			}
		})
	}
}

// What is wrong with key and certificate is said where it is written, and
// nothing of the key is repeated.
func TestAssertionMistakes(t *testing.T) {
	now := granttest.NewClock().Now()
	foreign, _ := certOf(t, "other", now, now.Add(time.Hour))
	entra := providers.Preset{Title: "Entra", Assertion: providers.AssertionRules{Certificate: true, Algorithms: []string{"PS256", "RS256"}}}
	encrypted := block("ENCRYPTED PRIVATE KEY", []byte("canary"))
	ecparams := block("EC PARAMETERS", []byte("canary"))
	const credentials, key = `grant "client_credentials" {}`, `private_key = env("KEY")`
	for name, tc := range map[string]struct {
		pem, body, block string
		preset           providers.Preset
		line             int // the block starts at 6, its body follows
		words            []string
	}{
		"no PEM":                  {"canary", credentials, key, providers.Preset{}, 6, []string{"BEGIN PRIVATE KEY"}},
		"no key":                  {ecparams, credentials, key, providers.Preset{}, 6, []string{"no private key"}},
		"damaged":                 {block("PRIVATE KEY", []byte("canary")), credentials, key, providers.Preset{}, 6, []string{"damaged"}},
		"password":                {encrypted, credentials, key, providers.Preset{}, 6, []string{"password", "openssl pkey"}},
		"too small":               {keyPEM(t, "weak"), credentials, key, providers.Preset{}, 6, []string{"1024 bits", "2048"}},
		"curve":                   {keyPEM(t, "p224"), credentials, key, providers.Preset{}, 6, []string{"P-256"}},
		"algorithm of another":    {keyPEM(t, "p256"), credentials, key + "\nalgorithm = \"PS256\"", providers.Preset{}, 7, []string{"P-256", "ES256", "PS256"}},
		"algorithm not taken":     {keyPEM(t, "rsa"), credentials, key + "\nalgorithm = \"PS512\"", entra, 7, []string{"Entra", "PS256 and RS256", "PS512"}},
		"key not taken":           {keyPEM(t, "ed25519"), credentials, key, entra, 6, []string{"Entra", "Ed25519", "PS256"}},
		"certificate missing":     {keyPEM(t, "rsa"), credentials, key, entra, 6, []string{"thumbprint", "certificate = file("}},
		"certificate of another":  {keyPEM(t, "rsa"), credentials, key + "\ncertificate = env(\"CERT\")", providers.Preset{}, 7, []string{"another key"}},
		"certificate damaged":     {keyPEM(t, "rsa"), credentials, key + "\ncertificate = \"x\"", providers.Preset{}, 7, []string{"BEGIN CERTIFICATE"}},
		"named otherwise":         {keyPEM(t, "rsa"), credentials + "\nclient_auth = \"client_secret_post\"", key, providers.Preset{}, 5, []string{"private_key_jwt", "Remove client_auth"}},
		"not the provider's":      {keyPEM(t, "rsa"), credentials, key, providers.Preset{Title: "Acme", ClientAuth: []string{"client_secret_post"}}, 5, []string{"Acme accepts client_secret_post, not private_key_jwt"}},
		"federated, not accepted": {"", credentials, `token_env = "T"`, providers.Preset{Title: "Acme", ClientAuth: []string{"private_key_jwt"}}, 5, []string{"federated"}},
		"reserved parameter":      {keyPEM(t, "rsa"), credentials + "\ntoken_params = { client_assertion = env(\"KEY\") }", key, providers.Preset{}, 5, []string{"client_assertion", "Use"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.preset.Name = "acme"
			_, diags := assertionClient(t, &tc.preset, map[string]string{"KEY": tc.pem, "CERT": foreign}, tc.body, tc.block)
			if len(diags) != 1 || !diags.HasErrors() {
				t.Fatalf("want one error, have %v", diags)
			}
			d := diags[0]
			if d.Subject == nil || d.Subject.Start.Line != tc.line {
				t.Errorf("at %v, want line %d", d.Subject, tc.line)
			}
			text := d.Summary + ": " + d.Detail
			for _, word := range tc.words {
				if !strings.Contains(text, word) {
					t.Errorf("does not say %q: %s", word, text)
				}
			}
			for line := range strings.Lines(tc.pem) {
				if line = strings.TrimSpace(line); len(line) > 8 && !strings.HasPrefix(line, "-----") && strings.Contains(text, line) {
					t.Errorf("repeats the key: %s", text)
				}
			}
		})
	}
}

// A certificate that has ended signs nothing: not now, and not from the state
// later. A plan says so before.
func TestCertificateEnds(t *testing.T) {
	w := newWorld(t)
	ends := w.clock.Now().Add(20 * 24 * time.Hour)
	cert, _ := certOf(t, "rsa", w.clock.Now(), ends)
	c := mustAssert(t, w.preset(), map[string]string{"KEY": keyPEM(t, "rsa") + cert}, `grant "client_credentials" {}`, `private_key = env("KEY")`)
	g, err := c.Authorize(context.Background(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	for days, words := range map[int]string{0: "", 7: "ends soon", 30: "has ended", -1: "not valid yet"} {
		diags := c.Expiring(w.clock.Now().Add(time.Duration(days) * 24 * time.Hour))
		if (words == "") != (len(diags) == 0) || diags.HasErrors() || words != "" && !strings.Contains(diags[0].Summary, words) {
			t.Errorf("after %d days: %v, want %q", days, diags, words)
		}
	}
	rec := record(c, g)
	rec.Tokens.ClientKey = c.Key()
	_ = w.clock.Sleep(t.Context(), 21*24*time.Hour)
	before := len(w.srv.Calls("/token"))
	_, err = grant.Refresh(context.Background(), w.env(), rec, nil)
	e := wantError(t, err, grant.Config, "certificate ended on "+ends.UTC().Format("2006-01-02"), "register a new certificate", "oauthctl apply")
	if e.Outcome != grant.NotSent || len(w.srv.Calls("/token")) != before {
		t.Errorf("outcome %s", e.Outcome)
	}
}

// The key in the state is the key, however it was written; the same key has the
// same name, and another one has another.
func TestKeysAreKeptAsOneForm(t *testing.T) {
	w := newWorld(t)
	sec1, err := x509.MarshalECPrivateKey(testKeys()["p256"].(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	build := func(text string) *grant.Client {
		return mustAssert(t, w.preset(), map[string]string{"KEY": text}, `grant "client_credentials" {}`, `private_key = env("KEY")`)
	}
	a, b, other := build(keyPEM(t, "p256")), build("comment\n"+block("EC PRIVATE KEY", sec1)), build(keyPEM(t, "p384"))
	if !a.Key().Equal(b.Key()) || a.KeyID() != b.KeyID() || a.KeyID() == other.KeyID() {
		t.Error("the names of keys do not tell them apart")
	}
	if !a.Key().Equal(secret.Secret(keyPEM(t, "p256"))) {
		t.Error("the state would hold another form")
	}
	if sc := a.StateClient(); strings.Contains(fmt.Sprintf("%+v", sc), strings.Split(keyPEM(t, "p256"), "\n")[1]) {
		t.Error("the part without secrets holds the key")
	}
}
